//! Ephemerons beside markers: one scans a table while another reaches the keys of its entries. And clearing in slices, with
//! a program between them that looks.
//!
//! ```text
//!   table:     FIRST ─▶ SECOND,  SECOND ─▶ VALUE        an entry keeps its value while its key is reached
//!   clearing:  two cells ─▶ one dead target             stop: a slice │ the program looks │ stop: a slice │ sweep
//! ```

use crate::Bound::{Exhaustive, Preemptions};
use crate::protocol;
use crate::shared::Shared;
use orinoco_collector::model::clearing::Clearing;
use orinoco_collector::model::mark_bitmap::MarkBitmap;
use orinoco_collector::model::sync::{Arc, AtomicUsize, Mutex, Ordering::Relaxed, thread};
use orinoco_collector::model::worklist::waiting::Waiting;

protocol! { "weak":
    a_value_is_shown_when_its_key_is_reached (Exhaustive),
    a_chain_is_followed_whoever_reaches_what (Exhaustive),
    two_markers_of_two_tables_leave_nothing_white (Preemptions(4)),
    a_target_dies_for_all_at_once (Exhaustive),
    what_is_not_cleared_is_not_swept (Exhaustive),
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

/// Two weak cells and their target, which no marker has reached. A stop and a window of the program exclude each other.
struct Cells {
    world: Mutex<()>,
    marks: Vec<AtomicUsize>,
    clearing: Clearing<usize>,
    /// Whether each cell still refers to the target.
    cells: [AtomicUsize; 2],
    /// What lies in the target's memory.
    memory: Shared<u64>,
}

const ALIVE: u64 = 7;

impl Cells {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::new(()),
            marks: vec![AtomicUsize::new(0)],
            clearing: Clearing::default(),
            cells: [AtomicUsize::new(1), AtomicUsize::new(1)],
            memory: Shared::new(ALIVE),
        })
    }
    /// What marking has found out is acted on: a slice in each stop, and when all is cleared the memory is handed on.
    fn clear_and_sweep(&self) {
        loop {
            let stop = self.world.lock();
            if self.clearing.begin() {
                self.clearing.add([0, 1]);
            }
            let slice = |cell: usize, _| {
                self.cells[cell].store(0, Relaxed);
                None
            };
            if self.clearing.advance(slice, || true) {
                self.clearing.end();
                drop(stop);
                // Beside the program.
                self.memory.set(0);
                return;
            }
        }
    }
    /// A window of the program: what a look through a cell finds in the target.
    fn look(&self, cell: usize) -> Option<u64> {
        let refers = self.cells[cell].load(Relaxed) != 0;
        let marked = || MarkBitmap::new(&self.marks).is_marked(0);
        (refers && !self.clearing.is_dead(marked)).then(|| self.memory.get())
    }
}

/// What a window of the program sees that falls anywhere among the slices of clearing, and the sweep.
fn look_while_clearing<R>(look: impl FnOnce(&Cells) -> R) -> R {
    let cells = Cells::new();
    let collector = thread::spawn({
        let cells = cells.clone();
        move || cells.clear_and_sweep()
    });
    let window = cells.world.lock();
    let seen = look(&cells);
    drop(window);
    collector.join().unwrap();
    seen
}

fn a_target_dies_for_all_at_once() {
    let (one, other) = look_while_clearing(|cells| (cells.look(0), cells.look(1)));
    assert_eq!(one.is_some(), other.is_some(), "one weak reference says dead, another alive");
}

fn what_is_not_cleared_is_not_swept() {
    let seen = look_while_clearing(|cells| cells.look(1));
    assert!(seen.is_none_or(|found| found == ALIVE), "a weak reference leads to memory that was swept");
}
