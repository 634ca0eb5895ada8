//! What all algorithms of one heap work on: its spaces, its lists, and the cycle's shared state.
use crate::compact::candidates::Candidates;
use crate::config::Settings;
use crate::graveyard::Graveyard;
use crate::mark::clearing::Clearing;
use crate::mark::concurrent::Markers;
use crate::mutator_local::Remembered;
use crate::object::grave::Corpse;
use crate::object::raw::{ObjectRef, PlacePtr, object_at};
use crate::object::task::Task;
use crate::object::trace::Deferred;
use crate::object::weak::EntryRef;
use crate::pace::nursery::Cost;
use crate::pace::tenure::Tenure;
use crate::recent::Recent;
use crate::space::spaces::Spaces;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::{REGION_BYTES, WORD};
use crate::worklist::shared::Worklist;
use crate::worklist::waiting::Waiting;
use std::collections::VecDeque;

/// One heap, as its collections see it.
pub(crate) struct Core {
    pub settings: Settings,
    pub spaces: Spaces,
    /// A collection is due: the next safepoint stops the world. Mutators set it, collections clear it.
    pub wanted: AtomicBool,
    /// Old places that may hold young references, beside what mutators have not handed over yet.
    /// Taken and refilled in pauses, added to by mutators that leave.
    pub remembered: Mutex<Vec<Remembered>>,
    /// Young objects with drop glue; as above.
    pub droppables: Mutex<Vec<ObjectRef>>,
    /// The dead whose drop glue has not run.
    pub graveyard: Graveyard,
    /// Grey old objects. Markers and barriers push, markers pop.
    pub grey: Worklist<Task>,
    /// The helpers that mark beside the program.
    pub markers: Markers,
    /// What concurrent markers could not look at.
    pub deferred: Mutex<Vec<Deferred>>,
    /// Entries of marked ephemeron tables whose keys are white. Markers only.
    pub waiting: Waiting<ObjectRef, EntryRef>,
    /// Whether there ever was an ephemeron table: else markers need not ask whether a key woke somebody. Set before the
    /// first one is made, never cleared.
    pub ephemerons: AtomicBool,
    /// Entries of weak containers that collections have looked at, ever.
    pub entries_visited: AtomicUsize,
    /// Registries that have something to say to the program. Settled in pauses, taken and put back by mutators.
    pub ready: Mutex<VecDeque<ObjectRef>>,
    /// Live objects with weak references that marking met.
    pub weak_found: Mutex<Vec<ObjectRef>>,
    /// Nanoseconds on a core that all who marked have spent on it, since a cycle last ended. Markers add to it.
    pub marking_time: AtomicU64,
    /// What refers weakly to the dead, when marking has found them, and is still to be cleared.
    pub clearing: Clearing<ObjectRef>,
    /// Whether old objects are being marked. Changes in pauses only.
    pub marking: AtomicBool,
    /// Of a thousand bytes of nursery, how many survived of late. Written in pauses.
    survival: AtomicUsize,
    /// Whether that is a measurement: the young generation was not promoted unseen since. Written in pauses.
    measured: AtomicBool,
    /// What a byte of nursery costs. Written in pauses.
    pub cost: Mutex<Cost>,
    /// What happened last, for whoever looks for a mistake.
    pub recent: Recent,
    /// Whether survivors go on to survive. Written in pauses.
    pub tenure: Mutex<Tenure>,
    /// Fragmented regions that are to be emptied, and who refers to them.
    pub candidates: Candidates,
    /// Bytes that became old, and black, since marking began. Written in pauses.
    pub born_black: AtomicUsize,
}

impl Core {
    pub(crate) fn new(settings: Settings, spaces: Spaces) -> Self {
        let graveyard = Graveyard::new(spaces.pool.owned.clone());
        Self {
            settings,
            spaces,
            wanted: AtomicBool::new(false),
            remembered: Mutex::default(),
            droppables: Mutex::default(),
            graveyard,
            grey: Worklist::new(),
            markers: Markers::new(),
            deferred: Mutex::default(),
            waiting: Waiting::shared(),
            ephemerons: AtomicBool::new(false),
            entries_visited: AtomicUsize::new(0),
            ready: Mutex::default(),
            weak_found: Mutex::default(),
            marking_time: AtomicU64::new(0),
            clearing: Clearing::default(),
            marking: AtomicBool::new(false),
            survival: AtomicUsize::new(300),
            measured: AtomicBool::new(true),
            cost: Mutex::default(),
            recent: Recent::new(),
            tenure: Mutex::default(),
            candidates: Candidates::default(),
            born_black: AtomicUsize::new(0),
        }
    }
    /// Whether a stop is about to be, or on: what helpers do beside the program can wait, and their hands are wanted.
    pub(crate) fn is_stop_wanted(&self) -> bool {
        // Relaxed: a hint, and nothing that was done before it.
        self.wanted.load(Relaxed)
    }
    /// Whether a marking cycle is on.
    pub(crate) fn is_marking(&self) -> bool {
        self.marking.load(Relaxed)
    }
    /// Of a thousand bytes of nursery, how many survived of late.
    pub(crate) fn survival_permille(&self) -> usize {
        self.survival.load(Relaxed)
    }
    /// Notes how many of `condemned` bytes survived: half of the new estimate is this, half what was known.
    pub(crate) fn note_survival(&self, survived: usize, condemned: usize) {
        if condemned > 0 {
            let now = (survived as u128 * 1000 / condemned as u128).min(1000) as usize;
            self.survival.store(self.survival_permille().midpoint(now), Relaxed);
            self.measured.store(true, Relaxed);
        }
    }
    /// Notes that the young generation was promoted unseen: until a scavenge measures again, nothing is known.
    pub(crate) fn note_unmeasured(&self) {
        self.measured.store(false, Relaxed);
    }
    /// Whether the last young collection measured how much survives.
    pub(crate) fn is_survival_measured(&self) -> bool {
        self.measured.load(Relaxed)
    }
    /// Claims the mark bit of an object.
    #[inline(always)]
    pub(crate) fn try_mark(&self, object: ObjectRef) -> bool {
        let pool = &self.spaces.pool;
        pool.marks().try_mark(pool.bit(object.addr()))
    }
    /// Whether an object is marked.
    #[inline(always)]
    pub(crate) fn is_marked(&self, object: ObjectRef) -> bool {
        let pool = &self.spaces.pool;
        pool.marks().is_marked(pool.bit(object.addr()))
    }
    /// Whether what a weak reference leads to is known to be dead, though the reference was not cleared yet.
    pub(crate) fn is_found_dead(&self, target: ObjectRef) -> bool {
        let old = || self.spaces.pool.table.kind_at(target.addr()).is_old();
        self.clearing.is_on() && old() && self.clearing.is_dead(|| self.is_marked(target))
    }
    /// Clears the mark bits of a region.
    pub(crate) fn unmark_region(&self, index: usize) {
        let pool = &self.spaces.pool;
        let first = pool.bit(pool.start(index).addr());
        pool.marks().clear_range(first, first + REGION_BYTES / WORD);
    }
    /// Whether the object around an old place is marked. Its region's sweep is over, or has not begun.
    pub(crate) fn is_host_marked(&self, place: PlacePtr) -> bool {
        let pool = &self.spaces.pool;
        let region = pool.table.index(place.0.addr());
        if pool.table.kind(region).is_large() {
            let head = pool.table.with_region(region, |r| r.head.load(Relaxed));
            return self.is_marked(object_at(pool.start(head)));
        }
        let floor = pool.bit(pool.start(region).addr());
        let Some(bit) = pool.marks().prev_marked(pool.bit(place.0.addr()), floor) else { return false };
        let object = object_at(pool.at(bit * WORD));
        place.0.addr() < object.addr() + object.size()
    }
    /// Moves a dead object's value out to be dropped later.
    pub(crate) fn bury(&self, object: ObjectRef) {
        if let Some(corpse) = Corpse::of(object) {
            self.graveyard.receive(corpse);
        }
    }
}
