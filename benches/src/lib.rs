//! The programs that run on the heap: a snapshot reader, the replay of real heap graphs, and the shared workloads.
//!
//! They are a library so that the command-line program, the Criterion benches and the tests drive the same code.

pub mod cli;
pub mod operations;
pub mod pauses;
pub mod replay;
pub mod snapshot;
pub mod workloads;
