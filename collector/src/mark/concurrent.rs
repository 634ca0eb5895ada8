//! Marking beside the program: helper jobs that come and go, and steps on mutators.
//!
//! ```text
//!                start (in a stop)            every marker ran dry
//!   Off ───────────────────────────▶ On ──────────────────────────────▶ On, dry ──▶ (finish, in a stop) ──▶ Off
//!                                    │ ▲                                   │
//!              quiesce (any stop)    ▼ │ resume                            │ a mutator published shaded objects
//!                                 On, quiet ◀──────────────────────────────┘ (jobs start again)
//! ```
//!
//! Q1  While the gate is closed no helper marks: a stop closes it first, and nobody holds a grey object privately then.
//! Q2  Mutators mark in steps of their own accord, between two safepoints, and publish before the step ends; a stopped
//!     world therefore has no marker at all.
//! Q3  Only old objects are on the worklist, and old objects move in no stop that marking lives through: a scavenge
//!     leaves the worklist as it is.
use crate::gate::Gate;
use crate::heap_core::Core;
use crate::mark::worker::{Drained, MarkWorker};
use crate::planted::bug;
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering::Relaxed};
use crate::workers::Helpers;

/// Tasks between two looks at whether to stop: a few microseconds.
const GRAIN: u32 = 32;

/// The helpers' side of concurrent marking.
pub(crate) struct Markers {
    gate: Gate,
    /// Told to go home by a stop. Written with the gate's state, read every [`GRAIN`] tasks.
    quiet: AtomicBool,
    /// Jobs that were started and have not ended. Starters add, jobs subtract.
    jobs: AtomicUsize,
    /// Marked bytes of this cycle, in old regions. Everyone who marks adds.
    bytes: AtomicUsize,
}

impl Markers {
    pub(crate) fn new() -> Self {
        Self {
            gate: Gate::new_closed(),
            quiet: AtomicBool::new(true),
            jobs: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }
    /// In a stop: sends helpers home and waits until they are; what they held is on the worklist.
    pub(crate) fn quiesce(&self) {
        if !self.quiet.swap(true, Relaxed) && !bug::marker_ignores_stop() {
            self.gate.close_and_wait();
        }
    }
    /// At the end of a stop: lets helpers mark again.
    pub(crate) fn resume(&self, core: &Arc<Core>, helpers: &Helpers) {
        if self.quiet.swap(false, Relaxed) {
            self.gate.open();
        }
        self.start_jobs(core, helpers);
    }
    /// Starts as many jobs as there are helpers, if there is work and they are not on it.
    pub(crate) fn start_jobs(&self, core: &Arc<Core>, helpers: &Helpers) {
        if !core.settings.concurrent_marking {
            return;
        }
        while self.jobs.load(Relaxed) < helpers.count() && !core.grey.is_empty_hint() {
            self.jobs.fetch_add(1, Relaxed);
            let core = core.clone();
            if !helpers.spawn(move || core.markers.job(&core)) {
                self.jobs.fetch_sub(1, Relaxed);
                return;
            }
        }
    }
    fn job(&self, core: &Arc<Core>) {
        if self.gate.enter() {
            let mut worker = MarkWorker::beside_mutators(core.clone());
            loop {
                let drained = worker.drain(GRAIN, || self.quiet.load(Relaxed));
                self.bytes.fetch_add(worker.hand_over().bytes, Relaxed);
                if drained == Drained::Stopped || core.grey.is_empty_hint() {
                    break;
                }
            }
            self.gate.leave();
        }
        self.jobs.fetch_sub(1, Relaxed);
    }
    /// Whether nobody seems to have work; the finishing stop finds out for sure.
    pub(crate) fn is_dry_hint(&self, core: &Core) -> bool {
        self.jobs.load(Relaxed) == 0 && core.grey.is_empty_hint()
    }
    /// Notes bytes that were marked outside the jobs.
    pub(crate) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
    }
    /// Bytes marked in this cycle; a hint while marking goes on.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }
    /// In a stop: a new cycle.
    pub(crate) fn reset_bytes(&self) {
        self.bytes.store(0, Relaxed);
    }
}
