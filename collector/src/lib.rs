//! collector

pub mod gate;
#[doc(hidden)]
pub mod planted;
#[doc(hidden)]
pub mod sync;
pub mod worklist;
