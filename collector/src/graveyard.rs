//! The dead whose drop glue has not run: values, moved out of the heap.
//!
//! ```text
//!   found dead (pause, sweep) ──receive──▶ waiting ──next──▶ dropped, by a mutator outside every pause
//! ```
//!
//! A value's `Drop` is the embedder's code: it may take its time, block, or panic. So it runs where a mutator is parked,
//! in slices, and what a slice leaves waits for the next one.
//!
//! Y1  A value is in the list or dropped, never both: it leaves the list before its glue runs, and if that panics, no other
//!     value has left with it.
use crate::object::raw::Corpse;
use crate::owned::Owned;
use crate::sync::{Arc, AtomicU64, AtomicUsize, Mutex, Ordering::Relaxed};

/// Values that wait to be dropped.
pub(crate) struct Graveyard {
    /// Collections and sweeps push, mutators pop.
    corpses: Mutex<Vec<Corpse>>,
    /// How many there are. Written under the lock.
    waiting: AtomicUsize,
    /// How many were dropped, ever. Mutators add.
    dropped: AtomicU64,
    /// What living values own outside of the heap, and the dead until they are dropped.
    owned: Arc<Owned>,
}

impl Graveyard {
    /// None dead yet.
    pub(crate) fn new(owned: Arc<Owned>) -> Self {
        Self { corpses: Mutex::default(), waiting: AtomicUsize::new(0), dropped: AtomicU64::new(0), owned }
    }
    /// Takes a dead value in.
    pub(crate) fn receive(&self, corpse: Corpse) {
        let mut corpses = self.corpses.lock();
        corpses.push(corpse);
        self.waiting.store(corpses.len(), Relaxed);
    }
    /// Drops one value; false if there was none. Panics as its `Drop` does (Y1).
    pub(crate) fn drop_one(&self) -> bool {
        let mut corpses = self.corpses.lock();
        let Some(mut corpse) = corpses.pop() else { return false };
        self.waiting.store(corpses.len(), Relaxed);
        drop(corpses);
        self.dropped.fetch_add(1, Relaxed);
        // Measured while the value is whole, and subtracted even if its glue panics.
        self.owned.subtract(corpse.owned_bytes());
        corpse.bury();
        true
    }
    /// How many values wait, about.
    pub(crate) fn waiting_hint(&self) -> usize {
        self.waiting.load(Relaxed)
    }
    /// How many values were dropped, ever.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}
