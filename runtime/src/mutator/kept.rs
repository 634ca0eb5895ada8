//! What a turn has seen through weak references: it stays alive to the turn's end.
//!
//! ```text
//!   upgrade ──▶ met lately? ──no──▶ listed ──turn's end──▶ forgotten
//!                                    └ a root: marked, moved, at every collection until then
//! ```
//!
//! A program that asks twice within one turn gets one answer (the kept-alive list of ECMAScript, WeakRefs). So what was
//! seen needs no root of its own to be seen again after a safepoint.
//!
//! H1  The list is touched as C2 says: by its mutator while it runs, by the leader while the world is stopped.
//! H2  Entries before `settled` are old: a young collection need not look at them. Only the leader moves the line up.
//! H3  A target is listed about once: twice the number of targets, and a few, is the most there can be.
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::planted::bug;
use std::cell::{Cell, RefCell};

/// Targets recognised without a look at the list.
const RECENT: usize = 64;
/// The list's length when it is first searched for repetitions.
const FEW: usize = 1024;

/// The kept-alive list of one mutator.
pub(crate) struct KeptAlive {
    /// H1.
    list: RefCell<Vec<ObjectRef>>,
    /// H2.
    settled: Cell<usize>,
    /// The length at which repetitions are searched for next.
    crowded: Cell<usize>,
    /// Addresses of targets listed lately, by a few bits of the address; 0 for none.
    recent: [Cell<usize>; RECENT],
}

impl Default for KeptAlive {
    fn default() -> Self {
        Self {
            list: RefCell::default(),
            settled: Cell::new(0),
            crowded: Cell::new(FEW),
            recent: std::array::from_fn(|_| Cell::new(0)),
        }
    }
}

impl KeptAlive {
    /// Keeps `target` to the end of the turn.
    #[inline]
    pub(crate) fn keep(&self, target: ObjectRef) {
        let seen = &self.recent[target.addr() / 16 % RECENT];
        if seen.replace(target.addr()) != target.addr() {
            self.keep_slow(target);
        }
    }
    fn keep_slow(&self, target: ObjectRef) {
        if bug::turn_keeps_nothing() {
            return;
        }
        let mut list = self.list.borrow_mut();
        list.push(target);
        if list.len() >= self.crowded.get() {
            // H3. The order goes, and with it what is known of ages.
            list.sort_unstable();
            list.dedup();
            self.settled.set(0);
            self.crowded.set(FEW.max(2 * list.len()));
        }
    }
    /// The turn is over.
    pub(crate) fn forget(&self) {
        let mut list = self.list.borrow_mut();
        if list.is_empty() {
            return;
        }
        list.clear();
        list.shrink_to(FEW);
        self.settled.set(0);
        self.crowded.set(FEW);
        self.forget_recent();
    }
    fn forget_recent(&self) {
        self.recent.iter().for_each(|seen| seen.set(0));
    }
    /// In a stop: shows every target.
    pub(crate) fn list(&self, show: impl FnMut(ObjectRef)) {
        self.list.borrow().iter().copied().for_each(show);
    }
    /// In a stop: moves the targets, all of them or those that are not settled. `is_young` is asked of where they went.
    pub(crate) fn relocate(
        &self,
        young_only: bool,
        mut forward: impl FnMut(ObjectRef) -> ObjectRef,
        is_young: impl Fn(ObjectRef) -> bool,
    ) {
        let mut list = self.list.borrow_mut();
        let first = if young_only { self.settled.get() } else { 0 };
        let mut settled = first;
        for i in first..list.len() {
            list[i] = forward(list[i]);
            if !is_young(list[i]) {
                list.swap(i, settled);
                settled += 1;
            }
        }
        self.settled.set(settled);
        // Addresses mean something else now.
        self.forget_recent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::{NonNull, without_provenance_mut};

    #[expect(unsafe_code, reason = "an address stands for an object that nobody looks at")]
    fn object(addr: usize) -> ObjectRef {
        // SAFETY: never followed.
        unsafe { ObjectRef::from_start(NonNull::new(without_provenance_mut(addr)).expect("not null")) }
    }

    fn len(kept: &KeptAlive) -> usize {
        kept.list.borrow().len()
    }

    #[test]
    fn a_target_that_is_seen_a_million_times_is_listed_about_once() {
        let kept = KeptAlive::default();
        for i in 0..1_000_000 {
            // Two targets that meet in one place of the filter, and a third.
            kept.keep(object(0x10_000 + [0, 16 * RECENT, 8 * 16][i % 3]));
        }
        assert!(len(&kept) <= 2 * FEW, "{} entries for three targets", len(&kept));
        kept.forget();
        assert_eq!(len(&kept), 0);
    }

    #[test]
    fn a_young_collection_looks_at_what_is_not_known_to_be_old() {
        let kept = KeptAlive::default();
        (1..=10).for_each(|i| kept.keep(object(i * 16)));
        let looked = |young_only| {
            let count = Cell::new(0);
            let forward = |o| {
                count.set(count.get() + 1);
                o
            };
            kept.relocate(young_only, forward, |o| o.addr() > 5 * 16);
            count.get()
        };
        assert_eq!((looked(true), looked(true), looked(false), looked(true)), (10, 5, 10, 5));
    }

    #[test]
    fn a_target_that_moved_is_recognised_by_its_new_address_only() {
        let kept = KeptAlive::default();
        kept.keep(object(64));
        kept.relocate(true, |_| object(4096), |_| true);
        kept.keep(object(64));
        kept.keep(object(64));
        assert_eq!(len(&kept), 2, "another object lies where the first one was");
    }
}
