//! A mutator stores where a marker scans: what is stored is written, and nothing that can be reached stays white.

use crate::Bound::{Exhaustive, Preemptions};
use crate::tiny::{Part, Tiny, TinyMarker};
use crate::{Shared, protocol};
use orinoco_collector::model::shade::{claim, exchange, follow, hand_over, publish};
use orinoco_collector::model::sync::{Arc, AtomicPtr, thread};
use std::ptr::{null_mut, without_provenance_mut};

protocol! { "barrier":
    what_is_followed_is_written (Exhaustive),
    what_is_exchanged_is_written (Exhaustive),
    what_is_claimed_is_written (Exhaustive),
    what_moves_behind_the_marker_is_shaded (Exhaustive),
    a_host_that_looks_white_is_no_excuse (Exhaustive),
    two_writers_of_one_slot_leave_nothing_white (Preemptions(4)),
    what_is_born_black_has_shown_its_references (Exhaustive),
}

const A: usize = 0;
const B: usize = 1;
const W: usize = 2;
const X: usize = 3;

/// A marker that scans what is grey, beside the mutators; what they shaded is scanned when all have ended.
fn mark_beside(heap: &Arc<Tiny>, mutators: &[fn(&Tiny, &mut Part)]) {
    heap.show_root(A);
    let beside: Vec<_> = mutators
        .iter()
        .map(|&mutator| {
            let heap = heap.clone();
            thread::spawn(move || {
                let mut part = Part { marking: true, shaded: Vec::new() };
                mutator(&heap, &mut part);
                part.shaded
            })
        })
        .collect();
    TinyMarker::new(heap).drain();
    beside.into_iter().for_each(|mutator| hand_over(mutator.join().unwrap(), &heap.grey));
    TinyMarker::new(heap).drain();
    heap.assert_marked_from(A);
}

/// A slot, and the objects that a reference in it may lead to.
struct Place {
    slot: AtomicPtr<u8>,
    length: Shared<usize>,
    other: Shared<usize>,
}

impl Place {
    fn new() -> Arc<Self> {
        Arc::new(Self { slot: AtomicPtr::new(null_mut()), length: Shared::new(0), other: Shared::new(0) })
    }
}

/// A mutator writes an object and stores a reference to it; a marker that follows the reference reads it.
fn what_is_followed_is_written() {
    let place = Place::new();
    let mutator = thread::spawn({
        let place = place.clone();
        move || {
            place.length.set(7);
            publish(&place.slot, without_provenance_mut(8));
        }
    });
    if !follow(&place.slot).is_null() {
        assert_eq!(place.length.get(), 7, "a marker read an object that was not written");
    }
    mutator.join().unwrap();
}

/// Two mutators exchange what they have written for what is in the slot.
fn what_is_exchanged_is_written() {
    let place = Place::new();
    let other = thread::spawn({
        let place = place.clone();
        move || {
            place.other.set(7);
            if !exchange(&place.slot, without_provenance_mut(16)).is_null() {
                assert_eq!(place.length.get(), 7, "a mutator read an object that was not written");
            }
        }
    });
    place.length.set(7);
    if !exchange(&place.slot, without_provenance_mut(8)).is_null() {
        assert_eq!(place.other.get(), 7, "a mutator read an object that was not written");
    }
    other.join().unwrap();
}

/// Two mutators fill an empty slot: one succeeds, and the other reads what that one wrote.
fn what_is_claimed_is_written() {
    let place = Place::new();
    let other = thread::spawn({
        let place = place.clone();
        move || {
            place.other.set(7);
            let won = claim(&place.slot, null_mut(), without_provenance_mut(16)).is_ok();
            assert!(won || place.length.get() == 7, "a mutator read an object that was not written");
            won
        }
    });
    place.length.set(7);
    let won = claim(&place.slot, null_mut(), without_provenance_mut(8)).is_ok();
    assert!(won || place.other.get() == 7, "a mutator read an object that was not written");
    assert_ne!(won, other.join().unwrap(), "two filled one slot");
}

/// A is the root and leads to B, and B to W. The mutator moves W from B to A while the marker goes from A to B.
fn what_moves_behind_the_marker_is_shaded() {
    let heap = Tiny::new(&[[None, Some(B)], [Some(W), None], [None, None]]);
    let move_it = |heap: &Tiny, part: &mut Part| {
        let moved = heap.load(B, 0).expect("W is there");
        heap.store(part, A, 0, moved);
        heap.clear(B, 0);
    };
    mark_beside(&heap, &[move_it]);
}

/// The mutator has W in its hands, and stores it into B at the moment at which B is turned black.
fn a_host_that_looks_white_is_no_excuse() {
    let heap = Tiny::new(&[[None, Some(B)], [None, None], [None, None]]);
    mark_beside(&heap, &[|heap, part| heap.store(part, B, 0, W)]);
}

/// Two mutators store into one slot of A: whichever stays is shaded.
fn two_writers_of_one_slot_leave_nothing_white() {
    let heap = Tiny::new(&[[None, None], [None, None], [None, None], [None, None]]);
    mark_beside(&heap, &[|heap, part| heap.store(part, A, 0, W), |heap, part| heap.store(part, A, 0, X)]);
}

/// A new object takes W along and is born black: no marker scans it, and W is in no other place soon.
fn what_is_born_black_has_shown_its_references() {
    let heap = Tiny::new(&[[None, Some(B)], [Some(W), None], [None, None], [None, None]]);
    let take_it_along = |heap: &Tiny, part: &mut Part| {
        let moved = heap.load(B, 0).expect("W is there");
        heap.initialise(X, 0, moved);
        heap.be_born(part, X);
        heap.store(part, A, 0, X);
        heap.clear(B, 0);
    };
    mark_beside(&heap, &[take_it_along]);
}
