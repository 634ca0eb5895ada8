//! The heap that the workloads run on: one configuration for all of them, and that is the library's own.
//!
//! What can be changed from outside is what a user would change for a whole program (its budget, its helpers) or
//! for a test of the collector (zeal, verification), never a setting that fits one workload.

use std::sync::Arc;
use std::time::Duration;

use orinoco::{Bytes, Heap, HeapConfig, HeapError, Observer, Zeal};

/// Departures from the default configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapOptions {
    /// Hard limit in bytes.
    pub limit: Option<usize>,
    /// Nursery in bytes.
    pub nursery: Option<usize>,
    /// Threads that help in collections.
    pub helpers: Option<usize>,
    /// Collect at every safepoint.
    pub zeal: Zeal,
    /// Walk and check the heap before and after every phase.
    pub verify: bool,
    /// Techniques that are left out.
    pub without: Without,
}

/// Techniques of the collector that can be left out, to see what each of them is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without {
    /// Helpers do not mark while mutators run.
    pub concurrent_marking: bool,
    /// Mutators do not mark in steps.
    pub incremental_marking: bool,
    /// Helpers do not share young collections.
    pub parallel_scavenge: bool,
}

/// Opens a heap.
///
/// # Errors
/// If an option is out of range, or the system refuses address space or threads.
pub fn open(options: &HeapOptions) -> Result<Heap, HeapError> {
    Heap::new(config(options))
}

/// Opens a heap that tells `observer` of its stops.
///
/// # Errors
/// As [`open`].
pub fn open_watched(options: &HeapOptions, observer: Arc<dyn Observer>) -> Result<Heap, HeapError> {
    Heap::new(config(options).observer(observer))
}

fn config(options: &HeapOptions) -> HeapConfig {
    let mut config = HeapConfig::new()
        .zeal(options.zeal)
        .verify(options.verify)
        .concurrent_marking(!options.without.concurrent_marking)
        .incremental_marking(!options.without.incremental_marking)
        .parallel_scavenge(!options.without.parallel_scavenge);
    if let Some(limit) = options.limit {
        config = config.limit(Bytes::new(limit));
    }
    if let Some(nursery) = options.nursery {
        config = config.nursery(Bytes::new(nursery));
    }
    if let Some(helpers) = options.helpers {
        config = config.helpers(helpers);
    }
    config
}

/// All stops of all mutators, as the heap itself has measured them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stops {
    /// How many.
    pub count: u64,
    /// The longest.
    pub longest: Duration,
    /// All together.
    pub total: Duration,
}

impl Stops {
    /// Those of `heap` up to now.
    pub fn of(heap: &Heap) -> Self {
        heap.statistics().stops.iter().fold(Self::default(), |all, (_, stops)| Self {
            count: all.count + stops.count,
            longest: all.longest.max(stops.max),
            total: all.total + stops.total,
        })
    }
}
