//! The collector's face: what the runtime asks for while mutators run, and what it has done once they stand still.
//!
//! ```text
//!   running:  allocate_slow ─ row used up ─▶ wanted ─▶ (runtime: poll flag, safepoint, stop)
//!   stopped:  next_kind ─▶ collect ─▶ hand over ─▶ scavenge | mark + purge + scavenge | evacuate
//!   running:  after_stop ─▶ sweep (helpers, or whoever asks) ─▶ memory made ready, given back ─▶ observers ─▶ drop glue
//! ```
mod after;
mod compacting;
mod idling;
mod marking;
mod mutating;
mod near_limit;
mod owning;
mod resting;
mod stopped;
mod tending;
mod user_code;

use crate::config::{HeapConfig, Settings};
use crate::error::HeapError;
use crate::event::{PhaseTimes, Waiting};
use crate::heap_core::Core;
use crate::pace::dice::Dice;
pub use crate::pace::duty::Forced;
use crate::pace::effort::Effort;
use crate::pace::growth::{self, Speeds};
use crate::pace::nursery::Cost;
use crate::space::pool::Pool;
use crate::space::spaces::Spaces;
use crate::statistics::{StopKind, Stops};
use crate::sync::{Arc, AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Mutex};
use crate::units::{Bytes, REGION_BYTES};
pub use crate::verify::Census;
use crate::workers::Helpers;
pub use idling::Idle;
use marking::Schedule;
pub use near_limit::Pressure;
use resting::Rest;
use std::time::{Duration, Instant};
pub use tending::Chore;
use tending::Tending;

/// What a stop is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// The young generation.
    Young,
    /// Both generations: exactly what is reachable survives.
    Full,
    /// The young generation, and a batch of fragmented old regions.
    Compact,
    /// Both generations, and every object that can move does; the old generation is compact afterwards.
    Evacuate,
    /// The young generation, and marking of the old one begins.
    MarkStart,
    /// The young generation, and marking of the old one ends, if what is left of it fits into the stop.
    MarkFinish,
}

impl CollectionKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Young, Self::Full, Self::Evacuate, Self::MarkStart, Self::MarkFinish, Self::Compact];
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
    /// Somebody wants memory back: see [`Pressure`].
    Pressure,
    /// The program is quiet, and the heap has grown since it last was: see [`HeapConfig::quiet_after`].
    Quiet,
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
    /// Threads that worked in its scavenge: the leader, and helpers or stopped mutators that came; 0 if there was nothing to copy.
    pub workers: usize,
    /// Why it did not leave mutators half of the time, if it did not.
    pub forced: Option<Forced>,
}

impl CollectionReport {
    /// The kind of stop that this was.
    pub const fn stop_kind(&self) -> StopKind {
        match self.kind {
            CollectionKind::Young => StopKind::Young,
            CollectionKind::Full => StopKind::Full,
            CollectionKind::Compact => StopKind::Compact,
            CollectionKind::Evacuate => StopKind::Evacuate,
            CollectionKind::MarkStart => StopKind::MarkStart,
            CollectionKind::MarkFinish => StopKind::MarkFinish,
        }
    }
}

/// One heap's collector.
pub struct Collector {
    core: Arc<Core>,
    helpers: Helpers,
    /// A mutator was refused memory: the next collection is a whole one. Mutators set it, whole collections clear it.
    refused: AtomicBool,
    /// A whole collection left too little below the limit: the embedder is to be asked. Stops set it, who asks clears it.
    near: AtomicBool,
    /// The embedder has raised the limit.
    raised: AtomicBool,
    /// Somebody wants memory back at once. Any thread sets it, whole collections clear it.
    pressed: AtomicBool,
    /// No more free memory is kept than the next stop needs. Pressure sets it, an ordinary cycle clears it.
    lean: AtomicBool,
    /// Whether whole collections near the limit pay. Learns in stops.
    effort: Mutex<Limited>,
    /// Old bytes at which the next full collection is due.
    full_at: AtomicUsize,
    /// Bytes of regions in use at which it is due as well: they grow without old bytes where memory is mostly gaps.
    committed_at: AtomicUsize,
    /// What that is planned with. Learns in stops that end a cycle.
    growth: Mutex<Growth>,
    /// The marking cycle's schedule. Written in stops.
    schedule: Mutex<Schedule>,
    /// Safepoints since zeal last collected.
    zeal_count: AtomicU32,
    /// Refills of buffers since the heap was made, if zeal counts them.
    allocation_count: AtomicU32,
    /// Sweep on the mutator that collected, before it goes on: the program asked for a whole collection.
    sweep_now: AtomicBool,
    /// What decides in the deterministic mode.
    dice: Option<Mutex<Dice>>,
    /// A cycle has ended, and free memory was not given back since.
    release_due: AtomicBool,
    /// What the heap does while nobody asks for memory. Whoever tends it.
    tending: Mutex<Tending>,
    /// Up to how many bytes of regions the caretaker rests. It writes, leaders read.
    rests_up_to: AtomicUsize,
    /// Until when mutators are left alone. Whoever stood still writes it; who would stop others, or step, reads it.
    rest: Rest,
    /// What the last stop was asked for; no kind before the first. For reports only.
    wish: AtomicU8,
    totals: Mutex<Totals>,
    /// Events that nobody was told of yet. Filled in stops and steps, emptied outside.
    waiting: Mutex<Waiting>,
}

/// What is known of life near the limit.
#[derive(Default)]
struct Limited {
    effort: Effort,
    /// Bytes that had been allocated when the last whole collection ended.
    allocated: usize,
}

/// What is known of how the old generation grows.
struct Growth {
    speeds: Speeds,
    /// When the last cycle ended, and the old bytes that it left.
    ended: Instant,
    live: usize,
    /// Bytes that had ever been marked by then.
    marked: u64,
}

#[derive(Default)]
struct Totals {
    scavenges: u64,
    full: u64,
    evacuations: u64,
    compactions: u64,
    emptied: u64,
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
        let pool = pool.with_faults(settings.faults);
        let pool = if settings.zeal.forbid { pool.forbidding() } else { pool };
        let helpers = Helpers::new(settings.helpers, settings.hands())?;
        let spaces = Spaces::new(pool, settings.nursery);
        if settings.adapts() {
            // The first scavenge is there to measure.
            let most = settings.nursery.get().div_ceil(REGION_BYTES);
            spaces.set_nursery_regions(Cost::default().row(settings.pause_target, most));
        }
        spaces.start_mutating();
        // The first pause finds something to copy to.
        spaces.pool.prepare(1);
        let (full_at, nursery) = (settings.initial_old.get(), settings.nursery.get());
        let dice = settings.seed.map(|seed| Mutex::new(Dice::new(seed)));
        Ok(Self {
            core: Arc::new(Core::new(settings, spaces)),
            helpers,
            refused: AtomicBool::new(false),
            near: AtomicBool::new(false),
            raised: AtomicBool::new(false),
            pressed: AtomicBool::new(false),
            lean: AtomicBool::new(false),
            effort: Mutex::default(),
            full_at: AtomicUsize::new(full_at),
            committed_at: AtomicUsize::new(growth::next_committed_at(full_at, 0, 0, usize::MAX, nursery)),
            growth: Mutex::new(Growth { speeds: Speeds::default(), ended: Instant::now(), live: 0, marked: 0 }),
            schedule: Mutex::default(),
            zeal_count: AtomicU32::new(0),
            allocation_count: AtomicU32::new(0),
            sweep_now: AtomicBool::new(false),
            dice,
            release_due: AtomicBool::new(false),
            tending: Mutex::default(),
            rests_up_to: AtomicUsize::new(0),
            rest: Rest::new(),
            wish: AtomicU8::new(u8::MAX),
            totals: Mutex::default(),
            waiting: Mutex::default(),
        })
    }
    /// The checked settings.
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }
}
