//! The world that ships.

use std::time::Duration;

pub use core::hint::spin_loop;
pub use core::sync::atomic::{
    AtomicBool, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub use std::sync::Arc;
pub use std::thread;
pub use std::thread_local;

pub use atomic::Atomic;
pub use crossbeam::deque::{Steal, Stealer, Worker};
pub use crossbeam::utils::CachePadded;
// parking_lot rather than std: its locks are built from source, so that a sanitizer sees them without a rebuilt std.
pub use parking_lot::{Mutex, MutexGuard};

/// Leaves the processor to others for a moment: longer than a yield, after which they may not have had it at all.
pub fn rest() {
    thread::sleep(Duration::from_micros(50));
}

/// A condition variable whose waits borrow the guard.
#[derive(Debug, Default)]
pub struct Condvar(parking_lot::Condvar);

impl Condvar {
    /// A condition variable with nobody waiting.
    pub const fn new() -> Self {
        Self(parking_lot::Condvar::new())
    }
    /// Gives up the lock until notified. The condition is the caller's to look at again.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.0.wait(guard);
    }
    /// As [`wait`](Self::wait), for at most `limit`; true if time ran out.
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) -> bool {
        self.0.wait_for(guard, limit).timed_out()
    }
    /// Wakes one waiter, if there is any.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }
    /// Wakes every waiter.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A cell in loom's shape: the pointer is lent to a closure.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    pub const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }
    /// Lends a pointer to read through.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }
    /// Lends a pointer to write through.
    #[inline(always)]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}
