//! The word of a lock around Rust data in a heap object: mutators take it, and so does a marker, if it is free.
//!
//! ```text
//!    31                                 1   0
//!   ┌──────────────────────────────────┬───┬───┐   L locked
//!   │              unused              │ G │ L │   G listed for the next young collection
//!   └──────────────────────────────────┴───┴───┘
//!
//!              take (mutator), look (marker)
//!      Free ──────────────────────────────────▶ Locked
//!        ◀──────────────────────────────────────
//!              give (mutator), end_look (marker)
//! ```
//!
//! K1  Whoever locked it has the content to himself, and sees all that was done to it before.
//! K2  A marker never waits: what is locked is looked at in a stop. So a layout that changes under a lock is never seen
//!     half changed.
//! K3  G is set by who holds the lock, and cleared in stops.
use crate::planted::{bug, ord};
use crate::sync::AtomicU32;
use crate::sync::Ordering::Relaxed;

const LOCKED: u32 = 1;
const LISTED: u32 = 2;

/// The word.
#[derive(Debug)]
pub struct LockWord(AtomicU32);

impl LockWord {
    /// The word of a free lock.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }
    /// The word of a free lock.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self(AtomicU32::new(0))
    }
    /// Mutator: locks it, if it is free; says whether it is listed.
    #[inline(always)]
    pub fn try_take(&self) -> Option<bool> {
        let word = self.0.load(Relaxed);
        // Acquire: K1, what the last holder did; partner: Release in `give` and `end_look`.
        // Guarded by `lock::a_marker_and_holders_take_turns`.
        let taken =
            word & LOCKED == 0 && self.0.compare_exchange(word, word | LOCKED, ord::lock_take(), Relaxed).is_ok();
        taken.then_some(word & LISTED != 0)
    }
    /// Mutator: unlocks it.
    #[inline(always)]
    pub fn give(&self) {
        // A plain load and store: while it is locked nobody else writes the word (K3).
        // Release: the content comes first; partner: Acquire in `try_take` and `try_look`. Guarded by the same model.
        self.0.store(self.0.load(Relaxed) & !LOCKED, ord::lock_give());
    }
    /// Mutator, holding it: it is in the remembered set from now on.
    pub fn list(&self) {
        self.0.fetch_or(LISTED, Relaxed);
    }
    /// In a stop: it is in no list any more.
    #[inline(always)]
    pub fn unlist(&self) {
        // Relaxed: the stop orders all of this against the mutators.
        self.0.store(self.0.load(Relaxed) & !LISTED, Relaxed);
    }
    /// Marker, beside mutators: locks it, if it is free.
    #[must_use]
    pub fn try_look(&self) -> bool {
        if bug::marker_looks_into_held_locks() {
            return true;
        }
        let word = self.0.load(Relaxed);
        // Acquire: what the last holder did; partner: Release in `give`. Guarded by `lock::a_marker_and_holders_take_turns`.
        word & LOCKED == 0 && self.0.compare_exchange(word, word | LOCKED, ord::lock_look(), Relaxed).is_ok()
    }
    /// Marker: unlocks it.
    pub fn end_look(&self) {
        // Release: our reads end before the next holder writes; partner: Acquire in `try_take`. Guarded by the same model.
        self.0.fetch_and(!LOCKED, ord::lock_looked());
    }
    /// Whether it was locked a moment ago.
    pub fn is_locked_hint(&self) -> bool {
        self.0.load(Relaxed) & LOCKED != 0
    }
    /// Whether it was listed a moment ago.
    pub fn is_listed_hint(&self) -> bool {
        self.0.load(Relaxed) & LISTED != 0
    }
}

impl Default for LockWord {
    fn default() -> Self {
        Self::new()
    }
}
