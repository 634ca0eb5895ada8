//! What is done while nobody asks for memory: a quiet heap is collected, and what is free goes back to the system.
//!
//! The runtime's caretaker thread asks [`Collector::tend`] what to do, does it, and sleeps as long as it is told. The
//! decisions are [`Reducer`]'s; here it is told what it needs to know.
//!
//! ```text
//!   Run:   swept, not marking ──▶ MarkStart        marking, dry ──▶ MarkFinish        else wait a little: helpers mark
//!          unswept            ──▶ a slice of it
//!          candidates wait    ──▶ Compact, a batch in each stop
//!   any:   free memory beyond what is kept goes back, a slice at a time
//! ```
use super::{CollectionKind, Collector};
use crate::pace::reducer::{News, Reducer, is_quiet, paid};
use crate::sweep;
use crate::sync::Ordering::Relaxed;
use crate::units::REGION_BYTES;
use std::time::Duration;

/// Regions given back, or swept, in one go, 16 MiB: a few milliseconds of somebody's time.
const SLICE: usize = 64;
/// From one slice to the next: memory goes back at 800 MiB a second at most.
const BETWEEN_SLICES: Duration = Duration::from_millis(20);
/// How often a heap that waits to be collected looks whether the program is quiet.
const TICK: Duration = Duration::from_millis(250);
/// How often a reduction looks whether helpers are done.
const WORKING: Duration = Duration::from_millis(2);

/// What a caretaker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Nothing, until the heap has been collected by somebody.
    Rest,
    /// Nothing for so long.
    Wait(Duration),
    /// A stop for this, if no mutator that runs would hold it up.
    Stop(CollectionKind),
    /// Dropping values that have died: there is no mutator at work that would.
    Drop,
}

/// What the tending remembers.
pub(super) struct Tending {
    pub(super) reducer: Reducer,
    /// When it last looked whether the program is quiet, and how much was allocated then.
    looked: (Duration, usize),
    /// Old collections that it knows of.
    cycles: u64,
    /// Bytes of the heap's regions when the last cycle that it knows of had ended.
    committed: usize,
    /// A cycle of the reducer's own has ended, and what it found dead is not all dropped.
    drops: bool,
}

impl Default for Tending {
    fn default() -> Self {
        Self { reducer: Reducer::NEW, looked: (Duration::ZERO, 0), cycles: 0, committed: 0, drops: false }
    }
}

impl Collector {
    /// Gives a slice of free memory back, and says what to do next. `now` is the time since the heap was made.
    pub fn tend(&self, now: Duration) -> Chore {
        let Some(wait) = self.settings().quiet_after else { return Chore::Rest };
        let mut tending = self.tending.lock();
        let spaces = &self.core.spaces;
        let committed = spaces.pool.in_use() * REGION_BYTES;
        let settled = self.note_cycles(&mut tending, now, committed);
        let passed = now.saturating_sub(tending.looked.0);
        let at_rest = matches!(tending.reducer, Reducer::Done { .. });
        if passed >= TICK || at_rest {
            let allocated = self.allocated_hint();
            let quiet = is_quiet(allocated.saturating_sub(tending.looked.1), passed);
            tending.looked = (now, allocated);
            if matches!(tending.reducer, Reducer::Wait { .. }) {
                tending.committed = tending.committed.max(committed);
            }
            tending.reducer = tending.reducer.step(News::Tick { now, committed, quiet }, wait);
        }
        let reducer = tending.reducer;
        // Dropping is for mutators to do, but for what a quiet heap's own cycle has found: none may come by for long.
        tending.drops &= self.core.graveyard.waiting_hint() > 0;
        let drops = tending.drops;
        drop(tending);
        let rests_up_to = match reducer {
            Reducer::Done { committed } => Reducer::rests_up_to(committed),
            _ => usize::MAX,
        };
        self.rests_up_to.store(rests_up_to, Relaxed);
        self.give_back();
        match (reducer, self.quiet_kind()) {
            (Reducer::Run { .. }, Some(kind)) if settled || kind == CollectionKind::Compact => Chore::Stop(kind),
            (Reducer::Run { .. }, _) => {
                self.core.markers.start_jobs(&self.core, &self.helpers);
                // A helper leaves its sweep to a stop that is wanted; whoever wanted it may have parked.
                let _ = (0..SLICE).try_for_each(|_| sweep::sweep_one(&self.core).then_some(()));
                Chore::Wait(WORKING)
            }
            _ if drops => Chore::Drop,
            _ if self.release_due.load(Relaxed) => Chore::Wait(BETWEEN_SLICES),
            (Reducer::Wait { due, .. }, _) => Chore::Wait(due.saturating_sub(now).clamp(WORKING, TICK)),
            (Reducer::Done { .. }, _) => Chore::Rest,
        }
    }
    /// Tells the reducer of a cycle that has ended, once it is swept; false until then: no other begins meanwhile.
    pub(super) fn note_cycles(&self, tending: &mut Tending, now: Duration, committed: usize) -> bool {
        let cycles = self.totals.lock().full;
        if cycles == tending.cycles {
            return true;
        }
        if !self.core.spaces.old.is_swept() || self.core.candidates.are_any() {
            return false;
        }
        let paid = paid(tending.committed, committed);
        tending.cycles = cycles;
        tending.committed = committed;
        let wait = self.settings().quiet_after.unwrap_or_default();
        tending.drops |= matches!(tending.reducer, Reducer::Run { .. });
        tending.reducer = tending.reducer.step(News::Ended { now, committed, paid }, wait);
        true
    }
    /// Whether a caretaker at rest should look again; asked after each stop, and by mutators that park.
    pub fn wants_tending(&self) -> bool {
        let committed = self.core.spaces.pool.in_use() * REGION_BYTES;
        self.is_pressed() || committed > self.rests_up_to.load(Relaxed) || self.release_due.load(Relaxed)
    }
    /// What a reduction needs a stop for, if it needs one now. Asked again in the stop, it has the last word.
    pub fn quiet_kind(&self) -> Option<CollectionKind> {
        let core = &self.core;
        if self.is_pressed() {
            return Some(CollectionKind::Full);
        }
        if core.is_marking() {
            // Where no helper marks, each finishing stop does as much as it may, and the last one ends.
            let dry = core.markers.is_dry_hint(core) || !self.helpers_mark();
            return dry.then_some(CollectionKind::MarkFinish);
        }
        if core.candidates.are_any() {
            return self.is_compaction_due().then_some(CollectionKind::Compact);
        }
        let begin = if self.marks_apart() { CollectionKind::MarkStart } else { CollectionKind::Full };
        core.spaces.old.is_swept().then_some(begin)
    }
    /// Gives at most a slice of free memory back to the system, if a cycle has left more than is worth keeping; returns
    /// how many bytes. Never in a pause.
    pub(super) fn give_back(&self) -> usize {
        if !self.release_due.load(Relaxed) {
            return 0;
        }
        let spaces = &self.core.spaces;
        let regions = spaces.pool.release_free(self.regions_to_keep(), SLICE);
        spaces.pool.pack_parachute();
        // What is not swept yet may leave more.
        if regions < SLICE && spaces.old.is_swept() {
            self.release_due.store(false, Relaxed);
        }
        regions * REGION_BYTES
    }
    /// Free regions that are kept: what the next stop needs and, while the program is at work, a quarter of the heap.
    fn regions_to_keep(&self) -> usize {
        let spaces = &self.core.spaces;
        let at_work = match self.tending.lock().reducer {
            Reducer::Wait { runs, .. } => runs == 0 && !self.lean.load(Relaxed),
            Reducer::Run { .. } | Reducer::Done { .. } => false,
        };
        spaces.regions_to_have_ready() + if at_work { spaces.pool.in_use() / 4 } else { 0 }
    }
}
