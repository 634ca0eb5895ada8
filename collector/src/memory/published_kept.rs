#![expect(unsafe_code, reason = "a reader dereferences what a writer may have replaced")]
//! [`Published`] without the epoch, for ThreadSanitizer: it does not know fences, which an epoch is made of, and would call
//! every reader a race. The same load and the same swap; what was replaced is kept to the end.
//!
//! E1  `current` is never null and always points at a `T` that lives as long as `self`.
use crate::planted::ord;
use crate::sync::{AtomicPtr, Mutex};

/// A replaceable value.
pub struct Published<T> {
    current: AtomicPtr<T>,
    kept: Mutex<Vec<Box<T>>>,
}

impl<T: Send + Sync + 'static> Published<T> {
    /// Publishes a first version.
    pub fn new(value: T) -> Self {
        Self { current: AtomicPtr::new(Box::into_raw(Box::new(value))), kept: Mutex::new(Vec::new()) }
    }
    /// Looks at the current version.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // Acquire: as in the world that ships. Guarded by `published::a_reader_sees_a_whole_version`.
        // SAFETY: E1.
        look(unsafe { &*self.current.load(ord::published_read()) })
    }
    /// Publishes another version. Writers take turns by a lock of their own.
    pub fn replace(&self, value: T) {
        // AcqRel: as in the world that ships.
        let old = self.current.swap(Box::into_raw(Box::new(value)), ord::published_replace());
        // SAFETY: E1, `old` came out of a box in `new` or here, and was just unlinked.
        self.kept.lock().push(unsafe { Box::from_raw(old) });
    }
}

impl<T> Drop for Published<T> {
    fn drop(&mut self) {
        // SAFETY: E1, and `&mut self`: nobody reads any more.
        drop(unsafe { Box::from_raw(*self.current.get_mut()) });
    }
}
