//! Compaction as the collector's face sees it: when regions are chosen, when a batch is emptied, what that may cost.
//!
//! The time is that of a stop: a quarter of the cap to copy what lives in a batch, half of it with the visits to whoever
//! refers there; the scavenge that the stop makes anyway has the rest. A batch that turns out dearer is given up.
use super::Collector;
use crate::compact::candidates::Budget;
use crate::config::Compaction;
use crate::event::{Phase, PhaseTimes};
use crate::pace::nursery::{copy_budget, copy_time};
use crate::roots::Roots;
use crate::scavenge::budget::Budget as Copying;
use crate::scavenge::cycle::{Extent, Tally, scavenge};
use crate::sweep;
use crate::world::StoppedWorld;
use std::collections::HashSet;

impl Collector {
    fn compaction_budget(&self, share: u32) -> Budget {
        let s = &self.core.settings;
        match s.compaction {
            Compaction::Always => Budget::Unbounded,
            _ => Budget::Time(s.step_cap / share),
        }
    }
    /// In the stop that starts marking, with everything swept.
    pub(super) fn choose_candidates(&self, roots: &dyn Roots) {
        let core = &self.core;
        if core.settings.compaction == Compaction::Off {
            return;
        }
        let table = &core.spaces.pool.table;
        let mut pinned = HashSet::new();
        roots.pinned(&mut |object| _ = pinned.insert(table.index(object.addr())));
        core.candidates.choose(&core.spaces, &pinned, self.compaction_budget(4));
    }
    /// Whether the next young collection should empty a batch too.
    pub(super) fn is_compaction_due(&self) -> bool {
        let core = &self.core;
        core.candidates.are_any() && !core.is_marking() && core.candidates.is_next_ready(&core.spaces)
    }
    /// A young collection that empties a batch too; one without, if no batch is left that fits.
    pub(super) fn compact(&self, world: &StoppedWorld<'_>, roots: &dyn Roots) -> Tally {
        let core = &self.core;
        let s = &core.settings;
        let Some(batch) = core.candidates.condemn_next(&core.spaces, self.compaction_budget(2)) else {
            return self.young(world, roots, false);
        };
        let (bytes, regions) = (batch.bytes, batch.regions.clone());
        let copying = match s.compaction {
            Compaction::Always => Copying::NONE,
            _ => Copying {
                bytes: copy_budget(s.step_cap) + bytes,
                time: s.adapts().then(|| copy_time(s.pause_target, s.step_cap) + s.step_cap / 4),
                least: self.copy_least(),
            },
        };
        let mut tally = scavenge(core, &self.helpers, world, roots, Extent::Batch(batch), true, copying);
        let table = &core.spaces.pool.table;
        tally.batches = 1;
        tally.emptied = regions.iter().filter(|region| !table.kind(**region).is_old()).count();
        if s.adapts() {
            core.candidates.learn(tally.copied + tally.promoted, tally.phases.get(Phase::Trace));
        }
        tally
    }
    /// Empties batches as long as `more` are wanted and any is left.
    pub(super) fn compact_while(&self, world: &StoppedWorld<'_>, roots: &dyn Roots, more: impl Fn() -> bool) -> Tally {
        let mut all = Tally::default();
        while self.is_compaction_due() && more() {
            all.absorb(self.compact(world, roots));
        }
        all
    }
    /// At the limit, after everything was marked: sweeps, and empties what was chosen before, until there is room for a row. If
    /// mutators would find none at all though a quarter of the old generation is gaps, marks once more with candidates that
    /// the first marking has shown. All in this stop, for there is no memory in which to let mutators run on meanwhile.
    pub(super) fn make_room_for_a_row(
        &self,
        world: &StoppedWorld<'_>,
        roots: &dyn Roots,
        phases: &mut PhaseTimes,
    ) -> Tally {
        let core = &self.core;
        let lacks_row = || core.spaces.pool.spare() < core.spaces.nursery_regions();
        if core.settings.compaction == Compaction::Off || !lacks_row() {
            return Tally::default();
        }
        sweep::finish(core);
        let mut all = self.compact_while(world, roots, lacks_row);
        if !core.spaces.would_be_cramped() || !core.spaces.old.is_full_of_gaps() {
            return all;
        }
        core.candidates.give_up_all(&core.spaces);
        self.choose_candidates(roots);
        self.mark_all(world, roots, phases);
        sweep::finish(core);
        all.absorb(self.compact_while(world, roots, lacks_row));
        all
    }
}
