#![expect(unsafe_code, reason = "a context is shared with the leader of a stop, who touches it under the rules of C2")]
//! What the world keeps for each mutator, and how the collector sees a stopped one.
use crate::mutator::cx::Cx;
use orinoco_collector::mark::worker::MarkWorker;
use orinoco_collector::object::trace::{EdgeList, Marker, Mover};
use orinoco_collector::planted::bug;
use orinoco_collector::scavenge::worker::ScavengeWorker;
use orinoco_collector::sync::Ordering;

/// One mutator, as the world's registry holds it.
pub struct Member {
    cx: Cx,
}

// SAFETY: C2 names the one thread that may touch what is not atomic. The roots behind the context's pointer are traced by
// the leader in a stop, which reads and writes references only, and are dropped by their owner.
unsafe impl Send for Member {}
// SAFETY: as for `Send`.
unsafe impl Sync for Member {}

impl Member {
    pub(crate) fn new(cx: Cx) -> Self {
        Self { cx }
    }
    #[inline(always)]
    pub(crate) fn cx(&self) -> &Cx {
        &self.cx
    }
    /// Asks the mutator to come to a safepoint.
    pub(crate) fn ask(&self) {
        let now = u64::try_from(self.cx.born.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        self.cx.asked_at.store(now, Ordering::Relaxed);
        self.cx.poll.store(true, Ordering::Relaxed);
    }
    /// Marks what the mutator's roots and frames refer to, and what its turn has seen.
    ///
    /// # Safety
    /// The world is stopped.
    pub(crate) unsafe fn mark(&self, v: &mut MarkWorker) {
        let roots = self.cx.roots.get();
        if !roots.is_null() {
            // SAFETY: F1 and F2, by the caller's promise.
            unsafe { (self.cx.root_ops.mark)(roots, v) }
        }
        let mut frame = self.cx.frames.get();
        while !frame.is_null() {
            // SAFETY: F1 and F2; a listed frame is alive.
            frame = unsafe {
                ((*frame).ops.mark)((*frame).data, v);
                (*frame).prev
            };
        }
        self.cx.kept.list(|target| v.edge(target));
    }
    /// Moves what the mutator's roots and frames refer to, and what its turn has seen; with `young_only`, of the latter
    /// what is not known to be old.
    ///
    /// # Safety
    /// The world is stopped.
    pub(crate) unsafe fn relocate(&self, v: &mut ScavengeWorker, young_only: bool) {
        let roots = self.cx.roots.get();
        if !roots.is_null() {
            // SAFETY: F1 and F2, by the caller's promise.
            unsafe { (self.cx.root_ops.relocate)(roots, v) }
        }
        let mut frame = if bug::frames_are_skipped() { std::ptr::null() } else { self.cx.frames.get() };
        while !frame.is_null() {
            // SAFETY: F1 and F2; a listed frame is alive.
            frame = unsafe {
                ((*frame).ops.relocate)((*frame).data, v);
                (*frame).prev
            };
        }
        let collector = self.cx.collector();
        self.cx.kept.relocate(young_only, |target| v.forward(target), |target| collector.is_young(target.addr()));
    }
    /// Lists what the mutator's roots and frames refer to, and what its turn has seen.
    ///
    /// # Safety
    /// The world is stopped.
    pub(crate) unsafe fn list(&self, v: &mut EdgeList<'_>) {
        let roots = self.cx.roots.get();
        if !roots.is_null() {
            // SAFETY: F1 and F2, by the caller's promise.
            unsafe { (self.cx.root_ops.list)(roots, v) }
        }
        let mut frame = self.cx.frames.get();
        while !frame.is_null() {
            // SAFETY: F1 and F2; a listed frame is alive.
            frame = unsafe {
                ((*frame).ops.list)((*frame).data, v);
                (*frame).prev
            };
        }
        self.cx.kept.list(|target| v.edge(target));
    }
}
