//! What a store into a region must do: one byte a region, and the write barrier's whole decision.
//!
//! ```text
//!               idle    marking
//!   young        0         0       a young host needs no barrier: the scavenger visits all its references
//!   not ours     1         1       free regions, the Rust stack seen through the mask, and null (entry 0)
//!   old          1         3
//!   candidate    3         3       old, and to be emptied: who refers to it is remembered
//!
//!   store into host, of target:   host == 0 ─yes▶ done
//!                                 target == 1 ─yes▶ done        old ← old while idle, or null
//!                                 slow: target young or candidate: remember the slot · marking: shade the target
//! ```
//!
//! Going from idle to marking swaps one pointer in each mutator, while it is stopped; no per-region work.
//!
//! B1  Entry 0 is 1 in both tables: the region behind it is never used.
//! B2  An address outside the heap reads some entry; the slow path tells such a host from a real one.
use crate::sync::{AtomicU8, Ordering::Relaxed};

/// The two tables of one heap.
pub struct BarrierTables {
    idle: Box<[AtomicU8]>,
    marking: Box<[AtomicU8]>,
}

/// A store into such a region needs nothing.
pub const YOUNG: u8 = 0;
/// A store of a reference to such a region needs nothing.
pub const QUIET: u8 = 1;
/// An old region while marking, and a candidate at any time.
pub const SHADED: u8 = 3;

impl BarrierTables {
    pub(crate) fn new(regions: usize) -> Self {
        let table = || (0..regions).map(|_| AtomicU8::new(QUIET)).collect();
        Self { idle: table(), marking: table() }
    }
    pub(crate) fn set_young(&self, region: usize) {
        self.set(region, YOUNG, YOUNG);
    }
    pub(crate) fn set_old(&self, region: usize) {
        self.set(region, QUIET, SHADED);
    }
    pub(crate) fn set_candidate(&self, region: usize) {
        self.set(region, SHADED, SHADED);
    }
    pub(crate) fn set_free(&self, region: usize) {
        self.set(region, QUIET, QUIET);
    }
    fn set(&self, region: usize, idle: u8, marking: u8) {
        debug_assert!(region != 0, "B1");
        // Relaxed: a region's byte changes in a pause, or before any mutator can have an address in it.
        self.idle[region].store(idle, Relaxed);
        self.marking[region].store(marking, Relaxed);
    }
    /// The table that mutators use in the given phase.
    pub(crate) fn table(&self, marking: bool) -> *const u8 {
        if marking { self.marking.as_ptr().cast() } else { self.idle.as_ptr().cast() }
    }
}
