//! The old generation's memory: its regions, and how much of them is in use. Gaps and the sweep are [`gaps`](super::gaps).
//!
//! D1  Only gaps of swept regions are handed out, and none of a candidate's (see `compact`).
//! D2  Mark bits are clear outside the stretch from the start of marking to a region's sweep.
//! D3  `used` is the sum over all regions of their `live` once everything is swept.
use crate::error::AllocError;
use crate::object::raw::fill;
use crate::region::free_runs::Run;
use crate::region::kind::Kind;
use crate::space::gaps::{Gaps, OLD_LAB_BYTES};
use crate::space::pool::{For, Pool};
use crate::sync::{AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::REGION_BYTES;
use std::collections::{BTreeSet, VecDeque};

/// Old regions of small objects.
#[derive(Default)]
pub(crate) struct OldSpace {
    /// Changed by who takes a fresh one, by sweepers, and in stops.
    regions: Mutex<BTreeSet<usize>>,
    pub gaps: Gaps,
    /// Bytes handed out and not found dead. Changed by whoever takes or sweeps; read by anybody.
    used: AtomicUsize,
}

impl OldSpace {
    /// Takes a gap of at least `bytes`, if one is known. The gap is walkable until it is used.
    pub(crate) fn try_take(&self, pool: &Pool, bytes: usize) -> Option<Run> {
        let run = self.gaps.try_take(bytes)?;
        self.handed_out(pool, run);
        Some(run)
    }
    /// Takes a gap of at least `bytes`, fresh memory if there is none. The gap is walkable until it is used.
    pub(crate) fn take(&self, pool: &Pool, bytes: usize, whom: For) -> Result<Run, AllocError> {
        // Under the lock, so that of two who find no gap one finds the rest of what the other took.
        let mut regions = self.regions.lock();
        if let Some(run) = self.try_take(pool, bytes) {
            return Ok(run);
        }
        let region = pool.take(1, Kind::OLD, whom)?;
        regions.insert(region);
        let offset = region * REGION_BYTES;
        let mine = bytes.clamp(OLD_LAB_BYTES, REGION_BYTES);
        if mine < REGION_BYTES {
            let rest = Run { offset: offset + mine, bytes: REGION_BYTES - mine };
            fill(pool.at(rest.offset), rest.bytes);
            self.gaps.add(&[rest]);
        }
        drop(regions);
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
        self.gaps.add(&[run]);
    }
    /// In a pause: a region full of live objects and fillers becomes old as it is.
    pub(crate) fn adopt(&self, pool: &Pool, region: usize, runs: &[Run], live: usize) {
        pool.table.set_kind(region, Kind::OLD);
        pool.table.with_region(region, |r| r.live.store(live, Relaxed));
        self.regions.lock().insert(region);
        self.gaps.add(runs);
        self.used.fetch_add(live, Relaxed);
    }
    /// In a pause: gives up every region, and says which they were.
    pub(crate) fn take_all(&self) -> Vec<usize> {
        self.gaps.clear();
        self.used.store(0, Relaxed);
        std::mem::take(&mut *self.regions.lock()).into_iter().collect()
    }
    /// In the pause that ends marking: every region is to be swept, candidates first, and no gap is known until it is.
    /// `purge` drops what refers into the dead, before that.
    pub(crate) fn start_sweeping(&self, pool: &Pool, live: usize, purge: impl FnOnce()) {
        let is_candidate = |region: &usize| pool.table.kind(*region).is_candidate();
        let (mut unswept, mut first): (VecDeque<_>, VecDeque<_>) =
            self.regions.lock().iter().copied().partition(|region| !is_candidate(region));
        unswept.append(&mut first);
        self.used.store(live, Relaxed);
        self.gaps.begin(unswept, purge);
    }
    /// Claims a region whose gaps can be handed out when it is swept.
    pub(crate) fn claim_for_room(&self, pool: &Pool) -> Option<usize> {
        self.gaps.claim_for_room(|region| pool.table.kind(region).is_candidate())
    }
    /// A claimed region was swept: its gaps, or `None` if nothing lives there and it is no longer old.
    pub(crate) fn swept(&self, pool: &Pool, region: usize, runs: Option<Vec<Run>>) {
        if runs.is_none() {
            self.regions.lock().remove(&region);
        }
        let known = runs.is_some();
        self.gaps.swept(region, runs.unwrap_or_default(), || known && pool.table.kind(region).is_candidate());
    }
    /// In a stop, with everything swept: makes candidates of regions, each for the batch beside it.
    pub(crate) fn withhold(&self, pool: &Pool, chosen: impl Iterator<Item = (usize, usize)>) {
        let choose = || {
            for (region, batch) in chosen {
                pool.table.set_kind(region, Kind::OLD.as_candidate());
                pool.table.set_batch(region, Some(batch));
            }
        };
        self.gaps.withhold(choose, |run| pool.table.kind(run.offset / REGION_BYTES).is_candidate());
    }
    /// In a stop: a candidate is an old region like any other again.
    pub(crate) fn readmit(&self, pool: &Pool, region: usize) {
        self.gaps.readmit(region, || pool.table.set_kind(region, Kind::OLD));
    }
    /// In a stop: a candidate that is about to be emptied is no longer a part of the old space.
    pub(crate) fn remove(&self, pool: &Pool, region: usize) {
        self.regions.lock().remove(&region);
        self.gaps.remove(region);
        let live = pool.table.with_region(region, |r| r.live.load(Relaxed));
        let _ = self.used.fetch_update(Relaxed, Relaxed, |used| Some(used.saturating_sub(live)));
    }
    /// Whether more than a quarter of the space is gaps, known or to be found by a sweep: room for what is promoted.
    pub(crate) fn is_full_of_gaps(&self) -> bool {
        let bytes = self.regions.lock().len() * REGION_BYTES;
        bytes.saturating_sub(self.used()) > bytes / 4
    }
    /// Whether every region is swept.
    pub(crate) fn is_swept(&self) -> bool {
        self.gaps.unswept() == 0
    }
    /// Bytes handed out and not found dead.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
    /// How many regions there are.
    pub(crate) fn region_count(&self) -> usize {
        self.regions.lock().len()
    }
    /// The regions, for whoever walks the heap.
    pub(crate) fn regions(&self) -> Vec<usize> {
        self.regions.lock().iter().copied().collect()
    }
}
