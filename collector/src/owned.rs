//! Bytes that objects of a heap own outside of it: what `Vec`, `String` and the embedder's buffers took from the system's
//! allocator and will give back when their object's drop glue runs.
//!
//! X1  What is added at an object's birth, and while its locks are held, is what is subtracted after its death: both are
//!     measured by the same generated code, and in between only a lock's holder can change it.
//! X2  The count never wraps: a guard that was forgotten hides a change, and what is subtracted for it stops at zero.
use crate::sync::{AtomicUsize, Ordering::Relaxed};

/// The count of one heap. Any thread adds and subtracts.
#[derive(Debug, Default)]
pub struct Owned {
    bytes: AtomicUsize,
    /// Bytes added since the heap was made.
    ever: AtomicUsize,
    /// What was owned when the last stop ended, less what was given back since.
    at_stop: AtomicUsize,
}

impl Owned {
    /// More is owned.
    pub fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
        self.ever.fetch_add(bytes, Relaxed);
    }
    /// Less is owned. X2.
    pub fn subtract(&self, bytes: usize) {
        let less = |now: usize| Some(now.saturating_sub(bytes));
        let _ = self.bytes.fetch_update(Relaxed, Relaxed, less);
        let _ = self.at_stop.fetch_update(Relaxed, Relaxed, less);
    }
    /// In a stop: from here on, what is taken is new.
    pub(crate) fn note_stop(&self) {
        self.at_stop.store(self.bytes(), Relaxed);
    }
    /// Bytes that came on top since the last stop. The dead of before it, which are dropped after it, are not among them.
    pub(crate) fn new_bytes(&self) -> usize {
        self.bytes().saturating_sub(self.at_stop.load(Relaxed))
    }
    /// Bytes that are owned.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }
    /// Bytes added since the heap was made.
    pub(crate) fn ever(&self) -> usize {
        self.ever.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_follows_both_ways_and_stops_at_zero() {
        let owned = Owned::default();
        owned.add(100);
        owned.subtract(30);
        assert_eq!((owned.bytes(), owned.ever()), (70, 100));
        owned.subtract(usize::MAX);
        assert_eq!((owned.bytes(), owned.ever()), (0, 100));
    }

    #[test]
    fn what_is_new_since_a_stop_is_not_hidden_by_the_dead_of_before_it() {
        let owned = Owned::default();
        owned.add(100);
        owned.note_stop();
        assert_eq!(owned.new_bytes(), 0);
        owned.subtract(90);
        owned.add(50);
        assert_eq!(owned.new_bytes(), 50);
        owned.subtract(60);
        assert_eq!(owned.new_bytes(), 0);
    }
}
