//! What memory means: the pool of regions, and the generations made of them.
#[cfg(not(loom))]
pub(crate) mod eden;
#[cfg(not(loom))]
pub(crate) mod free;
#[doc(hidden)]
pub mod gaps;
#[cfg(not(loom))]
pub(crate) mod old;
#[cfg(not(loom))]
pub(crate) mod pool;
#[cfg(not(loom))]
pub(crate) mod spaces;
