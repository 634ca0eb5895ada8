//! Threads, locks and atomics: the only room that names where they come from.
//!
//! ```text
//!              ┌── native      core's atomics, parking_lot's locks, crossbeam's deque
//!   sync ──────┼── checked     loom's, under `--cfg loom`: the same names, and every interleaving
//!              └── scheduled   shuttle's, under `--cfg shuttle`: whole heaps, and as many interleavings as one has time for
//!                  locks       what is said once for both: their locks, without poison
//! ```
//!
//! What is checked is what ships: a protocol imports `crate::sync` and nothing else, so that a model runs its very code.
//! The world is chosen by a `cfg` and never by a feature, because features unify and one crate could switch all over.
//!
//! Shapes that both worlds share:
//!
//! - `Mutex::lock` returns the guard: a panic elsewhere does not poison a lock here.
//! - `Condvar::wait` and `wait_for` take `&mut` of the guard; `wait_for` says whether time ran out (in a model it never does).
//! - `UnsafeCell` hands out its pointer inside a closure, so that a model sees where each access begins and ends.
//! - Every loop that waits calls `spin_loop` or `thread::yield_now`, without which a model does not end.

#[cfg(loom)]
mod checked;
#[cfg(any(loom, shuttle))]
mod locks;
#[cfg(not(any(loom, shuttle)))]
mod native;
#[cfg(shuttle)]
mod scheduled;

#[cfg(loom)]
pub use checked::*;
#[cfg(any(loom, shuttle))]
pub use locks::*;
#[cfg(not(any(loom, shuttle)))]
pub use native::*;
#[cfg(shuttle)]
pub use scheduled::*;
