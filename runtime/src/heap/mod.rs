//! `Heap`: the embedder's face.
pub(crate) mod active;
pub mod attached;
pub mod finalizing;
pub mod mutator;

use crate::driver::caretaker::Kept;
use crate::driver::idle::{IdleWork, idle_until};
use crate::driver::safepoint::collect_from_outside;
use crate::driver::shared::Shared;
use crate::heap::active::is_active;
use crate::heap::attached::Attached;
use crate::heap::mutator::Mutator;
use crate::trace::{Rebind, Trace};
use orinoco_collector::collector::{Cause, Pressure};
use orinoco_collector::config::{HeapConfig, Settings};
use orinoco_collector::error::HeapError;
use orinoco_collector::statistics::{MemoryUsage, Statistics};
use orinoco_collector::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// A heap that many threads share. Cloning it gives another handle of the same heap; there may be many heaps in a process.
#[derive(Clone)]
pub struct Heap {
    shared: Arc<Kept>,
}

impl Heap {
    /// A heap as configured.
    ///
    /// # Errors
    /// [`HeapError`] says which setting is out of range, or what the operating system refused.
    pub fn new(config: HeapConfig) -> Result<Self, HeapError> {
        Ok(Self { shared: Arc::new(Kept::new(Shared::new(&config)?)?) })
    }
    pub(crate) fn from_shared(shared: Arc<Kept>) -> Self {
        Self { shared }
    }
    /// A parked mutator with its roots, which are written with `'static` for the collector lifetime: `Vm<'static>`.
    /// [`Attached::run`] runs it.
    pub fn attach<R: Trace + Rebind<At<'static> = R> + 'static>(&self, roots: R) -> Attached<R> {
        Attached::new(self.shared.clone(), roots)
    }
    /// Runs a mutator on this thread for the length of `f`: `attach(roots).run(f)`.
    ///
    /// # Panics
    /// As [`Attached::run`].
    pub fn enter<R, O>(&self, roots: R, f: impl FnOnce(&mut Mutator<R>) -> O) -> O
    where
        R: Trace + Rebind<At<'static> = R> + 'static,
    {
        self.attach(roots).run(f)
    }
    /// Memory at one glance: resident set, regions in use, bytes in them. Stops nobody; any thread may ask.
    pub fn memory_usage(&self) -> MemoryUsage {
        self.shared.collector.memory_usage()
    }
    /// The heap's figures, at any time.
    pub fn statistics(&self) -> Statistics {
        self.shared.collector.statistics()
    }
    /// Says that memory is wanted back, from any thread, and returns soon. Under [`Pressure::Moderate`] a collection beside
    /// the program begins; under [`Pressure::Critical`] the next stop is a whole collection. What they free goes back to the
    /// system. Mutators that run are brought to their next safepoint; where none runs the caretaker does it, or, on a heap
    /// without helpers, this call.
    pub fn pressure(&self, level: Pressure) {
        let shared: &Shared = &self.shared;
        shared.collector.press(level);
        shared.world.for_each_unless_stopping(|seat| {
            if !seat.is_parked_hint() {
                seat.occupant().cx().poll.store(true, Ordering::Relaxed);
            }
        });
        if shared.collector.settings().is_tended() {
            shared.bell.ring();
        } else if !is_active()
            && let Some(kind) = shared.collector.quiet_kind()
        {
            collect_from_outside(shared, kind, Cause::Pressure);
        }
    }
    /// Does useful work until `deadline`, or until nothing is left to do: drops what has died, sweeps, marks, collects a heap
    /// that has grown, gives memory back. For threads that have time and run no mutator; a mutator has
    /// [`Mutator::idle_until`]. A stop is begun only if the longest that a stop may be still fits, and waits for mutators
    /// that run; everything else is cut short at the deadline.
    ///
    /// A heap without helpers shrinks in this way only.
    ///
    /// # Panics
    /// When this thread runs a mutator that is not parked; and with whatever the `Drop` of a dead object panics.
    pub fn idle_until(&self, deadline: Instant) -> IdleWork {
        assert!(!is_active(), "this thread runs a mutator; call the mutator's own `idle_until`");
        idle_until(&self.shared, deadline)
    }
    /// The settings that the heap was made with, checked.
    pub fn settings(&self) -> &Settings {
        self.shared.collector.settings()
    }
    /// How many mutators are attached at this moment; one counts from its first turn.
    pub fn mutators(&self) -> usize {
        self.shared.world.len()
    }
}

// A panic in a turn leaves the heap whole: it unwinds out of `run`, which parks the mutator, or out of drop glue, after the
// pause. A panic inside a pause aborts.
impl std::panic::UnwindSafe for Heap {}
impl std::panic::RefUnwindSafe for Heap {}

impl std::fmt::Debug for Heap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heap").field("id", &self.shared.id).finish_non_exhaustive()
    }
}
