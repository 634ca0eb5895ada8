//! Ephemerons beside markers: one scans a table while another reaches the keys of its entries.
//!
//! ```text
//!   table:  FIRST ─▶ SECOND,  SECOND ─▶ VALUE        an entry keeps its value while its key is reached
//! ```

use crate::Bound::{Exhaustive, Preemptions};
use crate::protocol;
use orinoco_collector::model::mark_bitmap::MarkBitmap;
use orinoco_collector::model::sync::{Arc, AtomicUsize, thread};
use orinoco_collector::model::worklist::waiting::Waiting;

protocol! { "weak":
    a_value_is_shown_when_its_key_is_reached (Exhaustive),
    a_chain_is_followed_whoever_reaches_what (Exhaustive),
    two_markers_of_two_tables_leave_nothing_white (Preemptions(4)),
}

const FIRST: usize = 0;
const SECOND: usize = 1;
const VALUE: usize = 2;

/// Entries are their values' numbers.
struct Place {
    marks: Vec<AtomicUsize>,
    waiting: Waiting<usize, usize>,
}

impl Place {
    fn new() -> Arc<Self> {
        Arc::new(Self { marks: vec![AtomicUsize::new(0)], waiting: Waiting::shared() })
    }
    fn is_marked(&self, object: usize) -> bool {
        MarkBitmap::new(&self.marks).is_marked(object)
    }
    /// Marks an object, and shows what has waited for it, as a marker does when it scans what it has claimed.
    fn reach(&self, object: usize) {
        if !MarkBitmap::new(&self.marks).try_mark(object) {
            return;
        }
        let mut woken = Vec::new();
        self.waiting.take(object, &mut woken);
        woken.into_iter().for_each(|value| self.reach(value));
    }
    /// Scans one entry of a table.
    fn scan(&self, key: usize, value: usize) {
        if self.waiting.wait(key, value, || self.is_marked(key)) {
            self.reach(value);
        }
    }
    fn assert_shown(&self, object: usize) {
        assert!(self.is_marked(object), "object {object} can be reached and was not marked");
    }
}

fn a_value_is_shown_when_its_key_is_reached() {
    let place = Place::new();
    let scanner = thread::spawn({
        let place = place.clone();
        move || place.scan(FIRST, VALUE)
    });
    place.reach(FIRST);
    scanner.join().unwrap();
    place.assert_shown(VALUE);
}

fn a_chain_is_followed_whoever_reaches_what() {
    let place = Place::new();
    let scanner = thread::spawn({
        let place = place.clone();
        move || {
            place.scan(FIRST, SECOND);
            place.scan(SECOND, VALUE);
        }
    });
    place.reach(FIRST);
    scanner.join().unwrap();
    place.assert_shown(SECOND);
    place.assert_shown(VALUE);
}

fn two_markers_of_two_tables_leave_nothing_white() {
    let place = Place::new();
    let scan = |key, value| {
        let place = place.clone();
        thread::spawn(move || place.scan(key, value))
    };
    let (one, other) = (scan(FIRST, SECOND), scan(SECOND, VALUE));
    place.reach(FIRST);
    one.join().unwrap();
    other.join().unwrap();
    place.assert_shown(VALUE);
}
