//! The collector behind `orinoco`. Embedders use that crate; this one is its lower half.
//!
//! ```text
//!   C7   collector                                            siblings meet here
//!   C6   scavenge/   mark/   verify                           algorithms; no arrows between them
//!   C5   heap_core   compact/   sweep/   roots              what they work on, where tracing begins
//!   C4   space/      mutator_local                            what memory means
//!   C3   region/     workers    graveyard    owned   statistics   pace/   a region's jobs, who helps, how much
//!   C2   memory/     object/    worklist/    gate   hands   config   mechanisms
//!   C1   sync/       units      world        planted          ground
//! ```
//!
//! Under `--cfg loom` only the protocol rooms are built: forwarding, mark bits, published tables, worklists, termination,
//! the gate, the board for stopped mutators, gaps, records.
#[cfg(not(loom))]
pub mod collector;
#[doc(hidden)]
pub mod compact;
#[cfg(not(loom))]
pub mod config;
#[cfg(not(loom))]
pub(crate) mod crash;
#[cfg(not(loom))]
pub mod error;
#[cfg(not(loom))]
pub mod event;
#[cfg(not(loom))]
pub mod fault;
#[doc(hidden)]
pub mod gate;
#[cfg(not(loom))]
pub mod gc_log;
#[cfg(not(loom))]
pub(crate) mod graveyard;
#[doc(hidden)]
pub mod hands;
#[cfg(not(loom))]
pub(crate) mod heap_core;
pub mod mark;
pub(crate) mod memory;
#[doc(hidden)]
pub mod model;
#[cfg(not(loom))]
pub mod mutator_local;
pub mod object;
#[cfg(not(loom))]
pub mod owned;
#[cfg(not(loom))]
pub(crate) mod pace;
#[doc(hidden)]
pub mod planted;
#[cfg(not(loom))]
pub(crate) mod recent;
pub mod region;
#[cfg(not(loom))]
pub mod roots;
#[cfg(not(loom))]
pub mod scavenge;
#[doc(hidden)]
pub mod space;
#[cfg(not(loom))]
pub mod stall;
#[cfg(not(loom))]
pub mod statistics;
#[cfg(not(loom))]
pub(crate) mod sweep;
#[doc(hidden)]
pub mod sync;
pub mod units;
#[cfg(not(loom))]
pub(crate) mod verify;
#[cfg(not(loom))]
pub(crate) mod workers;
#[doc(hidden)]
pub mod worklist;
#[cfg(not(loom))]
pub mod world;
#[cfg(not(loom))]
pub mod zeal;
