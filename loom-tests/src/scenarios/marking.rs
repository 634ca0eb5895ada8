//! Mark bits that share a word: each is set once, and none is lost.

use crate::Bound::Exhaustive;
use crate::protocol;
use orinoco_collector::model::mark_bitmap::MarkBitmap;
use orinoco_collector::model::sync::{Arc, AtomicUsize, thread};

protocol! { "marking":
    two_bits_of_one_word_are_both_set (Exhaustive),
    one_object_is_pushed_once (Exhaustive),
    clearing_a_range_spares_a_mark_beside_it (Exhaustive),
}

fn words(n: usize) -> Arc<Vec<AtomicUsize>> {
    Arc::new((0..n).map(|_| AtomicUsize::new(0)).collect())
}

fn two_bits_of_one_word_are_both_set() {
    let words = words(1);
    let other = thread::spawn({
        let words = words.clone();
        move || MarkBitmap::new(&words).try_mark(3)
    });
    assert!(MarkBitmap::new(&words).try_mark(4));
    assert!(other.join().unwrap());
    let bits = MarkBitmap::new(&words);
    assert!(bits.is_marked(3) && bits.is_marked(4), "a neighbour's mark was lost");
}

fn one_object_is_pushed_once() {
    let words = words(1);
    let other = thread::spawn({
        let words = words.clone();
        move || MarkBitmap::new(&words).try_mark(7)
    });
    let mine = MarkBitmap::new(&words).try_mark(7);
    assert!(mine != other.join().unwrap(), "an object is pushed exactly once");
}

/// A region's bits are cleared while a bit of its neighbour, in the same word, is set.
fn clearing_a_range_spares_a_mark_beside_it() {
    let words = words(2);
    MarkBitmap::new(&words).set_range(0, 100);
    let other = thread::spawn({
        let words = words.clone();
        move || MarkBitmap::new(&words).try_mark(101)
    });
    MarkBitmap::new(&words).clear_range(0, 100);
    assert!(other.join().unwrap());
    let bits = MarkBitmap::new(&words);
    assert!(bits.is_marked(101) && bits.count(0, 128) == 1, "clearing a range and a mark beside it undo each other");
}
