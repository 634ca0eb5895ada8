//! Who refers to what is to be moved is known when it is moved: from the marker that scanned, or the mutator that stored.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco_collector::model::forward::{Claim, State, claim_copy, claim_retain, hold_first, probe};
use orinoco_collector::model::gate::Gate;
use orinoco_collector::model::records::{Batches, Records, stored};
use orinoco_collector::model::shade::{follow, publish};
use orinoco_collector::model::sync::{Arc, AtomicPtr, AtomicUsize, thread};
use std::ptr::{null_mut, without_provenance_mut};

protocol! { "evacuation":
    what_is_stored_while_marking_is_updated (Exhaustive),
    what_two_markers_found_is_updated (Exhaustive),
    a_host_that_moved_is_not_visited_where_it_was (Exhaustive),
    what_is_pinned_is_held_before_anybody_copies (Exhaustive),
}

/// The address of an object in a region that is to be emptied, and of its copy elsewhere.
const CANDIDATE: usize = 0x1000;
const COPY: usize = 0x9000;

/// Old objects with one slot each, and who is known to refer to the candidate.
struct Heap {
    slots: [AtomicPtr<u8>; 2],
    records: Records<usize>,
}

impl Heap {
    fn new(holds: [bool; 2]) -> Arc<Self> {
        let records = Records::default();
        records.begin(1);
        let slot = |holds| AtomicPtr::new(if holds { without_provenance_mut(CANDIDATE) } else { null_mut() });
        Arc::new(Self { slots: holds.map(slot), records })
    }
    /// What a marker does with a host: looks, and records it.
    fn scan(&self, host: usize) {
        let mut seen = Batches::NONE;
        if follow(&self.slots[host]).addr() == CANDIDATE {
            seen.add(0);
        }
        if !seen.is_empty() {
            self.records.hand_over(&mut vec![(seen, host)]);
        }
    }
    /// What a mutator does: stores, and remembers. Returns what its list has.
    fn store(&self, host: usize) -> Option<usize> {
        publish(&self.slots[host], without_provenance_mut(CANDIDATE));
        let mut remembered = None;
        stored(false, true, || remembered = Some(host));
        remembered
    }
    /// The stop: visits whoever is known to refer to the candidate, and then nobody may.
    fn evacuate(&self, remembered: Option<usize>) {
        let hosts = self.records.condemn(0);
        let recorded = (0..hosts.len()).filter_map(|at| hosts.standing(at, |_| None));
        for host in recorded.chain(remembered) {
            if follow(&self.slots[host]).addr() == CANDIDATE {
                publish(&self.slots[host], without_provenance_mut(COPY));
            }
        }
        for slot in &self.slots {
            assert_ne!(follow(slot).addr(), CANDIDATE, "a reference leads to where the object was");
        }
    }
}

/// The mutator stores a reference to the candidate into a host that the marker may have passed, or is about to scan.
fn what_is_stored_while_marking_is_updated() {
    let heap = Heap::new([true, false]);
    let mutator = thread::spawn({
        let heap = heap.clone();
        move || heap.store(1)
    });
    heap.scan(0);
    heap.scan(1);
    heap.evacuate(mutator.join().unwrap());
}

/// Two markers scan a host each.
fn what_two_markers_found_is_updated() {
    let heap = Heap::new([true, true]);
    let marker = thread::spawn({
        let heap = heap.clone();
        move || heap.scan(1)
    });
    heap.scan(0);
    marker.join().unwrap();
    heap.evacuate(None);
}

/// A host lies in batch 0 and refers to batch 1. Batch 0 is emptied, its region is used by somebody else, and batch 1 comes:
/// the host is visited where its copy is, and not where somebody else writes.
fn a_host_that_moved_is_not_visited_where_it_was() {
    const OLD_PLACE: usize = 0;
    const NEW_PLACE: usize = 1;
    let records = Arc::new(Records::default());
    records.begin(2);
    let batch = |number| {
        let mut batches = Batches::NONE;
        batches.add(number);
        batches
    };
    records.hand_over(&mut vec![(batch(1), OLD_PLACE)]);
    let memory = Arc::new([Shared::new(CANDIDATE), Shared::new(0)]);
    // The first stop: whoever scans the copy records it.
    let _ = records.condemn(0);
    memory[NEW_PLACE].set(memory[OLD_PLACE].get());
    records.hand_over(&mut vec![(batch(1), NEW_PLACE)]);
    // Between the stops the region of batch 0 is somebody else's.
    let tenant = thread::spawn({
        let memory = memory.clone();
        move || memory[OLD_PLACE].set(7)
    });
    let hosts = records.condemn(1);
    let batch_of = |host| (host == OLD_PLACE).then_some(0);
    for host in (0..hosts.len()).filter_map(|at| hosts.standing(at, batch_of)) {
        assert_eq!(memory[host].get(), CANDIDATE, "what is visited is no host");
        memory[host].set(COPY);
    }
    tenant.join().unwrap();
    assert_eq!(memory[NEW_PLACE].get(), COPY, "the copy of the host was not visited");
}

/// The leader of a stop holds what is pinned, and only then lets helpers copy.
fn what_is_pinned_is_held_before_anybody_copies() {
    const HEADER: usize = 0x7000_0000_0010;
    let phase = Arc::new((Gate::new_closed(), AtomicUsize::new(HEADER)));
    let helper = thread::spawn({
        let phase = phase.clone();
        move || {
            let (gate, header) = &*phase;
            if gate.enter() {
                if let State::Here(seen) = probe(header) {
                    let _: Claim = claim_copy(header, seen, COPY);
                }
                gate.leave();
            }
        }
    });
    let (gate, header) = &*phase;
    let hold = |_: &mut ()| {
        if let State::Here(seen) = probe(header) {
            let _ = claim_retain(header, seen);
        }
    };
    hold_first(&mut (), hold, |()| gate.open());
    gate.close_and_wait();
    helper.join().unwrap();
    assert_eq!(probe(header), State::Retained, "what is pinned has moved");
}
