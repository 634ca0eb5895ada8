//! The dead whose drop glue has not run: values, moved out of the heap.
//!
//! ```text
//!   found dead (pause, sweep) ──receive──▶ waiting ──next──▶ dropped, by a mutator outside every pause
//! ```
//!
//! A value's `Drop` is the embedder's code: it may take its time, block, or panic. So it runs where a mutator is parked,
//! in slices, and what a slice leaves waits for the next one.
//!
//! Y1  A value is in a grave or dropped, never both: it leaves the grave before its glue runs, and if that panics, no other
//!     value has left with it.
use crate::object::grave::{Corpse, Grave};
use crate::owned::Owned;
use crate::sync::{Arc, AtomicU64, AtomicUsize, Mutex, Ordering::Relaxed};

/// Values that wait to be dropped.
pub(crate) struct Graveyard {
    /// Collections and sweeps push to the last, mutators pop from there. None is empty but, perhaps, the last.
    graves: Mutex<Vec<Grave>>,
    /// How many values there are. Written under the lock.
    waiting: AtomicUsize,
    /// How many were dropped, ever. Mutators add.
    dropped: AtomicU64,
    /// What living values own outside of the heap, and the dead until they are dropped.
    owned: Arc<Owned>,
}

impl Graveyard {
    /// None dead yet.
    pub(crate) fn new(owned: Arc<Owned>) -> Self {
        Self { graves: Mutex::default(), waiting: AtomicUsize::new(0), dropped: AtomicU64::new(0), owned }
    }
    /// Takes a dead value in.
    pub(crate) fn receive(&self, corpse: Corpse) {
        let mut graves = self.graves.lock();
        let full = match graves.last_mut() {
            Some(grave) => grave.receive(corpse).err(),
            None => Some(corpse),
        };
        if let Some(corpse) = full {
            let mut grave = Grave::around(&corpse);
            let taken = grave.receive(corpse).is_ok();
            debug_assert!(taken, "it was made large enough");
            graves.push(grave);
        }
        self.waiting.store(self.waiting.load(Relaxed) + 1, Relaxed);
    }
    /// Drops values until `enough`; false if there were not as many. Panics as their `Drop` does (Y1).
    pub(crate) fn drop_until(&self, mut enough: impl FnMut() -> bool) -> bool {
        let mut one = Grave::default();
        while !enough() {
            if !self.take_one(&mut one) {
                return false;
            }
            self.dropped.fetch_add(1, Relaxed);
            // Measured while the value is whole, and subtracted even if its glue panics.
            one.drop_one(|owned| self.owned.subtract(owned));
        }
        true
    }
    fn take_one(&self, one: &mut Grave) -> bool {
        let mut graves = self.graves.lock();
        loop {
            let Some(last) = graves.last_mut() else { return false };
            if last.pass_one(one) {
                self.waiting.store(self.waiting.load(Relaxed) - 1, Relaxed);
                return true;
            }
            graves.pop();
        }
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
