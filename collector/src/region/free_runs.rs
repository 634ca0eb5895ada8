//! Gaps between live objects of old regions, by size class, for promotion to fill.
//!
//! Class *k* holds runs of `2^k` to `2^(k+1) - 1` bytes, so that any run of a class above the wish's own fits.
use crate::units::{REGION_SHIFT, WORD};

/// A gap: offset from the heap's base, and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// From the heap's base.
    pub offset: usize,
    /// Its length.
    pub bytes: usize,
}

/// Runs below this stay fillers: they would cost more to hand out than they hold.
pub(crate) const SMALLEST: usize = 128;
const FIRST_CLASS: u32 = SMALLEST.trailing_zeros();
const CLASSES: usize = (REGION_SHIFT - FIRST_CLASS + 1) as usize;

/// The gaps of a heap.
#[derive(Default)]
pub(crate) struct FreeRuns {
    classes: [Vec<Run>; CLASSES],
    bytes: usize,
}

impl FreeRuns {
    fn class(bytes: usize) -> usize {
        (bytes.ilog2() - FIRST_CLASS) as usize
    }
    /// Adds a run of at least [`SMALLEST`] bytes.
    pub(crate) fn add(&mut self, run: Run) {
        debug_assert!(run.bytes >= SMALLEST && run.bytes.is_multiple_of(WORD));
        self.bytes += run.bytes;
        self.classes[Self::class(run.bytes)].push(run);
    }
    /// Takes a run of at least `bytes`, the smallest class first that surely fits.
    pub(crate) fn take(&mut self, bytes: usize) -> Option<Run> {
        let first = Self::class(bytes.max(SMALLEST));
        // In its own class a run may be too short: look at the last few only, then at the classes above.
        let own = &mut self.classes[first];
        let near = own.len().saturating_sub(4)..own.len();
        let fit = near.rev().find(|i| own[*i].bytes >= bytes);
        let run = match fit {
            Some(i) => Some(own.swap_remove(i)),
            None => self.classes[first + 1..].iter_mut().find_map(Vec::pop),
        };
        self.bytes -= run.map_or(0, |r| r.bytes);
        run
    }
    /// Forgets the runs of which `keep` says no.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Run) -> bool) {
        let bytes = &mut self.bytes;
        for class in &mut self.classes {
            class.retain(|run| {
                let kept = keep(*run);
                *bytes -= if kept { 0 } else { run.bytes };
                kept
            });
        }
    }
    /// Forgets every run, before a sweep finds them anew.
    pub(crate) fn clear(&mut self) {
        self.classes.iter_mut().for_each(Vec::clear);
        self.bytes = 0;
    }
    /// Bytes in all runs.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_handed_out_once_and_only_when_it_fits() {
        let mut runs = FreeRuns::default();
        runs.add(Run { offset: 0, bytes: 200 });
        runs.add(Run { offset: 512, bytes: 136 });
        assert_eq!(runs.take(208), None);
        assert_eq!(runs.take(200), Some(Run { offset: 0, bytes: 200 }));
        assert_eq!(runs.bytes(), 136);
        assert_eq!(runs.take(144), None);
        assert_eq!(runs.take(8), Some(Run { offset: 512, bytes: 136 }));
        assert_eq!(runs.bytes(), 0);
        assert_eq!(runs.take(8), None);
    }

    #[test]
    fn runs_of_a_region_can_be_withheld() {
        let mut runs = FreeRuns::default();
        (0..10).for_each(|i| runs.add(Run { offset: i << REGION_SHIFT, bytes: 128 << i }));
        runs.retain(|run| run.offset >> REGION_SHIFT != 3);
        assert_eq!(runs.bytes(), 128 * 1023 - 1024);
        assert_eq!(runs.take(1024).map(|r| r.offset >> REGION_SHIFT), Some(4));
    }

    #[test]
    fn a_whole_region_is_a_run() {
        let mut runs = FreeRuns::default();
        runs.add(Run { offset: 0, bytes: 1 << REGION_SHIFT });
        assert_eq!(runs.take(1 << REGION_SHIFT).map(|r| r.bytes), Some(1 << REGION_SHIFT));
    }
}
