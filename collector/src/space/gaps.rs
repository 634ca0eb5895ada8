//! The gaps of old regions, and which regions are still to be swept: one lock, and what passes under it.
//!
//! ```text
//!   Unswept ──claim──▶ Sweeping ──swept──▶ its gaps known ──try_take──▶ a buffer's
//!      ▲      (one)                   └──▶ its gaps withheld, if it is a candidate ──readmit──▶ known
//!      └── begin (in a stop: whatever refers into dead memory goes first)
//! ```
//!
//! A1  A region is claimed by one sweeper, and its gaps are known to nobody until that sweeper has written what makes them
//!     walkable.
//! A2  When sweeping begins, no list that outlives the stop has an entry in a dead object.
use crate::planted::bug;
use crate::region::free_runs::{FreeRuns, Run, SMALLEST};
use crate::sync::Mutex;
use std::collections::{BTreeMap, VecDeque};

/// What a promotion buffer asks for when it may choose.
pub const OLD_LAB_BYTES: usize = 32 << 10;

/// The gaps of a heap.
#[derive(Default)]
pub struct Gaps {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    runs: FreeRuns,
    /// Candidates last.
    unswept: VecDeque<usize>,
    /// Regions that a sweeper has claimed and not finished.
    sweeping: usize,
    /// Candidates that are swept, and their gaps.
    withheld: BTreeMap<usize, Vec<Run>>,
}

impl State {
    fn add(&mut self, runs: &[Run]) {
        runs.iter().filter(|r| r.bytes >= SMALLEST).for_each(|r| self.runs.add(*r));
    }
}

impl Gaps {
    /// Takes a gap of at least `bytes`, if one is known; one for a whole buffer rather than a smaller one.
    pub fn try_take(&self, bytes: usize) -> Option<Run> {
        let mut state = self.state.lock();
        state.runs.take(bytes.max(OLD_LAB_BYTES / 8)).or_else(|| state.runs.take(bytes))
    }
    /// Makes gaps known; the smallest stay fillers.
    pub fn add(&self, runs: &[Run]) {
        self.state.lock().add(runs);
    }
    /// In a stop: forgets every gap.
    pub fn clear(&self) {
        let mut state = self.state.lock();
        debug_assert!(state.unswept.is_empty() && state.withheld.is_empty(), "sweeping comes first");
        state.runs.clear();
    }
    /// In a stop: these regions are to be swept, the last of them first, and no gap is known until they are.
    ///
    /// `purge` drops what refers into dead objects. It comes first (A2): it looks at those objects, and sweepers do not
    /// wait for the end of the stop.
    pub fn begin(&self, regions: VecDeque<usize>, purge: impl FnOnce()) {
        let start = || {
            let mut state = self.state.lock();
            if !bug::unswept_gaps_are_reused() {
                state.runs.clear();
            }
            state.unswept = regions;
        };
        // Guarded by `sweeping::what_refers_into_the_dead_goes_before_they_are_swept`.
        if bug::sweep_begins_before_the_purge() {
            start();
            purge();
        } else {
            purge();
            start();
        }
    }
    /// Claims a region to sweep: the last one.
    pub fn claim(&self) -> Option<usize> {
        // Guarded by `sweeping::two_sweepers_sweep_two_regions`.
        if bug::sweep_claim_is_a_look() {
            let region = *self.state.lock().unswept.back()?;
            let mut state = self.state.lock();
            let _ = state.unswept.pop_back();
            state.sweeping += 1;
            return Some(region);
        }
        let mut state = self.state.lock();
        let region = state.unswept.pop_back()?;
        state.sweeping += 1;
        Some(region)
    }
    /// Claims the first region, if its gaps can be handed out when it is swept.
    pub fn claim_for_room(&self, is_candidate: impl FnOnce(usize) -> bool) -> Option<usize> {
        let mut state = self.state.lock();
        let first = *state.unswept.front()?;
        if is_candidate(first) {
            return None;
        }
        let _ = state.unswept.pop_front();
        state.sweeping += 1;
        Some(first)
    }
    /// A claimed region is swept, and these are its gaps; they are withheld if it is a candidate when all is said.
    pub fn swept(&self, region: usize, runs: Vec<Run>, is_candidate: impl FnOnce() -> bool) {
        let mut state = self.state.lock();
        state.sweeping -= 1;
        if is_candidate() && !bug::candidates_gaps_are_handed_out() {
            state.withheld.insert(region, runs);
        } else {
            state.add(&runs);
        }
    }
    /// In a stop, with everything swept: forgets the gaps of which `is_candidate` says so, after `choose` has been run.
    pub fn withhold(&self, choose: impl FnOnce(), is_candidate: impl Fn(Run) -> bool) {
        let mut state = self.state.lock();
        debug_assert!(state.unswept.is_empty() && state.sweeping == 0, "fullness is known once everything is swept");
        choose();
        if !bug::candidates_gaps_are_handed_out() {
            state.runs.retain(|run| !is_candidate(run));
        }
    }
    /// Whether a candidate's sweep is over.
    pub fn is_withheld(&self, region: usize) -> bool {
        self.state.lock().withheld.contains_key(&region)
    }
    /// In a stop: a candidate is one no longer, by what `turn` does under the lock under which a sweeper says what it found.
    pub fn readmit(&self, region: usize, turn: impl FnOnce()) {
        let mut state = self.state.lock();
        turn();
        if let Some(runs) = state.withheld.remove(&region) {
            state.add(&runs);
        }
    }
    /// In a stop: a candidate is about to be emptied.
    pub fn remove(&self, region: usize) {
        self.state.lock().withheld.remove(&region);
    }
    /// In a stop, for whoever walks regions: waits for the sweepers at work, and lets none begin until
    /// [`go_on`](Self::go_on).
    pub fn hold(&self) -> VecDeque<usize> {
        loop {
            let mut state = self.state.lock();
            if state.sweeping == 0 {
                return std::mem::take(&mut state.unswept);
            }
            drop(state);
            crate::sync::thread::yield_now();
        }
    }
    /// Takes back the regions that were held.
    pub fn go_on(&self, held: VecDeque<usize>) {
        self.state.lock().unswept = held;
    }
    /// Regions that wait to be swept, or are being swept.
    pub fn unswept(&self) -> usize {
        let state = self.state.lock();
        state.unswept.len() + state.sweeping
    }
    /// Bytes in known gaps, withheld ones included.
    pub fn bytes(&self) -> usize {
        let state = self.state.lock();
        let withheld = state.withheld.values().flatten().map(|run| run.bytes).sum::<usize>();
        state.runs.bytes() + withheld
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn whoever_sweeps_for_room_leaves_candidates_to_others() {
        let gaps = Gaps::default();
        gaps.begin([1, 2, 3].into(), || {});
        assert_eq!(gaps.claim_for_room(|region| region == 1), None);
        assert_eq!(gaps.claim_for_room(|region| region == 3), Some(1));
        assert_eq!(gaps.claim(), Some(3), "candidates are swept first");
        assert_eq!((gaps.unswept(), gaps.bytes()), (3, 0));
        gaps.swept(3, vec![Run { offset: 0, bytes: 512 }], || true);
        assert_eq!((gaps.try_take(512), gaps.bytes()), (None, 512), "withheld");
        gaps.readmit(3, || {});
        assert!(gaps.try_take(512).is_some());
    }
}
