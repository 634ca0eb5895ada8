//! Who may touch the heap: one word for each mutator, the list of them all, and the stop.

pub mod registry;
pub mod safepoint;
pub mod state;
