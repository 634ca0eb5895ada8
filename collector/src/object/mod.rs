//! Objects: what a header says, who moves what, and how references are found.
pub mod forward;
#[cfg(not(loom))]
pub(crate) mod grave;
pub mod header;
#[cfg(not(loom))]
pub mod raw;
#[cfg(not(loom))]
pub mod task;
#[cfg(not(loom))]
pub mod trace;
#[cfg(not(loom))]
pub mod weak;
