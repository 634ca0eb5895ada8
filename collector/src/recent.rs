//! What happened last: a ring of words that any thread writes without a lock, read when a mistake of ours ends the process.
//!
//! ```text
//!    63        32 31    24 23             0
//!   ┌────────────┬────────┬────────────────┐
//!   │ ms, heap's │ what   │ a number       │      one store an entry; the oldest is overwritten
//!   └────────────┴────────┴────────────────┘
//! ```
use crate::sync::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// Entries that are kept.
const KEPT: usize = 64;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Happening {
    /// A collection began; its kind.
    Begins = 1,
    /// It ended; 1 if the old generation is collected now.
    Ends,
    /// Marking was switched on (1) or off (0).
    Marking,
    /// So many regions are to be swept.
    ToSweep,
}

const ALL: [Happening; 4] = [Happening::Begins, Happening::Ends, Happening::Marking, Happening::ToSweep];

/// The ring.
pub(crate) struct Recent {
    began: Instant,
    entries: [AtomicU64; KEPT],
    next: AtomicUsize,
}

impl Recent {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), entries: [const { AtomicU64::new(0) }; KEPT], next: AtomicUsize::new(0) }
    }
    /// Adds an entry; the number's lower 24 bits are kept.
    pub(crate) fn note(&self, what: Happening, number: usize) {
        let ms = u64::from(self.began.elapsed().as_millis() as u32);
        let at = self.next.fetch_add(1, Relaxed) % KEPT;
        self.entries[at].store(ms << 32 | (what as u64) << 24 | (number as u64 & 0xFF_FFFF), Relaxed);
    }
    /// The entries, oldest first: milliseconds of the heap's life, what, and its number.
    pub(crate) fn entries(&self) -> Vec<(u64, Happening, usize)> {
        let next = self.next.load(Relaxed);
        let words = (next.saturating_sub(KEPT)..next).map(|at| self.entries[at % KEPT].load(Relaxed));
        let decoded = words.map(|word| {
            let what = ALL.into_iter().find(|what| *what as u64 == word >> 24 & 0xFF)?;
            Some((word >> 32, what, (word & 0xFF_FFFF) as usize))
        });
        decoded.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entries_are_kept_in_their_order() {
        let recent = Recent::new();
        assert!(recent.entries().is_empty());
        (0..KEPT + 5).for_each(|n| recent.note(Happening::Begins, n));
        recent.note(Happening::Marking, 1 << 24 | 1);
        let numbers: Vec<usize> = recent.entries().iter().map(|entry| entry.2).collect();
        assert_eq!(numbers.len(), KEPT);
        assert_eq!((numbers[0], numbers[KEPT - 2], numbers[KEPT - 1]), (6, KEPT + 4, 1));
        assert_eq!(recent.entries()[KEPT - 1].1, Happening::Marking);
    }
}
