//! The slow halves of the write barrier: what a store into an old object leaves behind.
//!
//! ```text
//!   old host ◀── reference to ──┬── young:      remember the place, once    (generational)
//!                               ├── candidate:  the same                    (see `compact`)
//!                               └── old:        shade it, if marking        (insertion; Dijkstra et al. 1978)
//! ```
//!
//! W1  Every old place that refers to something young, or that was made to refer to a candidate, has its bit in the remembered bitmap and an entry in a list,
//!     or lies in an object (or slice) that has an entry.
//! W2  While marking, a reference that was stored into an old object has been shaded by its writer before the writer's
//!     next safepoint.
use crate::compact::records::stored;
use crate::heap_core::Core;
use crate::mark::shade::{be_born, hand_over, shade};
use crate::mutator_local::{MutatorLocal, Remembered};
use crate::object::raw::{ObjectRef, PlacePtr};
use crate::object::task::Task;
use crate::object::trace::{PlaceOps, list_edges};
use crate::planted::bug;
use crate::zeal::delay;

/// How far back a repeated bulk store is recognised.
const RECENT: usize = 8;

/// Remembers part of an object, unless that was just done: bulk stores come in loops.
fn remember_task(local: &MutatorLocal, task: Task) {
    let mut list = local.remembered.borrow_mut();
    let known = list.iter().rev().take(RECENT).any(|r| matches!(r, Remembered::Object(t) if *t == task));
    if !known {
        list.push(Remembered::Object(task));
    }
}

impl Core {
    /// After `target` was stored at `slot`, where the fast path could not tell that nothing is to be done.
    pub(crate) fn after_store(&self, local: &MutatorLocal, slot: *mut u8, target: ObjectRef, ops: &'static PlaceOps) {
        delay(&self.settings.zeal);
        let pool = &self.spaces.pool;
        // A slot on the Rust stack aliases some entry of the barrier table; it is nobody's edge.
        if !pool.contains(slot.addr()) || !pool.table.kind_at(slot.addr()).is_old() {
            return;
        }
        let kind = pool.table.kind_at(target.addr());
        stored(kind.is_young(), kind.is_candidate(), || self.remember(local, slot, ops));
        if !kind.is_young() {
            self.shade_stored(local, target, || self.is_host_marked(PlacePtr(slot)));
        }
    }
    /// Whether an old object that refers to `target` is to be remembered; one that is not young is shaded.
    fn is_watched(&self, local: &MutatorLocal, target: ObjectRef) -> bool {
        let kind = self.spaces.pool.table.kind_at(target.addr());
        let mut watched = false;
        stored(kind.is_young(), kind.is_candidate(), || watched = true);
        if !kind.is_young() {
            self.shade(local, target);
        }
        watched
    }
    /// Puts an old place into the remembered set, unless it is there.
    pub(crate) fn remember(&self, local: &MutatorLocal, place: *mut u8, ops: &'static PlaceOps) {
        let pool = &self.spaces.pool;
        if bug::barrier_forgets_young() {
            return;
        }
        if pool.remembered().try_mark(pool.bit(place.addr())) {
            // The collector's own provenance, not that of the `&self` the place was reached through.
            let place = PlacePtr(pool.rederive(place.addr()));
            local.remembered.borrow_mut().push(Remembered::Place(place, ops));
        }
    }
    /// Turns an old object grey while marking: its bit, and a place on this mutator's list.
    pub(crate) fn shade(&self, local: &MutatorLocal, target: ObjectRef) {
        self.shade_stored(local, target, || true);
    }
    fn shade_stored(&self, local: &MutatorLocal, target: ObjectRef, host_is_black: impl FnOnce() -> bool) {
        let pool = &self.spaces.pool;
        if local.marking.get() && pool.table.kind_at(target.addr()).is_old() {
            let list = || local.shaded.borrow_mut().push(target);
            shade(pool.marks(), pool.bit(target.addr()), host_is_black, list);
        }
    }
    /// After references were written into elements `from..to` of an array by other means than its slots.
    pub(crate) fn after_range(&self, local: &MutatorLocal, array: ObjectRef, from: usize, to: usize) {
        let pool = &self.spaces.pool;
        if from >= to || !pool.table.kind_at(array.addr()).is_old() {
            return;
        }
        let info = array.info();
        let mut task = Task::holding(array, info, from);
        loop {
            let mut watched = false;
            task.list(info, &mut |target| {
                let young = pool.table.kind_at(target.addr()).is_young();
                if !(young && bug::range_forgets_young() || !young && bug::range_forgets_shade()) {
                    watched |= self.is_watched(local, target);
                }
            });
            if watched {
                remember_task(local, task);
            }
            match task.next() {
                Some(rest) if rest.elements(info).0 < to => task = rest,
                _ => return,
            }
        }
    }
    /// After a large object was born old.
    pub(crate) fn after_birth(&self, local: &MutatorLocal, object: ObjectRef) {
        if !local.marking.get() {
            return self.show_references(local, object);
        }
        let pool = &self.spaces.pool;
        be_born(pool.marks(), pool.bit(object.addr()), || self.show_references(local, object));
    }
    /// As if each reference of an old object had just been stored there.
    fn show_references(&self, local: &MutatorLocal, object: ObjectRef) {
        let info = object.info();
        if info.element_bytes != 0 {
            self.after_range(local, object, 0, object.array_length());
        } else {
            let mut watched = false;
            list_edges(object, &mut |target| watched |= self.is_watched(local, target));
            if watched {
                local.remembered.borrow_mut().push(Remembered::Object(Task::first(object, info)));
            }
        }
    }
    /// Puts objects that were shaded (their bits are set) where every marker finds them.
    pub(crate) fn publish_shaded(&self, shaded: impl IntoIterator<Item = ObjectRef>) {
        // Not looked at: their headers are cold, and this may be a pause.
        hand_over(shaded.into_iter().map(Task::unseen), &self.grey);
    }
}
