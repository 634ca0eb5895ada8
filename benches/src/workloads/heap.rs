//! The heap that the workloads run on: one configuration for all of them.
//!
//! What can be changed from outside is what a user would change for a whole program (its budget, its helpers) or
//! for a test of the collector (zeal, verification), never a setting that fits one workload.

use anyhow::Result;
use orinoco::{Heap, Options};

/// Departures from the default configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapOptions {
    /// Hard limit in bytes.
    pub limit: Option<usize>,
    /// Nursery in bytes.
    pub nursery: Option<usize>,
    /// Collect at every safepoint.
    pub zeal: bool,
}

/// Opens a heap.
///
/// # Errors
/// If the configuration is out of range, or its address space cannot be reserved.
pub fn open(options: &HeapOptions) -> Result<Heap> {
    let default = Options { limit: usize::MAX, ..Options::default() };
    Ok(Heap::with_options(Options {
        limit: options.limit.unwrap_or(default.limit),
        young: options.nursery.unwrap_or(default.young),
        stress: options.zeal,
        ..default
    }))
}
