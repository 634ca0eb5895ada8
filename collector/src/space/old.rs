//! The old generation's memory: regions, the gaps in them, and which regions the last marking left unswept.
//!
//! ```text
//!   region:  Swept ──marking ends──▶ Unswept ──claim (one sweeper)──▶ Sweeping ──▶ Swept, or given back
//!              │ chosen
//!              ▼
//!            a candidate (see `compact`): no gap of it is known, and what its sweep finds is withheld
//! ```
//!
//! D1  Only gaps of swept regions are handed out, and none of a candidate's.
//! D2  Mark bits are clear outside the stretch from the start of marking to a region's sweep.
//! D3  `used` is the sum over all regions of their `live` once everything is swept.
use crate::error::AllocError;
use crate::object::raw::fill;
use crate::planted::bug;
use crate::region::free_runs::{FreeRuns, Run, SMALLEST};
use crate::region::kind::Kind;
use crate::space::pool::{For, Pool};
use crate::sync::{AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::REGION_BYTES;
use std::collections::{BTreeMap, BTreeSet};

/// What a promotion buffer asks for when it may choose.
pub(crate) const OLD_LAB_BYTES: usize = 32 << 10;

/// Old regions of small objects.
#[derive(Default)]
pub(crate) struct OldSpace {
    state: Mutex<OldState>,
    /// Bytes handed out and not found dead. Changed by whoever takes or sweeps; read by anybody.
    used: AtomicUsize,
}

#[derive(Default)]
struct OldState {
    regions: BTreeSet<usize>,
    runs: FreeRuns,
    unswept: Vec<usize>,
    /// Regions that a sweeper has claimed and not finished.
    sweeping: usize,
    /// Candidates that are swept, and their gaps.
    withheld: BTreeMap<usize, Vec<Run>>,
}

impl OldState {
    fn add_runs(&mut self, runs: &[Run]) {
        runs.iter().filter(|r| r.bytes >= SMALLEST).for_each(|r| self.runs.add(*r));
    }
}

impl OldSpace {
    /// Takes a gap of at least `bytes`, fresh memory if there is none. The gap is walkable until it is used.
    pub(crate) fn take(&self, pool: &Pool, bytes: usize, whom: For) -> Result<Run, AllocError> {
        let mut state = self.state.lock();
        let found = state.runs.take(bytes.max(OLD_LAB_BYTES / 8)).or_else(|| state.runs.take(bytes));
        if let Some(run) = found {
            drop(state);
            self.handed_out(pool, run);
            return Ok(run);
        }
        let region = pool.take(1, Kind::OLD, whom)?;
        state.regions.insert(region);
        let offset = region * REGION_BYTES;
        let mine = bytes.clamp(OLD_LAB_BYTES, REGION_BYTES);
        if mine < REGION_BYTES {
            let rest = Run { offset: offset + mine, bytes: REGION_BYTES - mine };
            fill(pool.at(rest.offset), rest.bytes);
            state.add_runs(&[rest]);
        }
        drop(state);
        fill(pool.at(offset), mine);
        let run = Run { offset, bytes: mine };
        self.handed_out(pool, run);
        Ok(run)
    }
    fn handed_out(&self, pool: &Pool, run: Run) {
        self.used.fetch_add(run.bytes, Relaxed);
        pool.table.with_region(run.offset / REGION_BYTES, |r| r.live.fetch_add(run.bytes, Relaxed));
    }
    /// Gives back what a buffer did not use.
    pub(crate) fn give_back(&self, pool: &Pool, start: *mut u8, bytes: usize) {
        if bytes == 0 {
            return;
        }
        fill(start, bytes);
        let run = Run { offset: pool.offset(start.addr()), bytes };
        self.used.fetch_sub(bytes, Relaxed);
        pool.table.with_region(run.offset / REGION_BYTES, |r| r.live.fetch_sub(bytes, Relaxed));
        self.state.lock().add_runs(&[run]);
    }
    /// In a pause: a region full of live objects and fillers becomes old as it is.
    pub(crate) fn adopt(&self, pool: &Pool, region: usize, runs: &[Run], live: usize) {
        let mut state = self.state.lock();
        pool.table.set_kind(region, Kind::OLD);
        pool.table.with_region(region, |r| r.live.store(live, Relaxed));
        state.regions.insert(region);
        state.add_runs(runs);
        self.used.fetch_add(live, Relaxed);
    }
    /// In a pause: gives up every region, and says which they were.
    pub(crate) fn take_all(&self) -> Vec<usize> {
        let mut state = self.state.lock();
        debug_assert!(state.unswept.is_empty() && state.withheld.is_empty(), "sweeping comes first");
        state.runs.clear();
        self.used.store(0, Relaxed);
        std::mem::take(&mut state.regions).into_iter().collect()
    }
    /// In the pause that ends marking: every region is to be swept, candidates first, and no gap is known until it is.
    pub(crate) fn start_sweeping(&self, pool: &Pool, live: usize) {
        let mut state = self.state.lock();
        if !bug::unswept_gaps_are_reused() {
            state.runs.clear();
        }
        let (mut unswept, mut first): (Vec<_>, Vec<_>) =
            state.regions.iter().copied().partition(|region| !pool.table.kind(*region).is_candidate());
        unswept.append(&mut first);
        state.unswept = unswept;
        self.used.store(live, Relaxed);
    }
    /// Claims a region to sweep.
    pub(crate) fn claim_unswept(&self) -> Option<usize> {
        let mut state = self.state.lock();
        let region = state.unswept.pop()?;
        state.sweeping += 1;
        Some(region)
    }
    /// A claimed region was swept: its gaps, or `None` if nothing lives there and it is no longer old.
    pub(crate) fn swept(&self, pool: &Pool, region: usize, runs: Option<Vec<Run>>) {
        let mut state = self.state.lock();
        state.sweeping -= 1;
        match runs {
            Some(runs) if pool.table.kind(region).is_candidate() && !bug::candidates_gaps_are_handed_out() => {
                state.withheld.insert(region, runs);
            }
            Some(runs) => state.add_runs(&runs),
            None => {
                state.regions.remove(&region);
            }
        }
    }
    /// In a stop, with everything swept: makes candidates of regions, each for the batch beside it.
    pub(crate) fn withhold(&self, pool: &Pool, chosen: impl Iterator<Item = (usize, usize)>) {
        let mut state = self.state.lock();
        debug_assert!(state.unswept.is_empty() && state.sweeping == 0, "fullness is known once everything is swept");
        for (region, batch) in chosen {
            pool.table.set_kind(region, Kind::OLD.as_candidate());
            pool.table.set_batch(region, Some(batch));
        }
        if !bug::candidates_gaps_are_handed_out() {
            state.runs.retain(|run| !pool.table.kind(run.offset / REGION_BYTES).is_candidate());
        }
    }
    /// Whether a candidate's sweep is over.
    pub(crate) fn is_withheld(&self, region: usize) -> bool {
        self.state.lock().withheld.contains_key(&region)
    }
    /// In a stop: a candidate is an old region like any other again.
    pub(crate) fn readmit(&self, pool: &Pool, region: usize) {
        // Under the lock: a sweeper that is about to say what it found looks at the kind under it too.
        let mut state = self.state.lock();
        pool.table.set_kind(region, Kind::OLD);
        if let Some(runs) = state.withheld.remove(&region) {
            state.add_runs(&runs);
        }
    }
    /// In a stop: a candidate that is about to be emptied is no longer a part of the old space; returns its live bytes.
    pub(crate) fn remove(&self, pool: &Pool, region: usize) -> usize {
        let mut state = self.state.lock();
        state.regions.remove(&region);
        state.withheld.remove(&region);
        let live = pool.table.with_region(region, |r| r.live.load(Relaxed));
        let less = |used: usize| Some(used.saturating_sub(live));
        let _ = self.used.fetch_update(Relaxed, Relaxed, less);
        live
    }
    /// In a stop, for whoever walks regions: waits for the sweepers at work, and lets none begin until
    /// [`go_on_sweeping`](Self::go_on_sweeping).
    pub(crate) fn hold_sweeping(&self) -> Vec<usize> {
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
    pub(crate) fn go_on_sweeping(&self, held: Vec<usize>) {
        self.state.lock().unswept = held;
    }
    /// Whether every region is swept.
    pub(crate) fn is_swept(&self) -> bool {
        let state = self.state.lock();
        state.unswept.is_empty() && state.sweeping == 0
    }
    /// Regions that wait to be swept.
    pub(crate) fn unswept(&self) -> usize {
        self.state.lock().unswept.len()
    }
    /// Bytes handed out and not found dead.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
    /// Bytes in known gaps, withheld ones included.
    pub(crate) fn free(&self) -> usize {
        let state = self.state.lock();
        let withheld = state.withheld.values().flatten().map(|run| run.bytes).sum::<usize>();
        state.runs.bytes() + withheld
    }
    /// The regions, for whoever walks the heap.
    pub(crate) fn regions(&self) -> Vec<usize> {
        self.state.lock().regions.iter().copied().collect()
    }
}
