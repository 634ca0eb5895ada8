//! Work that workers share: who has it, how it changes hands, and how all know that there is none left.

pub mod segment;
pub mod shared;
pub mod termination;
pub mod waiting;
