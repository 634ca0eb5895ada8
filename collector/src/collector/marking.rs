//! The marking cycle as mutators feel it: what they publish, and the steps they take.
//!
//! A mutator that takes a buffer while marking goes on first hands over what its barrier shaded, wakes helpers that ran
//! dry, and marks a little itself if marking is behind its schedule (see `pace`). After a step it owes none for as long as
//! the step took: at least half of its time stays its own.
use super::{Cause, CollectionKind, Collector, Forced};
use crate::event::thread_time;
use crate::mark::worker::MarkWorker;
use crate::mutator_local::MutatorLocal;
use crate::pace::dice::Dice;
use crate::pace::duty::rest_from;
use crate::pace::marking::{self, Progress};
use crate::sweep;
use crate::units::{LAB_BYTES, REGION_BYTES};
use std::time::{Duration, Instant};

/// What a cycle was planned with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Schedule {
    /// Old bytes when it began.
    live: usize,
    /// Bytes allocated in stops' bookkeeping since.
    allocated: usize,
    /// How often the finishing stop gave up.
    pub(super) returns: u32,
    /// How often it has cleared a part only.
    pub(super) clearings: u32,
}

/// A step's own deadline, the lower end of what can be felt.
const STEP_TARGET: Duration = Duration::from_millis(1);
/// Tasks between two looks at the clock.
const GRAIN: u32 = 32;
/// The most a step marks, whatever the clock says.
const STEP_BYTES: usize = 1 << 20;

impl Collector {
    /// In a stop: a cycle begins.
    pub(super) fn begin_schedule(&self) {
        *self.schedule.lock() = Schedule { live: self.core.spaces.old_bytes(), ..Schedule::default() };
    }
    /// In a stop: what was allocated since the last one counts for the schedule.
    pub(super) fn note_allocation(&self) {
        if self.core.is_marking() {
            self.schedule.lock().allocated += self.core.spaces.nursery_regions() * REGION_BYTES;
        }
    }
    /// How long the finishing stop may drain. Each return doubles it, up to the cap: together with the steps that keep
    /// mutators from outrunning the markers, marking ends.
    pub(super) fn finish_budget(&self) -> Duration {
        let cap = self.core.settings.step_cap;
        let returns = self.schedule.lock().returns.min(8);
        (cap / 5 * (1 << returns)).min(cap * 4 / 5)
    }
    /// Part of every buffer refill: publish, wake, step.
    pub(super) fn assist(&self, local: &MutatorLocal, bytes: usize) {
        if !local.marking.get() {
            return;
        }
        let core = &self.core;
        core.publish_shaded(local.shaded.borrow_mut().drain(..));
        core.markers.start_jobs(core, &self.helpers);
        if let Some(dice) = &self.dice {
            let mut dice = dice.lock();
            if dice.roll(2) == 0 {
                self.advance(&mut dice);
            }
            return;
        }
        if core.settings.incremental_marking && !core.grey.is_empty_hint() {
            self.step(local, bytes);
        }
    }
    fn step(&self, local: &MutatorLocal, bytes: usize) {
        let began = Instant::now();
        if self.core.settings.zeal.step {
            return self.mark_few(1);
        }
        let rests = local.rest_until.get().is_some_and(|until| began < until);
        let core = &self.core;
        let schedule = *self.schedule.lock();
        let nursery = core.settings.nursery.get();
        let progress = Progress {
            live: schedule.live,
            marked: core.markers.bytes(),
            allocated: schedule.allocated + core.spaces.eden.bytes_hint(),
            headroom: marking::marking_headroom(schedule.live, nursery, self.limit_bytes()),
        };
        if (rests && !self.marking_cannot_wait(progress)) || self.rests_from_stops(began, progress) {
            return;
        }
        // What this buffer owes, and what others left undone.
        let due = marking::step_bytes(progress, STEP_BYTES * bytes.div_ceil(LAB_BYTES).min(4));
        if due == 0 {
            return;
        }
        let cpu_began = thread_time();
        let deadline = began + STEP_TARGET.min(core.settings.step_cap);
        let goal = core.markers.bytes() + due;
        let mut worker = MarkWorker::beside_mutators(core.clone());
        worker.drain_to(GRAIN, |marked| core.markers.bytes() + marked >= goal || Instant::now() >= deadline);
        let marked = worker.hand_over().bytes;
        core.markers.add_bytes(marked);
        let took = began.elapsed();
        local.rest_until.set(Some(Instant::now() + rest_from(took, core.settings.step_cap)));
        let cpu = thread_time().saturating_sub(cpu_began);
        self.record_step(took, cpu, marked, rests.then_some(Forced::Limit));
    }

    /// In the deterministic mode, at a safepoint: what a clock, a schedule and helpers decide otherwise.
    pub(super) fn next_by_dice(&self, dice: &mut Dice) -> Option<(CollectionKind, Cause)> {
        let core = &self.core;
        if core.spaces.is_cramped() || self.is_refused() {
            return Some((CollectionKind::Full, Cause::LimitNear));
        }
        let marking = core.is_marking();
        match dice.roll(24) {
            0 if !marking && core.spaces.old.is_swept() => Some((CollectionKind::MarkStart, Cause::Seed)),
            0 | 1 if marking => Some((CollectionKind::MarkFinish, Cause::Seed)),
            2 => Some((CollectionKind::Young, Cause::Seed)),
            3..8 => {
                self.advance(dice);
                None
            }
            _ if self.collection_wanted() => Some((CollectionKind::Young, Cause::NurseryFull)),
            _ => None,
        }
    }
    /// A piece of the concurrent phases: a few objects marked, or a region swept.
    fn advance(&self, dice: &mut Dice) {
        let core = &self.core;
        if !core.is_marking() {
            let _ = sweep::sweep_one(core);
            return;
        }
        self.mark_few(1 << dice.roll(9));
    }
    /// Marks so many objects.
    fn mark_few(&self, mut tasks: u32) {
        let core = &self.core;
        let mut worker = MarkWorker::beside_mutators(core.clone());
        let _ = worker.drain(1, || {
            tasks -= 1;
            tasks == 0
        });
        core.markers.add_bytes(worker.hand_over().bytes);
    }
}
