//! runtime

#[doc(hidden)]
pub mod world;
