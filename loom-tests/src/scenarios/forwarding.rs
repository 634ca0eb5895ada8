//! Workers reach one object. Exactly one copy becomes the object, and all end up reading it.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco_collector::model::forward::{Claim, State, claim_copy, claim_retain, decode, probe, restore};
use orinoco_collector::model::lab::Lab;
use orinoco_collector::model::sync::{Arc, AtomicUsize, thread};

protocol! { "forwarding":
    the_loser_sees_the_winners_copy (Exhaustive),
    three_workers_agree (Exhaustive),
    a_copy_and_a_retreat_agree (Exhaustive),
    the_losers_space_is_given_back (Exhaustive),
    what_stays_is_scanned_by_one (Exhaustive),
}

const HEADER: usize = 0x7000_0000_0010;
const PAYLOAD: usize = 42;

/// One object and a place for each worker's copy.
struct Object {
    header: AtomicUsize,
    payload: Shared<usize>,
    copies: Vec<Shared<usize>>,
}

impl Object {
    fn new(workers: usize) -> Arc<Self> {
        let copies = (0..workers).map(|_| Shared::new(0)).collect();
        Arc::new(Self { header: AtomicUsize::new(HEADER), payload: Shared::new(PAYLOAD), copies })
    }
    const fn address(worker: usize) -> usize {
        0x1000 + worker * 0x100
    }
    fn read_at(&self, address: usize) -> usize {
        self.copies[(address - 0x1000) / 0x100].get()
    }
    /// What a scavenger does: looks, copies, claims. The new address, and whether this worker won.
    fn evacuate(&self, worker: usize) -> (State, bool) {
        let State::Here(seen) = probe(&self.header) else { return (probe(&self.header), false) };
        self.copies[worker].set(self.payload.get());
        match claim_copy(&self.header, seen, Self::address(worker)) {
            Claim::Won => (State::Forwarded(Self::address(worker)), true),
            Claim::Lost(state) => (state, false),
        }
    }
    /// What a worker without room does.
    fn retain(&self) -> (State, bool) {
        let State::Here(seen) = probe(&self.header) else { return (probe(&self.header), false) };
        match claim_retain(&self.header, seen) {
            Claim::Won => (State::Retained, true),
            Claim::Lost(state) => (state, false),
        }
    }
    fn use_it(&self, state: State) {
        let found = match state {
            State::Forwarded(address) => self.read_at(address),
            State::Retained | State::Here(_) => self.payload.get(),
        };
        assert_eq!(found, PAYLOAD, "the object lost its payload");
    }
}

fn evacuate_by(workers: usize) {
    let object = Object::new(workers);
    let others: Vec<_> = (1..workers)
        .map(|worker| {
            let object = object.clone();
            thread::spawn(move || {
                let got = object.evacuate(worker);
                object.use_it(got.0);
                got
            })
        })
        .collect();
    let mut got = vec![object.evacuate(0)];
    object.use_it(got[0].0);
    got.extend(others.into_iter().map(|other| other.join().unwrap()));
    assert_eq!(got.iter().filter(|(_, won)| *won).count(), 1, "one copy becomes the object");
    assert!(got.iter().all(|(state, _)| *state == got[0].0), "everyone goes to one address");
}

fn the_loser_sees_the_winners_copy() {
    evacuate_by(2);
}

fn three_workers_agree() {
    evacuate_by(3);
}

/// One worker has room and the other has not; after the scavenge the object is in one place and has its header.
fn a_copy_and_a_retreat_agree() {
    let object = Object::new(1);
    let other = thread::spawn({
        let object = object.clone();
        move || {
            let got = object.retain();
            object.use_it(got.0);
            got
        }
    });
    let mine = object.evacuate(0);
    object.use_it(mine.0);
    let theirs = other.join().unwrap();
    assert_eq!(mine.0, theirs.0, "everyone goes to one address");
    assert!(mine.1 != theirs.1, "one worker decides");
    if theirs.1 {
        restore(&object.header);
        assert_eq!(probe(&object.header), State::Here(HEADER), "a retained object has its header back");
    }
    assert_ne!(decode(HEADER), State::Retained);
}

/// When copying is over, several workers find an object that stays where it is: one of them scans it, which changes it, and
/// the others do not look inside.
fn what_stays_is_scanned_by_one() {
    let object = Object::new(0);
    let work = |object: &Object| {
        let (state, won) = object.retain();
        assert_eq!(state, State::Retained);
        if won {
            object.payload.set(object.payload.get() + 1);
        }
        won
    };
    let others: Vec<_> = (0..2)
        .map(|_| {
            let object = object.clone();
            thread::spawn(move || work(&object))
        })
        .collect();
    let mine = work(&object);
    let scans = usize::from(mine) + others.into_iter().map(|other| usize::from(other.join().unwrap())).sum::<usize>();
    assert_eq!(scans, 1, "what stays was scanned {scans} times");
    assert_eq!(object.payload.get(), PAYLOAD + 1);
}

/// Each worker copies into its own buffer. What a walker finds below `top` afterwards is one object, in one buffer.
fn the_losers_space_is_given_back() {
    const BYTES: usize = 16;
    let object = Object::new(2);
    let work = |object: &Object, worker: usize| {
        let start = std::ptr::without_provenance_mut(Object::address(worker));
        let lab = Lab::default();
        assert_eq!(lab.replace(start, 4 * BYTES).1, 0);
        let copy = lab.try_bump(BYTES).expect("the buffer is fresh").addr();
        let (state, won) = object.evacuate(worker);
        if !won {
            lab.unbump(BYTES);
        }
        assert!(!won || state == State::Forwarded(copy));
        lab.retire().0.addr() - start.addr()
    };
    let other = thread::spawn({
        let object = object.clone();
        move || work(&object, 1)
    });
    let mine = work(&object, 0);
    assert_eq!(mine + other.join().unwrap(), BYTES, "a walker finds a copy that is no object");
}
