//! A linear allocation buffer: memory that one thread takes objects from by moving a pointer.
//!
//! ```text
//!      start         top                     limit
//!        │ objects …  │ free: the owner's alone │
//! ```
//!
//! L1  `top <= limit`, both in one region, or both null.
//! L2  Memory in `top..limit` is the owner's alone; retiring fills it, so the region can be walked.
use crate::planted::bug;
use std::cell::Cell;
use std::ptr::null_mut;

/// A buffer; empty when made.
#[repr(C)]
pub struct Lab {
    top: Cell<*mut u8>,
    limit: Cell<*mut u8>,
}

impl Default for Lab {
    fn default() -> Self {
        Self { top: Cell::new(null_mut()), limit: Cell::new(null_mut()) }
    }
}

impl Lab {
    /// Takes `bytes` (a multiple of the word), or declines when they do not fit.
    ///
    /// Four instructions when inlined with a constant size: load, add, compare, store.
    #[inline(always)]
    pub fn try_bump(&self, bytes: usize) -> Option<*mut u8> {
        let top = self.top.get();
        let end = top.wrapping_add(bytes);
        if end > self.limit.get() {
            return None;
        }
        self.top.set(end);
        Some(top)
    }
    /// Gives back the last `bytes` taken.
    #[inline]
    pub(crate) fn unbump(&self, bytes: usize) {
        if bug::loser_keeps_its_space() {
            return;
        }
        self.top.set(self.top.get().wrapping_sub(bytes));
    }
    /// Bytes left.
    #[inline]
    pub fn free(&self) -> usize {
        self.limit.get().addr() - self.top.get().addr()
    }
    /// Replaces the buffer and returns the free range of the old one.
    #[must_use = "the rest of the old buffer must be filled"]
    pub(crate) fn replace(&self, start: *mut u8, bytes: usize) -> (*mut u8, usize) {
        let rest = (self.top.get(), self.free());
        self.top.set(start);
        self.limit.set(start.wrapping_add(bytes));
        rest
    }
    /// Empties the buffer and returns its free range.
    #[must_use = "the rest of the buffer must be filled"]
    pub(crate) fn retire(&self) -> (*mut u8, usize) {
        self.replace(null_mut(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_fit_is_taken_and_one_word_more_is_not() {
        let mut memory = [0u64; 8];
        let lab = Lab::default();
        assert!(lab.try_bump(8).is_none(), "an empty buffer has no room");
        assert_eq!(lab.replace(memory.as_mut_ptr().cast(), 64), (null_mut(), 0));
        assert_eq!(lab.try_bump(56), Some(memory.as_mut_ptr().cast()));
        assert!(lab.try_bump(16).is_none());
        assert!(lab.try_bump(8).is_some());
        assert!(lab.try_bump(8).is_none());
        assert_eq!(lab.retire().1, 0);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut memory = [0u64; 8];
        let lab = Lab::default();
        let _ = lab.replace(memory.as_mut_ptr().cast(), 64);
        let first = lab.try_bump(24).unwrap();
        lab.unbump(24);
        assert_eq!(lab.try_bump(64), Some(first));
    }
}
