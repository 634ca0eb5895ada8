//! What one thread owns while it runs: its context, its buffer, its barrier, its frames and its root slots.
pub mod alloc;
pub mod barrier;
pub mod cx;
pub mod frame;
pub mod member;
pub mod root_table;
