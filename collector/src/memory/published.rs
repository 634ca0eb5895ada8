#![expect(unsafe_code, reason = "a pinned reader dereferences what a writer may have replaced")]
//! A value that is replaced whole while others read it without a lock.
//!
//! Readers pin an epoch (Fraser 2004) and look at whichever version is current; a writer publishes a new
//! version and leaves the old one to be freed when every reader that could see it has moved on.
//!
//! E1  `current` is never null and always points at a live `T` published by `new` or `replace`.
//! E2  A version is handed to the epoch for destruction only after it was unlinked, hence only once.
use crate::planted::ord;
use crossbeam_epoch::{Atomic, Owned, pin};

/// A replaceable value.
pub struct Published<T> {
    current: Atomic<T>,
}

impl<T: Send + Sync + 'static> Published<T> {
    /// Publishes a first version.
    pub fn new(value: T) -> Self {
        Self { current: Atomic::new(value) }
    }
    /// Looks at the current version. Never blocks; the version stays whole for as long as `look` runs.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        let guard = pin();
        // Acquire: the version's content; partner: the swap in `replace`.
        // Guarded by `published::a_reader_sees_a_whole_version`.
        let version = self.current.load(ord::published_read(), &guard);
        // SAFETY: E1, and E2 with the pin: it is not freed before `guard` goes.
        look(unsafe { version.deref() })
    }
    /// Publishes another version. Writers take turns by a lock of their own.
    pub fn replace(&self, value: T) {
        let guard = pin();
        // Release: the new version's content; partner: the load in `read`. Acquire: the old version is
        // dropped by whoever collects it, after what its writer did.
        let old = self.current.swap(Owned::new(value), ord::published_replace(), &guard);
        // SAFETY: E2, `old` was just unlinked, by us alone.
        unsafe { guard.defer_destroy(old) };
    }
}

impl<T> Drop for Published<T> {
    fn drop(&mut self) {
        let last = std::mem::replace(&mut self.current, Atomic::null());
        // SAFETY: E1, and `&mut self`: nobody reads any more.
        drop(unsafe { last.into_owned() });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn readers_see_a_whole_version_while_it_is_replaced() {
        let table = Published::new(vec![0usize; 4]);
        std::thread::scope(|s| {
            s.spawn(|| (1..500).for_each(|n| table.replace(vec![n; 4 + n])));
            for _ in 0..2 {
                s.spawn(|| {
                    for _ in 0..500 {
                        table.read(|v| assert!(v.iter().all(|n| *n == v[0]) && v.len() == 4 + v[0]));
                    }
                });
            }
        });
    }
}
