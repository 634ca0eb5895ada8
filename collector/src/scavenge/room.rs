//! Where a worker's copies go: a buffer among survivors, one in the old generation, and how much more it may copy.
//!
//! ```text
//!   survived before?  no ─▶ survivor buffer ─ full ─▶ another, if the budget and memory allow ─ none ─┐
//!                     yes ─────────────────────────────────────────────────────────────────────────────┴▶ old buffer
//!   old buffer ─ full ─▶ a gap ▸ a region swept for its gaps ▸ fresh memory ─ none ─▶ no room: the object stays
//! ```
use crate::object::raw::fill;
use crate::region::lab::Lab;
use crate::scavenge::budget::Allowance;
use crate::scavenge::findings::Findings;
use crate::scavenge::phase::{Plan, ScavengePhase};

/// One worker's.
pub(super) struct Room {
    survivor: Lab,
    old: Lab,
    allowance: Allowance,
}

impl Room {
    /// No buffers yet, and all that `plan` allows.
    pub(super) fn new(plan: &Plan) -> Self {
        Self { survivor: Lab::default(), old: Lab::default(), allowance: Allowance::new(plan.budget) }
    }
    /// Room for a copy, and whether it is old. `done` is what this worker has copied.
    #[inline]
    pub(super) fn take(
        &mut self,
        phase: &ScavengePhase,
        done: &Findings,
        bytes: usize,
        promote: bool,
    ) -> Option<(*mut u8, bool)> {
        if !phase.plan.copying {
            return None;
        }
        if !promote {
            if let Some(to) = self.survivor.try_bump(bytes) {
                return Some((to, false));
            }
            if let Some(to) = self.refill_survivor(phase, done, bytes) {
                return Some((to, false));
            }
        }
        if let Some(to) = self.old.try_bump(bytes) {
            return Some((to, true));
        }
        self.refill_old(phase, done, bytes).map(|to| (to, true))
    }
    /// Another worker's copy was first: the room taken last is free again.
    pub(super) fn untake(&self, bytes: usize, old: bool) {
        if old { &self.old } else { &self.survivor }.unbump(bytes);
    }
    #[cold]
    fn refill_survivor(&mut self, phase: &ScavengePhase, done: &Findings, bytes: usize) -> Option<*mut u8> {
        if !self.is_within_budget(phase, done) {
            return None;
        }
        let (start, got) = phase.core.spaces.survivor_lab(bytes, phase.plan.room).ok()?;
        let (rest, free) = self.survivor.replace(start, got);
        fill(rest, free);
        self.survivor.try_bump(bytes)
    }
    #[cold]
    fn refill_old(&mut self, phase: &ScavengePhase, done: &Findings, bytes: usize) -> Option<*mut u8> {
        if !self.is_within_budget(phase, done) {
            return None;
        }
        let spaces = &phase.core.spaces;
        let run = loop {
            // What the last marking found dead comes before more memory.
            if let Some(run) = spaces.old.try_take(&spaces.pool, bytes) {
                break run;
            }
            if !phase.sweep_for_room() {
                break spaces.old.take(&spaces.pool, bytes, phase.plan.room).ok()?;
            }
        };
        let (rest, free) = self.old.replace(spaces.pool.at(run.offset), run.bytes);
        spaces.old.give_back(&spaces.pool, rest, free);
        self.old.try_bump(bytes)
    }
    /// Whether it may go on copying; looked at once a buffer.
    fn is_within_budget(&mut self, phase: &ScavengePhase, done: &Findings) -> bool {
        self.allowance.allows(done.copied + done.promoted, &phase.copied)
    }
    /// What the buffers did not use goes back.
    pub(super) fn retire(&self, phase: &ScavengePhase) {
        let (rest, free) = self.survivor.retire();
        fill(rest, free);
        let (rest, free) = self.old.retire();
        let spaces = &phase.core.spaces;
        spaces.old.give_back(&spaces.pool, rest, free);
    }
}
