#![expect(unsafe_code, reason = "a model needs memory that a protocol alone protects")]
//! Plain memory that threads share by leave of a protocol, which is what a model puts to the test.
//!
//! X1  The protocol under test keeps accesses apart. Where it does not, loom reports the race before it happens, and a
//!     sanitizer as it happens; in a build without either, a scenario runs with nothing planted.

use orinoco_collector::model::sync::UnsafeCell;

/// A value without a lock.
pub struct Shared<T>(UnsafeCell<T>);

// SAFETY: X1.
unsafe impl<T: Send> Sync for Shared<T> {}
// SAFETY: the value goes where its cell goes.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T> Shared<T> {
    /// A cell that holds `value`.
    pub fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }
    /// Writes.
    pub fn set(&self, value: T) {
        // SAFETY: X1, nobody else reads or writes the cell now.
        self.0.with_mut(|at| unsafe { *at = value });
    }
}

impl<T: Copy> Shared<T> {
    /// Reads.
    pub fn get(&self) -> T {
        // SAFETY: X1, nobody else writes the cell now.
        self.0.with(|at| unsafe { *at })
    }
}

impl<T: Default> Shared<T> {
    /// Changes the value. It is out of the cell meanwhile, for a modelled step inside an access is not allowed.
    pub fn update<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: X1, nobody else reads or writes the cell now.
        let mut value = self.0.with_mut(|at| std::mem::take(unsafe { &mut *at }));
        let result = f(&mut value);
        self.set(value);
        result
    }
}
