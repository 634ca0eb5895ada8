//! The door through which models reach the rooms where protocols live. Nobody else uses it.

pub use crate::compact::records;
pub use crate::gate;
pub use crate::hands;
pub use crate::mark::{clearing, jobs, lock_word, shade};
pub use crate::memory::published;
pub use crate::object::forward;
pub use crate::planted;

/// A buffer for models: the shipping one, which only the collector may refill.
pub mod lab {
    /// See [`crate::region::lab::Lab`]. This one belongs to no mutator.
    #[derive(Default)]
    pub struct Lab(crate::region::lab::Lab);

    impl Lab {
        /// As the shipping one's.
        pub fn try_bump(&self, bytes: usize) -> Option<*mut u8> {
            self.0.try_bump(bytes)
        }
        /// As the shipping one's.
        pub fn unbump(&self, bytes: usize) {
            self.0.unbump(bytes);
        }
        /// As the shipping one's.
        pub fn replace(&self, start: *mut u8, bytes: usize) -> (*mut u8, usize) {
            self.0.replace(start, bytes)
        }
        /// As the shipping one's.
        pub fn retire(&self) -> (*mut u8, usize) {
            self.0.retire()
        }
    }
}
pub use crate::region::mark_bitmap;
/// The gaps of old regions, and what one is.
pub mod gaps {
    pub use crate::region::free_runs::Run;
    pub use crate::space::gaps::Gaps;
}
pub use crate::sync;
pub use crate::worklist;
