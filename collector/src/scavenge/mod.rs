//! Collecting by copying: the young generation, or everything.
pub(crate) mod budget;
pub(crate) mod cycle;
pub(crate) mod findings;
pub(crate) mod in_place;
pub(crate) mod phase;
pub(crate) mod retained;
mod room;
mod settle;
pub mod worker;
