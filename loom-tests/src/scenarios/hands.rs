//! Stopped mutators join the phases of their stop: what they do is done before it ends, and each phase has its own guests.

use crate::Bound::{Exhaustive, Preemptions};
use crate::{Shared, protocol};
use orinoco_collector::model::hands::{Board, Guests, Posted};
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "hands":
    nobody_is_at_work_when_a_stop_ends (Exhaustive),
    each_phase_has_its_own_guests (Preemptions(4)),
}

/// Objects that a stop moves: its leader writes them, and in a phase a hand may.
type Heap = Arc<Shared<usize>>;

fn moves(heap: &Heap, from: usize, to: usize) -> Guests<impl Fn() + Clone + Send + Sync + use<>> {
    let heap = heap.clone();
    Guests::new(move || {
        assert_eq!(heap.get(), from, "a hand worked on what was not prepared");
        heap.set(to);
    })
}

fn nobody_is_at_work_when_a_stop_ends() {
    let (heap, board) = (Heap::new(Shared::new(0)), Arc::new(Board::new(1)));
    let hand = thread::spawn({
        let board = board.clone();
        move || board.join_posted(&mut 0)
    });
    heap.set(1);
    let phase = moves(&heap, 1, 2);
    board.post(phase.copy());
    board.take_down();
    phase.close_and_wait();
    let moved = heap.get();
    // The stop is over: mutators write again.
    heap.set(10);
    let joined = hand.join().unwrap();
    assert!(joined || moved == 1, "somebody helped whom nobody let in");
    assert_eq!(heap.get(), 10);
}

fn each_phase_has_its_own_guests() {
    let (heap, board) = (Heap::new(Shared::new(1)), Arc::new(Board::new(1)));
    let hand = thread::spawn({
        let board = board.clone();
        move || {
            let mut seen = 0;
            board.join_posted(&mut seen);
            board.join_posted(&mut seen);
        }
    });
    for round in [10, 20] {
        heap.set(round);
        let phase = moves(&heap, round, round + 1);
        board.post(phase.copy());
        board.take_down();
        phase.close_and_wait();
    }
    hand.join().unwrap();
    assert!([20, 21].contains(&heap.get()));
}
