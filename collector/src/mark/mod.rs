//! Collecting the old generation: who is alive, found by tracing from the roots.
pub(crate) mod barrier;
pub(crate) mod concurrent;
pub(crate) mod cycle;
pub(crate) mod phase;
pub mod worker;
