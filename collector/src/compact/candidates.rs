//! The regions that are to be emptied, batch by batch.
//!
//! K1 to K4 are those of [`compact`](crate::compact).
use crate::compact::choose::{Fill, Speed, batches};
use crate::compact::records::{Batches, Hosts, Records};
use crate::object::task::Task;
use crate::space::spaces::Spaces;
use crate::sync::{AtomicBool, Mutex, Ordering::Relaxed};
use crate::units::REGION_BYTES;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// The candidates of one heap. Changed in stops; read by anybody.
#[derive(Default)]
pub(crate) struct Candidates {
    /// Batches that wait for their turn, by number.
    waiting: Mutex<VecDeque<Batch>>,
    /// Whether any waits, or may.
    any: AtomicBool,
    /// Who refers to them.
    pub records: Records<Task>,
    speed: Mutex<Speed>,
}

struct Batch {
    number: usize,
    /// K2. One that its sweep found empty is a candidate no longer, and perhaps somebody else's.
    regions: Vec<usize>,
}

/// A batch that is about to be emptied.
#[derive(Debug)]
pub(crate) struct Condemned {
    pub regions: Vec<usize>,
    /// Bytes that live there.
    pub bytes: usize,
    /// Who referred to them when they were last looked at.
    pub hosts: Hosts<Task>,
}

/// What a stop can afford.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// Anything: zeal.
    Unbounded,
    /// So much time.
    Time(Duration),
}

impl Candidates {
    /// Whether there are candidates, so that references to them have to be remembered.
    pub(crate) fn are_any(&self) -> bool {
        self.any.load(Relaxed)
    }
    /// In the stop that starts marking, with everything swept: chooses anew. Regions in `pinned` cannot be emptied.
    pub(crate) fn choose(&self, spaces: &Spaces, pinned: &HashSet<usize>, budget: Budget) {
        debug_assert!(!self.are_any(), "K4");
        let (bytes, always) = match budget {
            // Several batches all the same: what refers from one to another is where mistakes would hide.
            Budget::Unbounded => (4 * REGION_BYTES, true),
            Budget::Time(time) => (self.speed.lock().bytes_in(time), false),
        };
        if !always && !spaces.old.is_full_of_gaps() {
            return;
        }
        let table = &spaces.pool.table;
        (0..table.opened()).for_each(|region| table.set_batch(region, None));
        let fill = |region| Fill { region, used: table.with_region(region, |r| r.live.load(Relaxed)) };
        let regions = spaces.old.regions().into_iter().filter(|r| !pinned.contains(r)).map(fill).collect();
        let chosen = batches(regions, bytes, always);
        self.records.begin(chosen.len());
        let numbered = || chosen.iter().enumerate();
        spaces.old.withhold(&spaces.pool, numbered().flat_map(|(n, batch)| batch.iter().map(move |r| (r.region, n))));
        *self.waiting.lock() = numbered()
            .map(|(number, batch)| Batch { number, regions: batch.iter().map(|r| r.region).collect() })
            .collect();
        self.any.store(!chosen.is_empty(), Relaxed);
    }
    /// Whether the next batch's regions are swept: it is known what lives there.
    pub(crate) fn is_next_ready(&self, spaces: &Spaces) -> bool {
        let waiting = self.waiting.lock();
        let is_candidate = |region: &&usize| spaces.pool.table.kind(**region).is_candidate();
        waiting.front().is_some_and(|b| b.regions.iter().filter(is_candidate).all(|r| spaces.old.gaps.is_withheld(*r)))
    }
    /// In a stop, with the next batch ready: takes it, or the first after it that fits into `budget`; those before are
    /// given up. `None` if none is left.
    pub(crate) fn condemn_next(&self, spaces: &Spaces, budget: Budget) -> Option<Condemned> {
        let table = &spaces.pool.table;
        loop {
            if !self.is_next_ready(spaces) {
                return None;
            }
            let mut batch = self.waiting.lock().pop_front()?;
            self.any.store(!self.waiting.lock().is_empty(), Relaxed);
            batch.regions.retain(|region| table.kind(*region).is_candidate());
            let live = |region: &usize| table.with_region(*region, |r| r.live.load(Relaxed));
            let bytes = batch.regions.iter().map(live).sum();
            let time = self.speed.lock().time_for(bytes, self.records.count(batch.number));
            if batch.regions.is_empty() || matches!(budget, Budget::Time(most) if time > most) {
                self.give_up(spaces, batch);
                continue;
            }
            batch.regions.iter().for_each(|region| spaces.old.remove(&spaces.pool, *region));
            let hosts = self.records.condemn(batch.number);
            return Some(Condemned { regions: batch.regions, bytes, hosts });
        }
    }
    fn give_up(&self, spaces: &Spaces, batch: Batch) {
        let is_candidate = |region: &&usize| spaces.pool.table.kind(**region).is_candidate();
        batch.regions.iter().filter(is_candidate).for_each(|region| spaces.old.readmit(&spaces.pool, *region));
        self.records.forget(batch.number);
    }
    /// In a stop without marking: nothing is a candidate any more.
    pub(crate) fn give_up_all(&self, spaces: &Spaces) {
        let batches = std::mem::take(&mut *self.waiting.lock());
        batches.into_iter().for_each(|batch| self.give_up(spaces, batch));
        self.any.store(false, Relaxed);
    }
    /// How many regions wait.
    pub(crate) fn count(&self, spaces: &Spaces) -> usize {
        let waiting = self.waiting.lock();
        let is_candidate = |region: &&usize| spaces.pool.table.kind(**region).is_candidate();
        waiting.iter().map(|batch| batch.regions.iter().filter(is_candidate).count()).sum()
    }
    /// Notes how long it took to empty a batch.
    pub(crate) fn learn(&self, bytes: usize, took: Duration) {
        self.speed.lock().learn(bytes, took);
    }
    /// The candidates that wait, for the verifier: the batch of a region.
    pub(crate) fn batch_of(&self, spaces: &Spaces, region: usize) -> Option<usize> {
        let table = &spaces.pool.table;
        table.kind(region).is_candidate().then(|| table.batch(region)).flatten()
    }
}

/// The batches that a visitor met references to, gathered over a host.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen(pub Batches);

impl Seen {
    /// A reference into a candidate.
    #[cold]
    pub(crate) fn meet(&mut self, spaces: &Spaces, addr: usize) {
        let table = &spaces.pool.table;
        if let Some(batch) = table.batch(table.index(addr)) {
            self.0.add(batch);
        }
    }
}
