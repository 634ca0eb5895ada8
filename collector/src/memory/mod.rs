//! Raw memory: address space, and tables that are replaced whole while others read them.
pub mod published;
#[cfg(not(loom))]
pub(crate) mod reservation;
