//! What a region is for, and what is kept beside it.
#[cfg(not(loom))]
pub mod barrier_table;
#[doc(hidden)]
pub mod free_runs;
#[cfg(not(loom))]
pub mod kind;
pub mod lab;
pub mod mark_bitmap;
#[cfg(not(loom))]
pub(crate) mod table;
