//! What all mutators of one heap share.
//!
//! | field | who, when |
//! | --- | --- |
//! | `collector`, `roots`, `world` | everybody; they have locks of their own |
//! | `pause` | a leader, from the moment all are stopped until the release; who lets go of a parked mutator's roots |
//! | `bell` | leaders ring it after a stop; the caretaker sleeps by it |
//! | `leaving` | mutators that were let go on a thread that could not wait for a stop to end |
//! | `last_kind`, `stops` | leaders write them in a stop; mutators read them after one |
use crate::driver::caretaker::Bell;
use crate::mutator::member::Member;
use crate::mutator::root_table::RootTable;
use crate::world::registry::{Seat, World};
use orinoco_collector::collector::Collector;
use orinoco_collector::config::HeapConfig;
use orinoco_collector::error::HeapError;
use orinoco_collector::statistics::StopKind;
use orinoco_collector::sync::{Arc, Mutex};
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One heap.
pub(crate) struct Shared {
    pub(crate) id: usize,
    // Before the collector: members, which refer to it, go first.
    pub(crate) world: World<Member>,
    pub(crate) leaving: Mutex<Vec<Arc<Seat<Member>>>>,
    pub(crate) roots: RootTable,
    pub(crate) collector: Collector,
    pub(crate) pause: Mutex<()>,
    pub(crate) bell: Bell,
    last_kind: AtomicU8,
    stops: AtomicU64,
    /// Zero of the heap's clock.
    pub(crate) born: Instant,
}

impl Shared {
    pub(crate) fn new(config: &HeapConfig) -> Result<Self, HeapError> {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            id,
            world: World::new(),
            leaving: Mutex::new(Vec::new()),
            roots: RootTable::new(id),
            collector: Collector::new(config)?,
            pause: Mutex::new(()),
            bell: Bell::default(),
            last_kind: AtomicU8::new(0),
            stops: AtomicU64::new(0),
            born: Instant::now(),
        })
    }
    /// Nanoseconds of the heap's clock; never 0.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }
    /// Notes that a stop was used, before it is released.
    pub(crate) fn note_stop(&self, kind: StopKind) {
        let index = StopKind::ALL.iter().position(|k| *k == kind).unwrap_or(0);
        self.last_kind.store(index as u8, Ordering::Relaxed);
        self.stops.fetch_add(1, Ordering::Relaxed);
    }
    /// How many stops there were.
    pub(crate) fn stops(&self) -> u64 {
        self.stops.load(Ordering::Relaxed)
    }
    /// Reports how long a mutator stood still in the last stop.
    pub(crate) fn record_stop(&self, since: u64) {
        let kind = StopKind::ALL[usize::from(self.last_kind.load(Ordering::Relaxed))];
        let stood = Duration::from_nanos(self.now().saturating_sub(since));
        self.collector.record_stop(stood, kind);
    }
    /// After a stop, and when a mutator parks: has the caretaker look, if there is something to look at.
    pub(crate) fn stir(&self) {
        if self.collector.settings().is_tended() && self.collector.wants_tending() {
            self.bell.ring();
        }
    }
    /// Lets mutators leave that could not when they were let go. Not from a thread that runs a mutator: it may wait for
    /// the end of a stop.
    pub(crate) fn settle(&self) {
        let leaving = std::mem::take(&mut *self.leaving.lock());
        leaving.iter().for_each(|seat| self.world.detach(seat));
    }
}
