//! Why a replay cannot be carried out. A replay that can, and finds a disagreement, is no error: its report says so.

use std::io;

use orinoco::{AllocError, Bytes, HeapError};
use thiserror::Error;

/// Why there is no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The graph would not fit; nothing was built.
    #[error("the graph needs about {needed}, the heap is limited to {limit}; --limit raises that")]
    TooLarge {
        /// An estimate of the graph's footprint.
        needed: Bytes,
        /// The heap's limit.
        limit: Bytes,
    },
    /// The heap cannot be made.
    #[error("there is no heap to run on")]
    Heap(#[source] HeapError),
    /// The heap is full of what is alive.
    #[error("the heap is full, and a full collection does not help")]
    Full(#[source] AllocError),
    /// The operating system refuses a thread.
    #[error("a mutator thread cannot be started")]
    Spawn(#[source] io::Error),
    /// A mutator thread panicked; the panic's own message stands before this one.
    #[error("a mutator thread panicked: {0}")]
    Panicked(String),
}
