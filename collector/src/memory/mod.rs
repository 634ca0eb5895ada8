//! Raw memory: address space, and tables that are replaced whole while others read them.
#[cfg(not(loom))]
pub(crate) mod machine;
pub mod published;
#[cfg(not(loom))]
pub(crate) mod reservation;
