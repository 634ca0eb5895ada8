//! The world that is scheduled: threads, locks and every access to an atomic word ask shuttle who is next.
//!
//! Words are std's, with a step of the scheduler before each access: so heap memory can be looked at through them, and
//! whole heaps run here, with as many threads as one likes. Orders mean nothing: what is weaker than sequential consistency
//! is loom's to show. Time does not pass: `wait_for` waits, and whoever needs the time-out is a deadlock. A wait may end
//! for nothing, for the scheduler may run whom it likes.

pub use core::sync::atomic::{Ordering, fence};
pub use crossbeam::deque::{Steal, Stealer, Worker};
pub use crossbeam::utils::CachePadded;
pub use shuttle::hint::spin_loop;
pub use shuttle::thread;
pub use shuttle::thread_local;
pub use std::sync::Arc;

/// One step of the scheduler: somebody else may be next.
#[inline]
fn step() {
    shuttle::sync::atomic::AtomicBool::new(false).load(Ordering::Relaxed);
}

/// Leaves the processor to others for a moment.
pub fn rest() {
    thread::yield_now();
}

macro_rules! accesses {
    ($value:ty) => {
        /// Reads.
        #[inline]
        pub fn load(&self, order: Ordering) -> $value {
            step();
            self.0.load(order)
        }
        /// Writes.
        #[inline]
        pub fn store(&self, value: $value, order: Ordering) {
            step();
            self.0.store(value, order);
        }
        /// Writes; the value before.
        #[inline]
        pub fn swap(&self, value: $value, order: Ordering) -> $value {
            step();
            self.0.swap(value, order)
        }
        /// Writes `new` over `current`.
        ///
        /// # Errors
        /// The value found, when it was not `current`.
        #[inline]
        pub fn compare_exchange(
            &self,
            current: $value,
            new: $value,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$value, $value> {
            step();
            self.0.compare_exchange(current, new, success, failure)
        }
        /// As [`compare_exchange`](Self::compare_exchange), which may fail for nothing.
        ///
        /// # Errors
        /// The value found.
        #[inline]
        pub fn compare_exchange_weak(
            &self,
            current: $value,
            new: $value,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$value, $value> {
            step();
            self.0.compare_exchange_weak(current, new, success, failure)
        }
        /// Writes what `f` makes of the value, unless that is nothing.
        ///
        /// # Errors
        /// The value, when `f` made nothing of it.
        #[inline]
        pub fn fetch_update(
            &self,
            success: Ordering,
            failure: Ordering,
            f: impl FnMut($value) -> Option<$value>,
        ) -> Result<$value, $value> {
            step();
            self.0.fetch_update(success, failure, f)
        }
    };
}

macro_rules! words {
    ($($name:ident($value:ty): $($change:ident)*;)*) => {$(
        /// An atomic word, with a step of the scheduler before each access.
        #[derive(Debug, Default)]
        #[repr(transparent)]
        pub struct $name(core::sync::atomic::$name);

        impl $name {
            /// A word that holds `value`.
            pub const fn new(value: $value) -> Self {
                Self(core::sync::atomic::$name::new(value))
            }
            accesses!($value);
            $(
                /// As std's.
                #[inline]
                pub fn $change(&self, value: $value, order: Ordering) -> $value {
                    step();
                    self.0.$change(value, order)
                }
            )*
            /// The value, through the only reference to it.
            pub fn get_mut(&mut self) -> &mut $value {
                self.0.get_mut()
            }
            /// The value.
            pub fn into_inner(self) -> $value {
                self.0.into_inner()
            }
        }
    )*};
}

words! {
    AtomicBool(bool): fetch_and fetch_or fetch_xor;
    AtomicU8(u8): fetch_add fetch_sub fetch_and fetch_or fetch_max fetch_min;
    AtomicU16(u16): fetch_add fetch_sub fetch_and fetch_or fetch_max fetch_min;
    AtomicU32(u32): fetch_add fetch_sub fetch_and fetch_or fetch_max fetch_min;
    AtomicU64(u64): fetch_add fetch_sub fetch_and fetch_or fetch_max fetch_min;
    AtomicUsize(usize): fetch_add fetch_sub fetch_and fetch_or fetch_max fetch_min;
    AtomicIsize(isize): fetch_add fetch_sub fetch_and fetch_or fetch_max fetch_min;
}

/// An atomic pointer, with a step of the scheduler before each access.
#[derive(Debug)]
#[repr(transparent)]
pub struct AtomicPtr<T>(core::sync::atomic::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    /// A word that holds `value`.
    pub const fn new(value: *mut T) -> Self {
        Self(core::sync::atomic::AtomicPtr::new(value))
    }
    accesses!(*mut T);
    /// The value, through the only reference to it.
    pub fn get_mut(&mut self) -> &mut *mut T {
        self.0.get_mut()
    }
}

/// A typed atomic, with a step of the scheduler before each access.
pub struct Atomic<T>(atomic::Atomic<T>);

impl<T: bytemuck::NoUninit> Atomic<T> {
    /// A word that holds `value`.
    pub const fn new(value: T) -> Self {
        Self(atomic::Atomic::new(value))
    }
    accesses!(T);
}

impl<T> std::fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Atomic").finish_non_exhaustive()
    }
}

/// A cell in loom's shape, that finds two accesses at once if one of them writes.
#[derive(Debug, Default)]
pub struct UnsafeCell<T> {
    value: core::cell::UnsafeCell<T>,
    /// How many look at it, or [`WRITTEN`].
    inside: core::sync::atomic::AtomicIsize,
}

const WRITTEN: isize = isize::MIN;

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    pub const fn new(value: T) -> Self {
        Self { value: core::cell::UnsafeCell::new(value), inside: core::sync::atomic::AtomicIsize::new(0) }
    }
    /// Lends a pointer to read through.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        let inside = self.inside.load(Ordering::Relaxed);
        assert!(inside != WRITTEN, "Causality violation: read while somebody writes");
        self.inside.store(inside + 1, Ordering::Relaxed);
        // Here somebody else may come in: all this runs on one thread of the system, and switches only in a step.
        step();
        let result = f(self.value.get());
        self.inside.store(self.inside.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        result
    }
    /// Lends a pointer to write through.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        assert!(self.inside.load(Ordering::Relaxed) == 0, "Causality violation: written while somebody is inside");
        self.inside.store(WRITTEN, Ordering::Relaxed);
        step();
        let result = f(self.value.get());
        self.inside.store(0, Ordering::Relaxed);
        result
    }
}
