//! The programs that run on the heap: a snapshot reader, the replay of real heap graphs, the shared workloads, and
//! the scenarios that try to break it.
//!
//! They are a library so that the command-line program, the Criterion benches and the tests drive the same code.

pub mod cli;
pub mod operations;
pub mod pauses;
pub mod replay;
pub mod snapshot;
pub mod stress;
pub mod workloads;
