#![expect(unsafe_code, reason = "roots are traced by address, which the stopped world vouches for")]
//! The roots of a stopped world: each mutator's structure and frames, and the heap's root slots.
use crate::driver::shared::Shared;
use crate::mutator::member::Member;
use crate::world::safepoint::Stopped;
use orinoco_collector::mark::worker::MarkWorker;
use orinoco_collector::mutator_local::MutatorLocal;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::EdgeList;
use orinoco_collector::roots::Roots;
use orinoco_collector::scavenge::worker::ScavengeWorker;

/// Every root of a heap whose world is stopped.
pub(crate) struct StoppedRoots<'a, 'w> {
    pub(crate) shared: &'a Shared,
    pub(crate) stopped: &'a Stopped<'w, Member>,
}

impl Roots for StoppedRoots<'_, '_> {
    fn mark(&self, v: &mut MarkWorker) {
        for member in self.stopped.mutators() {
            // SAFETY: `stopped` proves that the world is.
            unsafe { member.mark(v) }
        }
        self.shared.roots.mark(v);
    }
    fn relocate(&self, v: &mut ScavengeWorker, young_only: bool) {
        for member in self.stopped.mutators() {
            // SAFETY: `stopped` proves that the world is.
            unsafe { member.relocate(v, young_only) }
        }
        let collector = &self.shared.collector;
        self.shared.roots.relocate(v, young_only, |object| collector.is_young(object.addr()));
    }
    fn list(&self, v: &mut EdgeList<'_>) {
        for member in self.stopped.mutators() {
            // SAFETY: `stopped` proves that the world is.
            unsafe { member.list(v) }
        }
        self.shared.roots.mark(v);
    }
    fn pinned(&self, f: &mut dyn FnMut(ObjectRef)) {
        self.shared.roots.pinned(f);
    }
    fn locals(&self, f: &mut dyn FnMut(&MutatorLocal)) {
        self.stopped.mutators().for_each(|member| f(&member.cx().local));
    }
}
