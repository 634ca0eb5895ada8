//! The commands, one file each: their arguments, and what they print.

pub mod bench;
pub mod replay;
