//! Who asks for a stop, what it is used for, and what all mutators of one heap share.
//!
//! ```text
//!   safepoint, flag up
//!     │ anything due? ──no──▶ step aside for a stop that others asked for, and go on
//!     yes
//!     │ stop ──overtaken──▶ others collected meanwhile: go on, or try again if the program asked for a collection
//!     │ stopped
//!     │ collect        (not if another stop has just done it)
//!     │ release
//!     └ drops, parked: the world runs, and may stop again, while user code does
//! ```
pub mod caretaker;
pub mod idle;
pub mod roots;
pub mod safepoint;
pub mod shared;
