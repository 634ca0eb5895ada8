//! What one thread owns while it runs: its context, its buffer, its barrier, its frames and its root slots.
#[cfg(not(loom))]
pub mod alloc;
#[cfg(not(loom))]
pub mod barrier;
#[cfg(not(loom))]
pub mod cx;
#[cfg(not(loom))]
pub mod frame;
#[cfg(not(loom))]
pub mod kept;
#[cfg(not(loom))]
pub mod member;
pub mod root_chunk;
#[cfg(not(loom))]
pub mod root_table;
#[cfg(not(loom))]
pub(crate) mod watched;
