//! A root that any thread may drop, at any moment, and the stop that moves what roots hold.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco::model::root_chunk::Chunk;
use orinoco_collector::model::sync::{Arc, thread};
use std::ptr::without_provenance_mut;

protocol! { "roots":
    what_a_root_holds_is_written (Exhaustive),
    a_root_dropped_in_a_stop_is_swept_once (Exhaustive),
    a_root_dropped_in_a_stop_is_not_resurrected (Exhaustive),
}

/// The address of a toy object, which nobody looks behind.
fn object(n: usize) -> *mut u8 {
    without_provenance_mut(0x1000 * n)
}

/// One thread makes a root refer to a new object; another reads the root, and then the object.
fn what_a_root_holds_is_written() {
    let chunk = Arc::new(Chunk::new(1));
    let content = Arc::new(Shared::new(1));
    chunk.set(0, object(1));
    let writer = thread::spawn({
        let (chunk, content) = (chunk.clone(), content.clone());
        move || {
            content.set(2);
            chunk.set(0, object(2));
        }
    });
    if chunk.get(0) == object(2) {
        assert_eq!(content.get(), 2);
    }
    writer.join().unwrap();
}

/// In a stop: moves every object by one, and says which slots became free.
fn sweep(chunk: &Chunk, touched_only: bool) -> Vec<usize> {
    let mut free = Vec::new();
    let next = |word: *mut u8| (object(word.addr() / 0x1000 + 1), false);
    chunk.relocate(touched_only, next, |index| free.push(index));
    free
}

/// A root is dropped while young collections look at what has news: they find it, once, and no drop is forgotten.
fn a_root_dropped_in_a_stop_is_swept_once() {
    let chunk = Arc::new(Chunk::new(1));
    (0..2).for_each(|index| chunk.set(index, object(index + 1)));
    let owner = thread::spawn({
        let chunk = chunk.clone();
        move || chunk.release(0)
    });
    let mut free = sweep(&chunk, true);
    owner.join().unwrap();
    free.extend(sweep(&chunk, true));
    assert_eq!(free, [0], "a dropped root is swept exactly once");
}

/// A root is dropped while a full collection moves what it holds: what is dropped stays so.
fn a_root_dropped_in_a_stop_is_not_resurrected() {
    let chunk = Arc::new(Chunk::new(1));
    (0..2).for_each(|index| chunk.set(index, object(index + 1)));
    let owner = thread::spawn({
        let chunk = chunk.clone();
        move || chunk.release(0)
    });
    let _ = sweep(&chunk, false);
    owner.join().unwrap();
    let mut held = Vec::new();
    chunk.each(|word| held.push(word));
    assert_eq!(held, [object(3)], "a dropped root is back, or another is lost");
}
