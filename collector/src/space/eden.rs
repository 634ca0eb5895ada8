//! Where new objects are born: a row of regions, handed out to mutators a buffer at a time without a lock.
//!
//! ```text
//!     region 0             region 1                      cursor
//!   ┌────┬────┬────┬────┐┌────┬────┬────┬────┐┌────┬────▼────┬────┐
//!   │ LAB│ LAB│ LAB│ LAB││ LAB│ LAB│ LAB│ LAB││ LAB│    │    │    │      one fetch-and-add takes a LAB
//!   └────┴────┴────┴────┘└────┴────┴────┴────┘└────┴────┴────┴────┘
//! ```
//!
//! N1  `regions[..count]` changes in pauses only.
//! N2  Every LAB below the cursor was handed out once since the last pause.
use crate::sync::{AtomicUsize, CachePadded, Ordering::Relaxed};
use crate::units::{LAB_BYTES, REGION_BYTES};

const LABS: usize = REGION_BYTES / LAB_BYTES;

/// The nursery's row of regions.
pub(crate) struct Eden {
    regions: Box<[AtomicUsize]>,
    count: AtomicUsize,
    cursor: CachePadded<AtomicUsize>,
}

impl Eden {
    /// Room for a row of at most `most` regions; empty.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            regions: (0..most).map(|_| AtomicUsize::new(0)).collect(),
            count: AtomicUsize::new(0),
            cursor: CachePadded::new(AtomicUsize::new(0)),
        }
    }
    /// Takes the next buffer: a region's index and an offset in it. None when the row is used up.
    #[inline]
    pub(crate) fn try_lab(&self) -> Option<(usize, usize)> {
        // Relaxed: the numbers are distinct, which is all; the memory was made ready in a pause.
        let n = self.cursor.fetch_add(1, Relaxed);
        if n >= self.count.load(Relaxed) * LABS {
            return None;
        }
        Some((self.regions[n / LABS].load(Relaxed), n % LABS * LAB_BYTES))
    }
    /// In a pause: the regions and how many bytes of each were handed out.
    pub(crate) fn handed_out(&self) -> Vec<(usize, usize)> {
        let labs = self.cursor.load(Relaxed);
        (0..self.count.load(Relaxed))
            .map(|i| (self.regions[i].load(Relaxed), labs.saturating_sub(i * LABS).min(LABS) * LAB_BYTES))
            .collect()
    }
    /// In a pause: starts over with another row.
    pub(crate) fn restart(&self, row: &[usize]) {
        for (at, region) in self.regions.iter().zip(row) {
            at.store(*region, Relaxed);
        }
        self.count.store(row.len().min(self.regions.len()), Relaxed);
        self.cursor.store(0, Relaxed);
    }
    /// Regions of the row.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Relaxed)
    }
    /// Bytes handed out since the last pause; a hint.
    pub(crate) fn bytes_hint(&self) -> usize {
        self.cursor.load(Relaxed).min(self.count.load(Relaxed) * LABS) * LAB_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_distinct_and_end_with_the_row() {
        let eden = Eden::new(4);
        assert_eq!(eden.try_lab(), None);
        eden.restart(&[7, 9]);
        let all: Vec<_> = std::iter::from_fn(|| eden.try_lab()).collect();
        assert_eq!(all.len(), 2 * LABS);
        assert_eq!(all[LABS], (9, 0));
        eden.restart(&[7, 9]);
        for _ in 0..LABS + 1 {
            eden.try_lab();
        }
        assert_eq!(eden.handed_out(), [(7, REGION_BYTES), (9, LAB_BYTES)]);
    }
}
