//! The collector's face: what the runtime asks for while mutators run, and what it has done once they stand still.
//!
//! ```text
//!   running:  allocate_slow ─ row used up ─▶ wanted ─▶ (runtime: poll flag, safepoint, stop)
//!   stopped:  next_kind ─▶ collect ─▶ hand over ─▶ scavenge | mark + purge + scavenge | evacuate
//!   running:  after_stop ─▶ sweep (helpers, or whoever asks) ─▶ run_drops
//! ```
mod marking;
mod stopped;

use crate::config::{HeapConfig, Settings};
use crate::error::{AllocError, HeapError};
use crate::event::{Event, PhaseTimes, Waiting};
use crate::heap_core::Core;
use crate::mutator_local::{MutatorLocal, Remembered};
use crate::object::header::{HashState, hash_at, hash_state, with_hash_state};
use crate::object::raw::{ObjectRef, fill};
use crate::object::trace::PlaceOps;
use crate::pace::Dice;
use crate::planted::bug;
use crate::region::kind::Kind;
use crate::region::lab::Lab;
use crate::scavenge::cycle::Tally;
use crate::space::pool::Pool;
use crate::space::spaces::Spaces;
use crate::statistics::{MemoryUsage, Statistics, StopKind, Stops, resident_set};
use crate::sweep;
use crate::sync::{Arc, AtomicBool, AtomicU32, AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::{Bytes, LAB_BYTES, LARGE_BYTES, REGION_BYTES};
pub use crate::verify::Census;
use crate::workers::Helpers;
use marking::Schedule;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// What a stop is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// The young generation.
    Young,
    /// Both generations: exactly what is reachable survives.
    Full,
    /// Both generations, and every object that can move does; the old generation is compact afterwards.
    Evacuate,
    /// The young generation, and marking of the old one begins.
    MarkStart,
    /// The young generation, and marking of the old one ends, if what is left of it fits into the stop.
    MarkFinish,
}

/// Why a collection ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The nursery was used up.
    NurseryFull,
    /// The old generation reached its plan.
    OldGrown,
    /// The program asked.
    Explicit,
    /// The configuration asks for it at every safepoint.
    Zeal,
    /// The markers ran dry.
    MarkedAll,
    /// The limit leaves no room for a nursery.
    LimitNear,
    /// The seed of the deterministic mode.
    Seed,
}

/// What a collection did.
#[derive(Clone, Copy, Debug)]
pub struct CollectionReport {
    /// What was collected.
    pub kind: CollectionKind,
    /// Why.
    pub cause: Cause,
    /// Old bytes before.
    pub old_before: Bytes,
    /// Old bytes after.
    pub old_after: Bytes,
    /// Bytes copied within the young generation.
    pub copied: Bytes,
    /// Bytes moved to the old generation.
    pub promoted: Bytes,
    /// Whether the old generation is collected now.
    pub ended_cycle: bool,
    /// The collector's own time in the stop.
    pub pause: Duration,
    /// What the leading thread spent on its processor of that; the rest it waited for helpers, or for a core.
    pub cpu: Duration,
    /// What it was spent on.
    pub phases: PhaseTimes,
}

impl CollectionReport {
    /// The kind of stop that this was.
    pub const fn stop_kind(&self) -> StopKind {
        match self.kind {
            CollectionKind::Young => StopKind::Young,
            CollectionKind::Full => StopKind::Full,
            CollectionKind::Evacuate => StopKind::Evacuate,
            CollectionKind::MarkStart => StopKind::MarkStart,
            CollectionKind::MarkFinish => StopKind::MarkFinish,
        }
    }
}

/// Entries that one mutator's barrier may leave before a scavenge is due, however little was allocated: visiting them
/// is part of a pause.
const MANY_REMEMBERED: usize = 32 << 10;

/// One heap's collector.
pub struct Collector {
    core: Arc<Core>,
    helpers: Helpers,
    /// The row is used up: the next safepoint collects. Mutators set it, collections clear it.
    wanted: AtomicBool,
    /// Old bytes at which the next full collection is due.
    full_at: AtomicUsize,
    /// The marking cycle's schedule. Written in stops.
    schedule: Mutex<Schedule>,
    /// Safepoints since zeal last collected.
    zeal_count: AtomicU32,
    /// Sweep on the mutator that collected, before it goes on: the program asked for a whole collection.
    sweep_now: AtomicBool,
    /// What decides in the deterministic mode.
    dice: Option<Mutex<Dice>>,
    /// A cycle has ended, and free memory was not given back since.
    release_due: AtomicBool,
    totals: Mutex<Totals>,
    /// Events that nobody was told of yet. Filled in stops and steps, emptied outside.
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Totals {
    scavenges: u64,
    full: u64,
    evacuations: u64,
    copied: u64,
    promoted: u64,
    freed: u64,
    marked: u64,
    retained: u64,
    stops: Stops,
    pauses: Stops,
}

impl Collector {
    /// Reserves a heap's address space and starts its helpers.
    ///
    /// # Errors
    /// [`HeapError`] says which setting is out of range, or what the operating system refused.
    pub fn new(config: &HeapConfig) -> Result<Self, HeapError> {
        let settings = config.clone().build()?;
        let pool = Pool::new(settings.limit, settings.nursery)
            .map_err(|(wanted, errno)| HeapError::Reservation { wanted, os_error: errno.raw_os_error() })?;
        let helpers = Helpers::new(settings.helpers)?;
        let spaces = Spaces::new(pool, settings.nursery);
        spaces.start_mutating();
        let full_at = settings.initial_old.get();
        let dice = settings.seed.map(|seed| Mutex::new(Dice::new(seed)));
        Ok(Self {
            core: Arc::new(Core::new(settings, spaces)),
            helpers,
            wanted: AtomicBool::new(false),
            full_at: AtomicUsize::new(full_at),
            schedule: Mutex::default(),
            zeal_count: AtomicU32::new(0),
            sweep_now: AtomicBool::new(false),
            dice,
            release_due: AtomicBool::new(false),
            totals: Mutex::default(),
            waiting: Mutex::default(),
        })
    }
    /// The checked settings.
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    // ---- mutators: attach and leave

    /// A mutator's part, in the present phase. No stop may begin before it is registered.
    pub fn new_local(&self) -> MutatorLocal {
        let table = &self.core.spaces.pool.table;
        let marking = self.core.is_marking();
        MutatorLocal {
            lab: Lab::default(),
            barrier_table: Cell::new(table.barrier.table(marking)),
            region_mask: Cell::new(table.mask()),
            marking: Cell::new(marking),
            remembered: RefCell::default(),
            shaded: RefCell::default(),
            rest_until: Cell::new(None),
            droppables: RefCell::default(),
        }
    }
    /// Takes over what a mutator that leaves still holds. No stop is on.
    pub fn retire_local(&self, local: &MutatorLocal) {
        self.hand_over(local);
    }
    fn hand_over(&self, local: &MutatorLocal) {
        let (rest, free) = local.lab.retire();
        fill(rest, free);
        let core = &self.core;
        core.remembered.lock().append(&mut local.remembered.borrow_mut());
        core.droppables.lock().append(&mut local.droppables.borrow_mut());
        core.publish_shaded(local.shaded.borrow_mut().drain(..));
    }

    // ---- mutators: memory

    /// Memory for a small or middling object (`bytes` up to [`LARGE_BYTES`], whole words) when the buffer has no room.
    ///
    /// # Errors
    /// [`AllocError`] at the limit; a collection at the next safepoint may help.
    pub fn allocate_slow(&self, local: &MutatorLocal, bytes: usize) -> Result<*mut u8, AllocError> {
        debug_assert!(bytes <= LARGE_BYTES && bytes.is_multiple_of(8));
        self.assist(local, LAB_BYTES.max(bytes));
        let spaces = &self.core.spaces;
        if bytes > LAB_BYTES / 4 {
            // A buffer for it would throw away too much of the present one. It counts as nursery all the same.
            let start = spaces.overflow(bytes);
            if start.is_err() || spaces.is_nursery_full_hint() {
                self.want();
            }
            return start;
        }
        if local.remembered.borrow().len() > MANY_REMEMBERED {
            self.want();
        }
        let (start, got, used_up) = spaces.lab().inspect_err(|_| self.want())?;
        if used_up {
            self.want();
        }
        let (rest, free) = local.lab.replace(start, got);
        fill(rest, free);
        Ok(local.lab.try_bump(bytes).expect("a fresh buffer has room for a quarter of itself"))
    }
    /// Memory for a large object: regions of its own.
    ///
    /// # Errors
    /// [`AllocError`] at the limit, or when no heap of this limit could hold it.
    pub fn allocate_large(&self, _local: &MutatorLocal, bytes: usize, has_edges: bool) -> Result<*mut u8, AllocError> {
        let kind = if has_edges { Kind::LARGE_OLD } else { Kind::LARGE_YOUNG };
        let start = self.core.spaces.large(bytes, kind);
        let spaces = &self.core.spaces;
        let near = start.is_err() || spaces.young_bytes_hint() > spaces.nursery_regions() * REGION_BYTES;
        if near || self.is_full_due() {
            self.want();
        }
        start
    }
    /// After a large object with references is completely written: it was born old, and its stores had no barrier.
    ///
    /// # Safety
    /// `object` came from [`allocate_large`](Self::allocate_large) in this window and is completely written.
    #[expect(unsafe_code, reason = "the runtime vouches for the object")]
    pub unsafe fn finish_large(&self, local: &MutatorLocal, object: ObjectRef) {
        self.core.after_birth(local, object);
    }
    /// Makes an abandoned range walkable.
    ///
    /// # Safety
    /// The range was handed out by this collector in this window and no object is in it.
    #[expect(unsafe_code, reason = "the runtime vouches for the range")]
    pub unsafe fn fill(&self, start: *mut u8, bytes: usize) {
        fill(start, bytes);
    }
    fn want(&self) {
        if !self.wanted.load(Relaxed) {
            self.wanted.store(true, Relaxed);
        }
    }
    /// Whether the next safepoint should collect.
    pub fn collection_wanted(&self) -> bool {
        self.wanted.load(Relaxed)
    }

    // ---- mutators: barriers and identity

    /// Whether an address lies in the heap.
    pub fn contains(&self, addr: usize) -> bool {
        self.core.spaces.pool.contains(addr)
    }
    /// Whether a heap address is young.
    pub fn is_young(&self, addr: usize) -> bool {
        self.core.spaces.pool.table.kind_at(addr).is_young()
    }
    /// After `target` was stored at `slot`, when the barrier's fast path cannot tell that nothing is to be done.
    ///
    /// # Safety
    /// `target` is a live object of this heap, and `ops` are those of the type of `slot`.
    #[expect(unsafe_code, reason = "the runtime vouches for the pairing of place and operations")]
    pub unsafe fn barrier_slow(&self, local: &MutatorLocal, slot: *mut u8, target: ObjectRef, ops: &'static PlaceOps) {
        self.core.after_store(local, slot, target, ops);
    }
    /// After an old lock was taken: its content may come to refer to something young, or to something old and white.
    ///
    /// # Safety
    /// `lock` is a lock in an old object of this heap, and `ops` are those of its type.
    #[expect(unsafe_code, reason = "the runtime vouches for the pairing of place and operations")]
    pub unsafe fn remember_lock(&self, local: &MutatorLocal, lock: *mut u8, ops: &'static PlaceOps) {
        if !bug::lock_is_not_listed() {
            self.core.remember(local, lock, ops);
        }
    }
    /// After an old object began to refer weakly to something young.
    ///
    /// # Safety
    /// `object` is a live old object of this heap whose type has weak operations.
    #[expect(unsafe_code, reason = "the runtime vouches for the object")]
    pub unsafe fn remember_weak(&self, local: &MutatorLocal, object: ObjectRef) {
        local.remembered.borrow_mut().push(Remembered::Weak(object));
    }
    /// After elements `from..to` of an array were written without their slots' barriers.
    ///
    /// # Safety
    /// `array` is a live array of this heap and the range is within it.
    #[expect(unsafe_code, reason = "the runtime vouches for the range")]
    pub unsafe fn range_barrier(&self, local: &MutatorLocal, array: ObjectRef, from: usize, to: usize) {
        self.core.after_range(local, array, from, to);
    }
    /// While marking: keeps an old object that a mutator got hold of without a store.
    pub fn shade(&self, local: &MutatorLocal, target: ObjectRef) {
        self.core.shade(local, target);
    }
    /// The object's identity hash: the same for its whole life, wherever it moves.
    pub fn identity_hash(&self, object: ObjectRef) -> u64 {
        let header = object.header_now();
        match hash_state(header) {
            HashState::Stored => object.stored_hash(header),
            state => {
                if state == HashState::Unhashed {
                    // Relaxed: all who ask compute the same number, and only a pause, which orders everything, reads
                    // the state for another purpose.
                    object.header().fetch_or(with_hash_state(0, HashState::Hashed), Relaxed);
                }
                let pool = &self.core.spaces.pool;
                let birth = pool.table.with_region(pool.table.index(object.addr()), |r| r.births.load(Relaxed));
                hash_at(pool.offset(object.addr()), birth)
            }
        }
    }

    // ---- after the stop, with the world running

    /// Gets the sweep going, and runs the drop glue of what has died. Panics of drop glue pass through; what was not
    /// dropped yet is dropped by the next call.
    pub fn run_drops(&self) {
        if self.sweep_now.swap(false, Relaxed) {
            sweep::finish(&self.core);
        } else if self.core.spaces.old.unswept() > 0 {
            let core = self.core.clone();
            if !self.helpers.spawn(move || sweep::finish(&core)) {
                // Nobody else will: a few regions at each collection, and as many as are needed at the next full one.
                for _ in 0..16 {
                    if !sweep::sweep_one(&self.core) {
                        break;
                    }
                }
            }
        }
        self.tidy();
        self.tell_observer();
        loop {
            let next = self.core.graveyard.lock().pop();
            match next {
                Some(corpse) => corpse.bury(),
                None => return,
            }
        }
    }
    /// Has memory ready for the next pause, and gives back what a finished cycle left over. On a helper if there is one:
    /// neither the first touch of memory nor its release belongs into a pause.
    fn tidy(&self) {
        let core = self.core.clone();
        let ended = self.release_due.swap(false, Relaxed);
        let work = move || {
            let spaces = &core.spaces;
            let row = spaces.nursery_regions();
            spaces.pool.prepare(2 * row);
            if ended {
                spaces.pool.release_free(2 * row + spaces.pool.in_use() / 4);
            }
        };
        if !self.helpers.spawn(work.clone()) {
            work();
        }
    }
    fn tell_observer(&self) {
        let Some(observer) = &self.core.settings.observer else { return };
        loop {
            let next = self.waiting.lock().pop();
            match next {
                Some(event) => observer.0.event(&event),
                None => return,
            }
        }
    }
    /// Puts an event where it waits to be told.
    fn happened(&self, event: Event) {
        if self.core.settings.observer.is_some() {
            self.waiting.lock().push(event);
        }
    }
    /// Records how long a mutator stood still, from the request to running again.
    pub fn record_stop(&self, stop: Duration, kind: StopKind) {
        self.totals.lock().stops.record(kind, stop);
        if self.core.settings.observer.is_some() {
            let (thread, ended) = (std::thread::current().id(), Instant::now());
            self.happened(Event::Stop { kind, thread, ended, stood: stop });
        }
    }
    fn note(&self, report: &CollectionReport, tally: &Tally) {
        let mut t = self.totals.lock();
        match report.kind {
            CollectionKind::Evacuate => t.evacuations += 1,
            _ => t.scavenges += 1,
        }
        t.full += u64::from(report.ended_cycle);
        t.copied += tally.copied as u64;
        t.promoted += tally.promoted as u64;
        t.freed += tally.freed as u64;
        t.retained += tally.retained_regions as u64;
        t.pauses.record(report.stop_kind(), report.pause);
        drop(t);
        self.happened(Event::Pause(*report));
    }
    /// The heap's memory at one glance; stops nobody.
    pub fn memory_usage(&self) -> MemoryUsage {
        let spaces = &self.core.spaces;
        MemoryUsage {
            rss: resident_set(),
            heap_total: Bytes::new(spaces.pool.in_use() * REGION_BYTES),
            heap_used: Bytes::new(spaces.old_bytes() + spaces.young_bytes_hint()),
        }
    }
    /// The heap's figures.
    pub fn statistics(&self) -> Statistics {
        let spaces = &self.core.spaces;
        let t = self.totals.lock();
        Statistics {
            scavenges: t.scavenges,
            full_collections: t.full,
            evacuations: t.evacuations,
            bytes_copied: t.copied,
            bytes_promoted: t.promoted,
            bytes_freed: t.freed,
            bytes_marked: t.marked,
            regions_retained: t.retained,
            old_used: Bytes::new(spaces.old_bytes()),
            old_free: Bytes::new(spaces.old.free()),
            large_used: Bytes::new(spaces.large_bytes()),
            young_used: Bytes::new(spaces.young_bytes_hint()),
            committed: Bytes::new(spaces.pool.in_use() * REGION_BYTES),
            limit: Bytes::new(spaces.pool.limit() * REGION_BYTES),
            stops: t.stops.summary(),
            pauses: t.pauses.summary(),
        }
    }
}

impl Drop for Collector {
    /// Drops every value that is left; in no order, and with nothing of the heap to look at.
    fn drop(&mut self) {
        sweep::finish(&self.core);
        let core = &self.core;
        let table = &core.spaces.pool.table;
        let mut rest = std::mem::take(&mut *core.droppables.lock());
        for index in 0..table.opened() {
            table.with_region(index, |r| rest.append(&mut r.droppables.lock()));
        }
        rest.into_iter().for_each(|object| core.bury(object));
        self.run_drops();
    }
}
