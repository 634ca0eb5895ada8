//! A whole scavenge of a tiny heap: a leader and a helper empty its from-space, and afterwards the heap is what it was.
//!
//! ```text
//!   root ──▶ A, which has survived once ──▶ B ◀── a remembered place      A is promoted, B becomes a survivor
//!   leader, in its buffers                        whoever claims the place first
//! ```
//!
//! The objects are toys; the race for a copy, the buffers, the list of what is to be scanned, the gate, the agreement on
//! the end, and what is remembered of a promoted object are the code that ships.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco_collector::model::forward::{Claim, State, claim_copy, probe};
use orinoco_collector::model::gate::Gate;
use orinoco_collector::model::lab::Lab;
use orinoco_collector::model::records::scanned;
use orinoco_collector::model::sync::{Arc, AtomicUsize, Ordering::Relaxed, thread};
use orinoco_collector::model::worklist::shared::{View, Worklist};
use orinoco_collector::model::worklist::termination::{Outcome, Termination};
use std::ptr::without_provenance_mut;

protocol! { "scavenge":
    two_workers_leave_one_copy_of_each_object (Exhaustive),
}

const A: usize = 0;
const B: usize = 1;
const HEADER: usize = 0x7000_0000_0010;
const BYTES: usize = 16;
/// Each worker has a survivor buffer and a promotion buffer, each with room for both objects.
const BUFFER: usize = 2 * BYTES;
const FIRST: usize = 0x1000;
const WORKERS: usize = 2;

/// Where a worker's buffer begins.
const fn buffer(worker: usize, old: bool) -> usize {
    FIRST + (2 * worker + old as usize) * BUFFER
}
fn is_old(address: usize) -> bool {
    ((address - FIRST) / BUFFER) % 2 == 1
}

/// The place of a copy.
struct Copy {
    payload: Shared<usize>,
    /// First the number of the object that it refers to and one more, 0 for none; once it is scanned, the address of its copy.
    slot: Shared<usize>,
}

/// What a worker leaves.
#[derive(Default)]
struct Findings {
    remembered: Vec<usize>,
    used: usize,
}

struct Heap {
    headers: [AtomicUsize; 2],
    copies: Vec<Copy>,
    /// How many have claimed the remembered place, and what it holds in the end.
    claims: AtomicUsize,
    place: Shared<usize>,
    grey: Worklist<usize>,
    gate: Gate,
    termination: Termination,
    findings: [Shared<Findings>; WORKERS],
}

struct Worker<'a> {
    heap: &'a Heap,
    view: View<'a, usize>,
    labs: [Lab; 2],
    remembered: Vec<usize>,
}

impl Heap {
    fn new() -> Arc<Self> {
        let copy = |_| Copy { payload: Shared::new(0), slot: Shared::new(0) };
        Arc::new(Self {
            headers: [AtomicUsize::new(HEADER), AtomicUsize::new(HEADER)],
            copies: (0..2 * WORKERS * BUFFER / BYTES).map(copy).collect(),
            claims: AtomicUsize::new(0),
            place: Shared::new(0),
            grey: Worklist::new(),
            gate: Gate::new(),
            termination: Termination::new(),
            findings: [Shared::new(Findings::default()), Shared::new(Findings::default())],
        })
    }
    fn at(&self, address: usize) -> &Copy {
        &self.copies[(address - FIRST) / BYTES]
    }
}

impl<'a> Worker<'a> {
    fn new(heap: &'a Heap, number: usize) -> Self {
        let lab = |old| {
            let lab = Lab::default();
            let _ = lab.replace(without_provenance_mut(buffer(number, old)), BUFFER);
            lab
        };
        Self { heap, view: View::new(&heap.grey), labs: [lab(false), lab(true)], remembered: Vec::new() }
    }
    /// Where an object of from-space is now.
    fn forward(&mut self, object: usize) -> usize {
        let header = &self.heap.headers[object];
        let seen = match probe(header) {
            State::Here(seen) => seen,
            State::Forwarded(copy) => return self.found(object, copy),
            State::Retained => unreachable!("there is room"),
        };
        let lab = &self.labs[usize::from(object == A)];
        let to = lab.try_bump(BYTES).expect("both objects fit").addr();
        self.heap.at(to).payload.set(object + 40);
        self.heap.at(to).slot.set(if object == A { B + 1 } else { 0 });
        match claim_copy(header, seen, to) {
            Claim::Won => {
                self.view.push(to);
                to
            }
            Claim::Lost(State::Forwarded(copy)) => {
                lab.unbump(BYTES);
                self.found(object, copy)
            }
            Claim::Lost(_) => unreachable!("there is room"),
        }
    }
    fn found(&self, object: usize, copy: usize) -> usize {
        assert_eq!(self.heap.at(copy).payload.get(), object + 40, "a copy lost its payload");
        copy
    }
    fn scan(&mut self, copy: usize) {
        let slot = &self.heap.at(copy).slot;
        if let Some(target) = slot.get().checked_sub(1) {
            let target = self.forward(target);
            slot.set(target);
            scanned(is_old(copy), !is_old(target), || self.remembered.push(copy));
        }
    }
    fn run(&mut self) {
        let heap = self.heap;
        loop {
            while let Some(copy) = self.view.pop() {
                self.scan(copy);
                self.view.share_if_hungry();
            }
            // Relaxed: one of them is the first.
            if heap.claims.load(Relaxed) == 0 && heap.claims.fetch_add(1, Relaxed) == 0 {
                let copy = self.forward(B);
                heap.place.set(copy);
                continue;
            }
            let has_work = || !heap.grey.is_empty_hint();
            if heap.termination.offer() || heap.termination.idle_until(has_work) == Outcome::Over {
                return;
            }
        }
    }
    fn report(self, number: usize) {
        let used = |old: bool| self.labs[usize::from(old)].retire().0.addr() - buffer(number, old);
        let used = used(false) + used(true);
        self.heap.findings[number].set(Findings { remembered: self.remembered, used });
    }
}

fn two_workers_leave_one_copy_of_each_object() {
    let heap = Heap::new();
    let helper = thread::spawn({
        let heap = heap.clone();
        move || {
            if !heap.gate.enter() {
                return;
            }
            if heap.termination.enter() {
                let mut worker = Worker::new(&heap, 1);
                worker.run();
                worker.report(1);
            }
            heap.gate.leave();
        }
    });
    let mut leader = Worker::new(&heap, 0);
    let root = leader.forward(A);
    leader.run();
    leader.report(0);
    heap.gate.close_and_wait();
    let (mut remembered, mut used) = (Vec::new(), 0);
    for findings in &heap.findings {
        findings.update(|findings| {
            remembered.append(&mut findings.remembered);
            used += findings.used;
        });
    }
    helper.join().unwrap();
    assert!(heap.grey.steal().is_none(), "work is left when the scavenge has ended");
    let (a, b) = (heap.at(root), heap.place.get());
    assert_eq!(a.slot.get(), b, "two references to one object lead to two");
    assert_eq!((a.payload.get(), heap.at(b).payload.get()), (A + 40, B + 40), "a copy lost its payload");
    assert!(is_old(root) && !is_old(b), "what has survived is promoted, and nothing else");
    assert_eq!(remembered, [root], "what was promoted refers to the young, and nobody knows");
    assert_eq!(used, 2 * BYTES, "a walker finds a copy that is no object");
}
