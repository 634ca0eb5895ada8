//! collector

#[doc(hidden)]
pub mod planted;
#[doc(hidden)]
pub mod sync;
