//! Marking beside the program: [`Jobs`] of the heap's helpers, over its own list of grey objects.
//!
//! Q1 and Q2 are those of [`jobs`](crate::mark::jobs).
//!
//! Q3  Mutators mark in steps of their own accord, between two safepoints, and publish before the step ends; a stopped
//!     world therefore has no marker at all.
//! Q4  Only old objects are on the worklist, and old objects move in no stop that marking lives through: a scavenge
//!     leaves the worklist as it is.
use crate::heap_core::Core;
use crate::mark::jobs::{Jobs, Marking};
use crate::mark::worker::{Drained, MarkWorker};
use crate::sync::Arc;
use crate::workers::Helpers;
use std::time::Instant;

/// Tasks between two looks at whether to stop: a few microseconds.
const GRAIN: u32 = 32;

impl Marking for MarkWorker {
    fn mark_until(&mut self, told: impl FnMut() -> bool) -> bool {
        self.drain(GRAIN, told) == Drained::Dry
    }
    fn hand_over(&mut self) -> usize {
        self.hand_over().bytes
    }
}

/// A marker that has no more time than that.
struct Until(MarkWorker, Instant);

impl Marking for Until {
    fn mark_until(&mut self, mut told: impl FnMut() -> bool) -> bool {
        let deadline = self.1;
        self.0.mark_until(|| told() || Instant::now() >= deadline)
    }
    fn hand_over(&mut self) -> usize {
        Marking::hand_over(&mut self.0)
    }
}

/// The helpers' side of concurrent marking.
pub(crate) struct Markers(Jobs);

impl Markers {
    pub(crate) fn new() -> Self {
        Self(Jobs::new())
    }
    /// In a stop: sends helpers home and waits until they are; what they held is on the worklist.
    pub(crate) fn quiesce(&self) {
        self.0.quiesce();
    }
    /// At the end of a stop: lets helpers mark again.
    pub(crate) fn resume(&self, core: &Arc<Core>, helpers: &Helpers) {
        self.0.resume();
        self.start_jobs(core, helpers);
    }
    /// Starts as many jobs as there are helpers, if there is work and they are not on it.
    pub(crate) fn start_jobs(&self, core: &Arc<Core>, helpers: &Helpers) {
        if !core.settings.concurrent_marking {
            return;
        }
        while !core.grey.is_empty_hint() && self.0.admit(helpers.count()) {
            let core = core.clone();
            let started = helpers.spawn(move || {
                let jobs = &core.markers.0;
                jobs.run(|| MarkWorker::beside_mutators(core.clone()), || !core.grey.is_empty_hint());
                jobs.end();
            });
            if !started {
                self.0.end();
                return;
            }
        }
    }
    /// Marks on this thread until nothing is left, `deadline`, or a stop: as one more helper.
    pub(crate) fn mark_here(&self, core: &Arc<Core>, deadline: Instant) {
        if self.0.admit(usize::MAX) {
            let begin = || Until(MarkWorker::beside_mutators(core.clone()), deadline);
            self.0.run(begin, || !core.grey.is_empty_hint());
            self.0.end();
        }
    }
    /// Whether nobody seems to have work; the finishing stop finds out for sure.
    pub(crate) fn is_dry_hint(&self, core: &Core) -> bool {
        self.0.is_idle_hint() && core.grey.is_empty_hint()
    }
    /// Notes bytes that were marked outside the jobs.
    pub(crate) fn add_bytes(&self, bytes: usize) {
        self.0.add_bytes(bytes);
    }
    /// Bytes marked in this cycle; a hint while marking goes on.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }
    /// In a stop: a new cycle.
    pub(crate) fn reset_bytes(&self) {
        self.0.reset_bytes();
    }
}
