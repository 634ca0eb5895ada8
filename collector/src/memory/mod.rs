//! Raw memory: address space, and tables that are replaced whole while others read them.
pub mod published;
pub(crate) mod reservation;
