//! What refers to the dead is cleared in slices, over as many stops as that takes.
//!
//! ```text
//!   marked, dry ──stop──▶ Clearing ──stop──▶ Clearing ──stop──▶ … ──stop, nothing left──▶ sweeping
//!                         a slice            a slice                the rest
//! ```
//!
//! In between the program runs, with barriers and scavenges as while marking, and marks are final when clearing begins. For
//! what is marked, and what the scavenge of that stop took for alive (dead hosts and dead keys that keep something young
//! included), has shown what it refers to: it leads to nothing white. Later scavenges take no more for alive than that, and
//! what was made since. The one door to the white is a reference that keeps nothing, and it is shut by asking for the mark.
//! The verifier sees to it that no marker finds anything while clearing is on (V7).
//!
//! L1  From the beginning of clearing on, whoever follows a weak reference to an old object that is not marked finds nothing,
//!     whether the reference was cleared yet or not: a target dies for all at once.
//! L2  The dead are intact until nothing refers to them: no region is swept, and no cycle or whole collection begins, before
//!     clearing has ended.
//! L3  Containers on the list are old, and old objects move in no stop of a cycle: the list stays true between two slices.
use crate::planted::bug;
use crate::sync::{AtomicBool, Mutex, Ordering::Relaxed};
use std::collections::VecDeque;

/// The containers of a heap that are still to be cleared, and whether clearing is on.
pub struct Clearing<C> {
    /// Changes in stops, read by anybody: the stop orders it.
    on: AtomicBool,
    /// Containers, and the entry to go on with. Touched in stops.
    left: Mutex<VecDeque<(C, usize)>>,
}

impl<C> Default for Clearing<C> {
    fn default() -> Self {
        Self { on: AtomicBool::new(false), left: Mutex::new(VecDeque::new()) }
    }
}

impl<C: Copy> Clearing<C> {
    /// In a stop, with everything marked that will be: clearing is on. False if it was already.
    pub fn begin(&self) -> bool {
        !self.on.swap(true, Relaxed)
    }
    /// Whether clearing is on.
    pub fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }
    /// Whether an old target, found through a weak reference, is dead (L1).
    #[inline]
    pub fn is_dead(&self, is_marked: impl FnOnce() -> bool) -> bool {
        // Guarded by `weak::a_target_dies_for_all_at_once`.
        self.is_on() && !bug::weak_look_ignores_marks() && !is_marked()
    }
    /// In a stop: these are to be cleared too.
    pub fn add(&self, containers: impl IntoIterator<Item = C>) {
        self.left.lock().extend(containers.into_iter().map(|container| (container, 0)));
    }
    /// In a stop: clears slice after slice, one at least, until `enough` says so. `slice` says where a container's next one
    /// begins, if it has one. Whether nothing is left.
    #[must_use]
    pub fn advance(&self, mut slice: impl FnMut(C, usize) -> Option<usize>, mut enough: impl FnMut() -> bool) -> bool {
        let mut left = self.left.lock();
        while let Some((container, from)) = left.pop_front() {
            if let Some(next) = slice(container, from) {
                left.push_front((container, next));
            }
            if enough() {
                // Guarded by `weak::what_is_not_cleared_is_not_swept`.
                return left.is_empty() || bug::sweep_begins_before_clearing_ends();
            }
        }
        true
    }
    /// In a stop, before sweeping begins: clearing is off.
    pub fn end(&self) {
        self.on.store(false, Relaxed);
    }
}
