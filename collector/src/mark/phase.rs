//! Marking in a pause, shared among workers until no grey object is left, or until time is up.
use crate::heap_core::Core;
use crate::mark::worker::{Drained, MarkWorker, Marked};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering::Relaxed};
use crate::workers::Phase;
use crate::worklist::termination::{Outcome, Termination};
use std::time::Instant;

/// Tasks between two looks at the clock.
const GRAIN: u32 = 64;

/// One stopped marking's shared state.
pub(crate) struct MarkPhase {
    core: Arc<Core>,
    follow_young: bool,
    /// When to leave the rest to the concurrent phase.
    deadline: Option<Instant>,
    late: AtomicBool,
    termination: Termination,
    marked: Mutex<Marked>,
}

impl MarkPhase {
    pub(crate) fn new(core: Arc<Core>, follow_young: bool, deadline: Option<Instant>) -> Self {
        Self {
            core,
            follow_young,
            deadline,
            late: AtomicBool::new(false),
            termination: Termination::new(),
            marked: Mutex::default(),
        }
    }
    /// Works until the phase is over; the worker has entered it.
    pub(crate) fn run(&self, worker: &mut MarkWorker) {
        loop {
            let drained = worker.drain(GRAIN, || self.is_late());
            let over = drained == Drained::Stopped;
            if self.termination.offer() || over {
                return;
            }
            if self.termination.idle_until(|| !self.core.grey.is_empty_hint()) == Outcome::Over {
                return;
            }
        }
    }
    fn is_late(&self) -> bool {
        let Some(deadline) = self.deadline else { return false };
        if self.late.load(Relaxed) {
            return true;
        }
        let late = Instant::now() >= deadline;
        if late {
            self.late.store(true, Relaxed);
        }
        late
    }
    /// A worker leaves.
    pub(crate) fn report(&self, marked: Marked) {
        *self.marked.lock() += marked;
    }
    /// What all who left have marked.
    pub(crate) fn total(&self) -> Marked {
        *self.marked.lock()
    }
}

impl Phase for MarkPhase {
    fn help(self: &Arc<Self>) {
        if self.termination.enter() {
            self.core.spaces.pool.trap.spring_in_helper();
            let mut worker = MarkWorker::in_stop(self.core.clone(), self.follow_young);
            self.run(&mut worker);
            self.report(worker.hand_over());
        }
    }
}
