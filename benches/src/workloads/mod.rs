//! The seven shared workloads: the same programs that other runtimes are measured with.
//!
//! Each workload is one file. It says what the data are, builds them on a heap that all threads share (each
//! thread has data of its own on it), and ends in a checksum that is the same number in every runtime, whatever
//! the collector did meanwhile. Nothing here is tuned to one workload: they all run on the heap that [`heap`]
//! opens, and poll where an interpreter would, at a loop's back edge or a function's entry.
//!
//! A heap never collects inside an allocation, so what a thread allocates between two safepoints comes on top of
//! the nursery. The workloads keep that below 64 KiB; a deep tree is built in parts, which wait on a stack in
//! the roots.

use clap::ValueEnum;
use serde::Serialize;

mod big_live;
mod binary_trees;
pub mod gaps;
mod gcbench;
mod graph_mutate;
pub mod heap;
mod latency;
mod list_churn;
pub mod part;
pub mod random;
pub mod run;
mod splay;

/// Trees of at most this depth (2047 nodes, 64 KiB) are built and walked between two safepoints.
const WINDOW_DEPTH: u32 = 10;

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Many short-lived complete trees beside one that lives to the end
    BinaryTrees,
    /// Trees built from above and from below, beside a tree and an array that stay
    Gcbench,
    /// Lists of 1 to 1000 nodes, of which the last 10 000 stay alive
    ListChurn,
    /// A table of nodes with four edges each, rewired at random
    GraphMutate,
    /// A splay tree whose nodes carry payloads of 127 objects
    Splay,
    /// A ring of 200 000 messages of one KiB, the oldest replaced at each push
    Latency,
    /// A large live heap that changes slowly, under steady allocation
    BigLive,
}

/// What is particular to one workload.
pub struct Profile {
    /// The size when none is given.
    pub default_size: f64,
    /// What a size counts.
    pub unit: &'static str,
    /// Above this size, numbers would no longer fit.
    pub largest: f64,
    /// Below this size for each thread, a thread would have nothing to work on.
    pub smallest_share: f64,
    /// Whether all iterations are alike, so that percentiles of their lengths mean something.
    pub even_steps: bool,
    /// The most bytes that are live at once, from a size and a number of threads.
    pub live_bytes: fn(f64, f64) -> f64,
}

impl Workload {
    /// All of them, in their usual order.
    pub const ALL: [Self; 7] = [
        Self::BinaryTrees,
        Self::Gcbench,
        Self::ListChurn,
        Self::GraphMutate,
        Self::Splay,
        Self::Latency,
        Self::BigLive,
    ];

    /// What is particular to it.
    pub fn profile(self) -> &'static Profile {
        match self {
            Self::BinaryTrees => &binary_trees::PROFILE,
            Self::Gcbench => &gcbench::PROFILE,
            Self::ListChurn => &list_churn::PROFILE,
            Self::GraphMutate => &graph_mutate::PROFILE,
            Self::Splay => &splay::PROFILE,
            Self::Latency => &latency::PROFILE,
            Self::BigLive => &big_live::PROFILE,
        }
    }
}
