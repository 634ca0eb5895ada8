//! The door through which models reach the rooms where protocols live. Nobody else uses it.

pub use crate::gate;
pub use crate::mark::{jobs, lock_word, shade};
pub use crate::memory::published;
pub use crate::object::forward;
pub use crate::planted;
pub use crate::region::lab;
pub use crate::region::mark_bitmap;
pub use crate::sync;
pub use crate::worklist;
