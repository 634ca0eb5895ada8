//! What memory means: the pool of regions, and the generations made of them.
pub(crate) mod eden;
pub(crate) mod free;
pub(crate) mod old;
pub(crate) mod pool;
pub(crate) mod spaces;
