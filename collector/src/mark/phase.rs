//! Marking in a pause, shared among workers until no grey object is left.
use crate::heap_core::Core;
use crate::mark::worker::{MarkWorker, Marked};
use crate::sync::{Arc, Mutex};
use crate::workers::Phase;
use crate::worklist::termination::{Outcome, Termination};

/// One stopped marking's shared state.
pub(crate) struct MarkPhase {
    core: Arc<Core>,
    termination: Termination,
    marked: Mutex<Marked>,
}

impl MarkPhase {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, termination: Termination::new(), marked: Mutex::default() }
    }
    /// Works until the phase is over; the worker has entered it.
    pub(crate) fn run(&self, worker: &mut MarkWorker) {
        loop {
            // Others may be hungry: look up often enough to share.
            worker.drain(64, || false);
            if self.termination.offer() {
                return;
            }
            if self.termination.idle_until(|| !self.core.grey.is_empty_hint()) == Outcome::Over {
                return;
            }
        }
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
            let mut worker = MarkWorker::new(self.core.clone(), false);
            self.run(&mut worker);
            self.report(worker.hand_over());
        }
    }
}
