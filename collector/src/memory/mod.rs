//! Raw memory: address space, and tables that are replaced whole while others read them.
#[cfg(not(loom))]
pub(crate) mod machine;
#[cfg(not(gc_tsan))]
pub mod published;
#[cfg(gc_tsan)]
#[path = "published_kept.rs"]
pub mod published;
#[cfg(not(loom))]
pub(crate) mod reservation;
