//! Whether collections near the limit are still worth their while.
//!
//! When live data fill the limit, each whole collection frees a little, the program allocates that, and is collected
//! again: it gets nothing done, and is refused nothing. So a whole collection that let the program allocate less than a
//! fiftieth of the limit counts as poor, and after four in a row the heap is as good as full: mutators are refused from a
//! little below the limit on, until a collection lets them breathe again. (V8 ends the process then; Java throws.)

/// How many whole collections in a row were poor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    poor: u32,
}

/// Poor collections in a row that make a heap as good as full.
const MOST_POOR: u32 = 4;

impl Effort {
    /// Learns that `allocated` bytes were handed out since the whole collection before the one that is needed now.
    #[must_use]
    pub(crate) fn learn(self, allocated: usize, limit: usize) -> Self {
        Self { poor: if allocated < limit / 50 { self.poor.saturating_add(1) } else { 0 } }
    }
    /// Whether the heap is as good as full.
    pub(crate) fn is_in_vain(self) -> bool {
        self.poor >= MOST_POOR
    }
}

/// What mutators may use of a limit of `regions` when collections are in vain: a twenty-fifth less, and one region less
/// in any case. That much has to come free before they go on.
pub(crate) fn usable_in_vain(regions: usize) -> usize {
    regions.saturating_sub((regions / 25).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn four_poor_collections_in_a_row_are_in_vain_and_a_good_one_forgives_them() {
        let limit = Bytes::mib(100).get();
        let mib = |n| Bytes::mib(n).get();
        for (allocated, in_vain) in [
            (vec![mib(1); 3], false),
            (vec![mib(1); 4], true),
            (vec![mib(1); 100], true),
            (vec![mib(2); 100], false),
            (vec![0, 0, 0, mib(50), 0, 0, 0], false),
            (vec![0, 0, 0, 0, mib(3)], false),
            (vec![usize::MAX; 5], false),
        ] {
            let effort = allocated.iter().fold(Effort::default(), |effort, bytes| effort.learn(*bytes, limit));
            assert_eq!(effort.is_in_vain(), in_vain, "{allocated:?}");
        }
        assert_eq!((0..9).fold(Effort::default(), |e, _| e.learn(0, 0)), Effort::default(), "no limit, no poverty");
    }

    #[test]
    fn a_heap_in_vain_gives_up_a_twenty_fifth_and_at_least_a_region() {
        for (regions, usable) in
            [(0, 0), (1, 0), (4, 3), (64, 62), (1000, 960), (usize::MAX, usize::MAX / 25 * 24 + 15)]
        {
            assert_eq!(usable_in_vain(regions), usable, "{regions}");
        }
    }
}
