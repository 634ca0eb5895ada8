//! `Heap`: the embedder's face.
pub(crate) mod active;
pub mod attached;
pub mod finalizing;
pub mod mutator;

use crate::driver::caretaker::Kept;
use crate::driver::shared::Shared;
use crate::heap::attached::Attached;
use crate::heap::mutator::Mutator;
use crate::trace::{Rebind, Trace};
use orinoco_collector::config::{HeapConfig, Settings};
use orinoco_collector::error::HeapError;
use orinoco_collector::statistics::{MemoryUsage, Statistics};
use orinoco_collector::sync::Arc;

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
