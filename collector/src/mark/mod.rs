//! Collecting the old generation: who is alive, found by tracing from the roots.
#[cfg(not(loom))]
pub(crate) mod barrier;
#[doc(hidden)]
pub mod clearing;
#[cfg(not(loom))]
pub(crate) mod concurrent;
#[cfg(not(loom))]
pub(crate) mod cycle;
#[doc(hidden)]
pub mod jobs;
#[doc(hidden)]
pub mod lock_word;
#[cfg(not(loom))]
pub(crate) mod phase;
#[doc(hidden)]
pub mod shade;
#[cfg(not(loom))]
pub mod worker;
