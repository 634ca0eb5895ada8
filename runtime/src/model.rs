//! The door through which models reach the rooms where protocols live. Nobody else uses it.

pub use crate::mutator::root_chunk;
pub use crate::world;
