//! The old generation's memory: regions, the gaps in them, and which regions the last marking left unswept.
//!
//! ```text
//!   region:  Swept ──marking ends──▶ Unswept ──claim (one sweeper)──▶ Sweeping ──▶ Swept, or given back
//! ```
//!
//! D1  Only gaps of swept regions are handed out.
//! D2  Mark bits are clear outside the stretch from the start of marking to a region's sweep.
use crate::error::AllocError;
use crate::object::raw::fill;
use crate::region::free_runs::{FreeRuns, Run, SMALLEST};
use crate::region::kind::Kind;
use crate::space::pool::{For, Pool};
use crate::sync::{AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::REGION_BYTES;
use std::collections::BTreeSet;

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
}

impl OldSpace {
    /// Takes a gap of at least `bytes`, fresh memory if there is none. The gap is walkable until it is used.
    pub(crate) fn take(&self, pool: &Pool, bytes: usize, whom: For) -> Result<Run, AllocError> {
        let mut state = self.state.lock();
        let found = state.runs.take(bytes.max(OLD_LAB_BYTES / 8)).or_else(|| state.runs.take(bytes));
        if let Some(run) = found {
            self.used.fetch_add(run.bytes, Relaxed);
            return Ok(run);
        }
        let region = pool.take(1, Kind::OLD, whom)?;
        state.regions.insert(region);
        let offset = region * REGION_BYTES;
        let mine = bytes.clamp(OLD_LAB_BYTES, REGION_BYTES);
        if mine < REGION_BYTES {
            let rest = Run { offset: offset + mine, bytes: REGION_BYTES - mine };
            fill(pool.at(rest.offset), rest.bytes);
            if rest.bytes >= SMALLEST {
                state.runs.add(rest);
            }
        }
        fill(pool.at(offset), mine);
        self.used.fetch_add(mine, Relaxed);
        Ok(Run { offset, bytes: mine })
    }
    /// Gives back what a buffer did not use.
    pub(crate) fn give_back(&self, pool: &Pool, start: *mut u8, bytes: usize) {
        if bytes == 0 {
            return;
        }
        fill(start, bytes);
        self.used.fetch_sub(bytes, Relaxed);
        if bytes >= SMALLEST {
            self.state.lock().runs.add(Run { offset: pool.offset(start.addr()), bytes });
        }
    }
    /// In a pause: a region full of live objects and fillers becomes old as it is.
    pub(crate) fn adopt(&self, region: usize, runs: &[Run], live: usize) {
        let mut state = self.state.lock();
        state.regions.insert(region);
        runs.iter().filter(|r| r.bytes >= SMALLEST).for_each(|r| state.runs.add(*r));
        self.used.fetch_add(live, Relaxed);
    }
    /// In a pause: gives up every region, and says which they were.
    pub(crate) fn take_all(&self) -> Vec<usize> {
        let mut state = self.state.lock();
        debug_assert!(state.unswept.is_empty(), "sweeping comes first");
        state.runs.clear();
        self.used.store(0, Relaxed);
        std::mem::take(&mut state.regions).into_iter().collect()
    }
    /// In the pause that ends marking: every region is to be swept, and no gap is known until it is.
    pub(crate) fn start_sweeping(&self, live: usize) {
        let mut state = self.state.lock();
        state.runs.clear();
        state.unswept = state.regions.iter().copied().collect();
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
    pub(crate) fn swept(&self, region: usize, runs: Option<&[Run]>) {
        let mut state = self.state.lock();
        state.sweeping -= 1;
        match runs {
            Some(runs) => runs.iter().filter(|r| r.bytes >= SMALLEST).for_each(|r| state.runs.add(*r)),
            None => {
                state.regions.remove(&region);
            }
        }
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
    /// Bytes in known gaps.
    pub(crate) fn free(&self) -> usize {
        self.state.lock().runs.bytes()
    }
    /// The regions, for whoever walks the heap.
    pub(crate) fn regions(&self) -> Vec<usize> {
        self.state.lock().regions.iter().copied().collect()
    }
}
