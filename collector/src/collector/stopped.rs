//! What is done while the world stands still: which collection, in which order, under which budget.
//!
//! ```text
//!   quiesce markers ─▶ take over what mutators hold ─▶ Young       scavenge (shading, if marking)
//!                                                      MarkStart   marking on, scavenge that shades from all roots
//!                                                      MarkFinish  scavenge, drain; dry? clear; clear? marking off, sweep
//!                                                                  if not: back to the program, and once more
//!                                                      Full        (finish a cycle) mark all, settle, scavenge, sweep
//!                                                      Compact     scavenge, which empties a batch of candidates too
//!                                                      Evacuate    (finish a cycle) move all
//!   ─▶ markers resume, if marking ─▶ released
//! ```
use super::{Cause, Census, CollectionKind, CollectionReport, Collector};
use crate::config::Compaction;
use crate::crash::Page;
use crate::event::{Phase, PhaseClock, PhaseTimes, thread_time};
use crate::mark::cycle::{drain_stopped, mark_stopped, purge_remembered, settle_concurrent};
use crate::mark::shade::turn_all;
use crate::mark::worker::Drained;
use crate::mutator_local::MutatorLocal;
use crate::pace::growth::{self, Cycle};
use crate::pace::nursery::{self, Cost, copy_budget, copy_time};
use crate::planted::bug;
use crate::recent::Happening;
use crate::roots::Roots;
use crate::scavenge::budget::Budget;
use crate::scavenge::cycle::{Extent, Tally, bury_large, scavenge};
use crate::scavenge::in_place;
use crate::sweep;
use crate::sync::Ordering::Relaxed;
use crate::units::{Bytes, REGION_BYTES};
use crate::workers::no_unwind;
use crate::world::StoppedWorld;
use crate::zeal::{Zeal, ZealKind};
use std::time::{Duration, Instant};

impl Collector {
    pub(super) fn is_full_due(&self) -> bool {
        let committed = self.core.spaces.pool.in_use() * REGION_BYTES;
        self.budgeted_bytes() >= self.full_at.load(Relaxed) || committed >= self.committed_at.load(Relaxed)
    }
    /// Whether anybody marks beside the program: mutators in steps, or helpers. Otherwise a cycle is one stop, for a marking
    /// that began would never end.
    pub(super) fn marks_apart(&self) -> bool {
        self.dice.is_some() || self.core.settings.incremental_marking || self.helpers_mark()
    }
    pub(super) fn helpers_mark(&self) -> bool {
        self.core.settings.concurrent_marking && self.helpers.count() > 0
    }
    /// What a stop, or a poll that could lead to one, should do now; `None` if nothing is due (any more).
    pub fn next_kind(&self, explicit: Option<CollectionKind>) -> Option<(CollectionKind, Cause)> {
        if let Some(kind) = explicit {
            return Some((kind, Cause::Explicit));
        }
        let core = &self.core;
        if let Some(dice) = &self.dice {
            return self.next_by_dice(&mut dice.lock());
        }
        // Zeal may leave no nursery that fills up, and nobody who looks at the limit then.
        if core.settings.zeal.every > 0 && core.spaces.is_cramped() {
            self.want();
        }
        if core.is_stop_wanted() {
            if self.is_pressed() {
                return Some((CollectionKind::Full, Cause::Pressure));
            }
            // What waits to be emptied may make the room that a whole collection would have to make.
            let waits = !core.spaces.lacks_row() && self.is_compaction_due();
            if self.is_refused() || (core.spaces.is_cramped() && !waits) {
                return Some((CollectionKind::Full, Cause::LimitNear));
            }
            if core.is_marking() {
                return Some(match core.markers.is_dry_hint(core) {
                    true => (CollectionKind::MarkFinish, Cause::MarkedAll),
                    false => (CollectionKind::Young, Cause::NurseryFull),
                });
            }
            return Some(match self.is_full_due() || core.settings.zeal.marking {
                true if !self.marks_apart() => (CollectionKind::Full, Cause::OldGrown),
                // The last cycle's candidates first: the next would give them up.
                true if core.spaces.old.is_swept() && !core.candidates.are_any() => {
                    (CollectionKind::MarkStart, Cause::OldGrown)
                }
                _ => (CollectionKind::Young, Cause::NurseryFull),
            });
        }
        let zeal = &core.settings.zeal;
        if zeal.every > 0 {
            let count = self.zeal_count.fetch_add(1, Relaxed) + 1;
            if count.is_multiple_of(zeal.every) {
                return Some((self.zealous(zeal, count / zeal.every), Cause::Zeal));
            }
        }
        None
    }
    /// The `turn`th collection that zeal asks for.
    fn zealous(&self, zeal: &Zeal, turn: u32) -> CollectionKind {
        let core = &self.core;
        // Every other time marking has its way, so that it goes on beside whatever else is asked for.
        if zeal.marking && turn.is_multiple_of(2) {
            if core.is_marking() {
                let dry = core.markers.is_dry_hint(core);
                return if dry { CollectionKind::MarkFinish } else { CollectionKind::Young };
            }
            if core.spaces.old.is_swept() {
                return CollectionKind::MarkStart;
            }
        }
        match (zeal.kind, turn % 6) {
            (ZealKind::Full, _) | (ZealKind::Alternating, 3) => CollectionKind::Full,
            (ZealKind::Everything, _) | (ZealKind::Alternating, 0) => CollectionKind::Evacuate,
            (ZealKind::Young | ZealKind::Alternating, _) => CollectionKind::Young,
        }
    }
    /// Collects, with the world stopped.
    pub fn collect(
        &self,
        world: &StoppedWorld<'_>,
        roots: &dyn Roots,
        kind: CollectionKind,
        cause: Cause,
    ) -> CollectionReport {
        no_unwind(|| {
            let _page = Page { core: &self.core, kind, cause };
            self.collect_stopped(world, roots, kind, cause)
        })
    }
    fn collect_stopped(
        &self,
        world: &StoppedWorld<'_>,
        roots: &dyn Roots,
        kind: CollectionKind,
        cause: Cause,
    ) -> CollectionReport {
        let began = Instant::now();
        let cpu_began = thread_time();
        let forced = self.why_forced(cause);
        let core = &self.core;
        // Between the question and this stop another may have begun or ended a cycle.
        let kind = match kind {
            CollectionKind::MarkStart if core.is_marking() || !core.spaces.old.is_swept() => CollectionKind::Young,
            CollectionKind::MarkStart if !self.marks_apart() => CollectionKind::Full,
            CollectionKind::MarkFinish if !core.is_marking() => CollectionKind::Young,
            CollectionKind::Full if self.is_memory_short(cause) && self.is_memory_mostly_gaps() => {
                CollectionKind::Evacuate
            }
            CollectionKind::Young if cause != Cause::Explicit && self.is_compaction_due() => CollectionKind::Compact,
            kind => kind,
        };
        core.recent.note(Happening::Begins, kind as usize);
        let mut clock = PhaseClock::start();
        core.markers.quiesce();
        roots.locals(&mut |local| self.hand_over(local));
        clock.ends(Phase::HandOver);
        core.spaces.pool.trap.spring_in_pause();
        self.verify_if_asked(roots, "before a collection");
        clock.ends(Phase::Verify);
        let mut phases = clock.times;
        let old_before = Bytes::new(core.spaces.old_bytes());
        if cause == Cause::LimitNear {
            self.note_limit_near();
        }
        let (tally, ended_cycle) = match kind {
            CollectionKind::Young if !core.settings.zeal.is_on() && in_place::is_worthwhile(core) => {
                (in_place::promote(core, world), false)
            }
            CollectionKind::Young => (self.young(world, roots, false), false),
            CollectionKind::MarkStart => (self.start_marking(world, roots), false),
            CollectionKind::MarkFinish => {
                let deadline = (core.settings.seed.is_none()).then(|| began + self.finish_budget());
                self.finish_marking(world, roots, deadline, &mut phases)
            }
            CollectionKind::Full => {
                self.end_cycle(world, roots, &mut phases);
                let mut tally = self.compact_while(world, roots, || true);
                self.choose_candidates(roots);
                self.mark_all(world, roots, &mut phases);
                // Beside that, what a row's survivors take is nothing; to retain them would cost memory for long.
                let budget = if core.settings.zeal.retain { Budget::LITTLE } else { Budget::NONE };
                tally.absorb(self.young_within(world, roots, false, budget));
                if self.is_memory_short(cause) {
                    tally.absorb(self.make_room_for_a_row(world, roots, &mut phases));
                }
                (tally, true)
            }
            CollectionKind::Compact => {
                let mut tally = self.compact(world, roots);
                let enough = began + core.settings.step_cap / 2;
                tally.absorb(self.compact_while(world, roots, || core.spaces.is_cramped() && Instant::now() < enough));
                (tally, false)
            }
            CollectionKind::Evacuate => {
                self.end_cycle(world, roots, &mut phases);
                core.candidates.give_up_all(&core.spaces);
                (scavenge(core, &self.helpers, world, roots, Extent::Everything, true, Budget::NONE), true)
            }
        };
        if ended_cycle {
            self.settle_limit(cause);
            self.plan_next_full(old_before.get());
            self.refused.store(false, Relaxed);
            self.effort.lock().allocated = self.allocated_hint();
            self.release_due.store(true, Relaxed);
        }
        self.core.wanted.store(false, Relaxed);
        self.owned().note_stop();
        phases.add_all(&tally.phases);
        let mut clock = PhaseClock::start();
        self.verify_if_asked(roots, "after a collection");
        clock.ends(Phase::Verify);
        phases.add_all(&clock.times);
        self.sweep_now.store(kind == CollectionKind::Full && cause == Cause::Explicit, Relaxed);
        self.note_allocation();
        if core.is_marking() {
            core.markers.resume(core, &self.helpers);
        }
        let report = CollectionReport {
            kind,
            cause,
            old_before,
            old_after: Bytes::new(core.spaces.old_bytes()),
            copied: Bytes::new(tally.copied),
            promoted: Bytes::new(tally.promoted),
            ended_cycle,
            pause: began.elapsed(),
            cpu: thread_time().saturating_sub(cpu_began),
            phases,
            workers: tally.workers,
            forced,
        };
        self.size_nursery(&report, &tally);
        self.note(&report, &tally);
        core.recent.note(Happening::Ends, usize::from(ended_cycle));
        report
    }
    /// Another whole collection is needed: how much did the last one let the program allocate?
    fn note_limit_near(&self) {
        let spaces = &self.core.spaces;
        let mut limited = self.effort.lock();
        let allocated = self.allocated_hint().saturating_sub(limited.allocated);
        limited.effort = limited.effort.learn(allocated, self.limit_bytes());
        spaces.pool.set_in_vain(limited.effort.is_in_vain());
    }
    /// Plans the row after the next stop.
    fn size_nursery(&self, report: &CollectionReport, tally: &Tally) {
        let s = &self.core.settings;
        if !s.adapts() || !matches!(report.kind, CollectionKind::Young | CollectionKind::MarkStart) {
            return;
        }
        let most = s.nursery.get().div_ceil(REGION_BYTES);
        let mut cost = self.core.cost.lock();
        let row = match tally.measured() {
            true => {
                cost.learn(tally.condemned, report.cpu);
                cost.row(s.pause_target, most)
            }
            false => Cost::sample(cost.row(s.pause_target, most)),
        };
        self.core.spaces.set_nursery_regions(row);
    }
    /// A young collection in a stop that is to be short.
    pub(super) fn young(&self, world: &StoppedWorld<'_>, roots: &dyn Roots, all_roots: bool) -> Tally {
        let s = &self.core.settings;
        let budget = match s.zeal.is_on() {
            // A clock says it better than a guess; what is to be repeated has none.
            false if s.adapts() => {
                let time = Some(copy_time(s.pause_target, s.step_cap));
                Budget { bytes: usize::MAX, time, least: self.copy_least() }
            }
            false => Budget { bytes: copy_budget(s.step_cap), ..Budget::NONE },
            true if s.zeal.retain => Budget::LITTLE,
            true => Budget::NONE,
        };
        self.young_within(world, roots, all_roots, budget)
    }
    pub(super) fn copy_least(&self) -> usize {
        let core = &self.core;
        nursery::copy_least(core.spaces.young_bytes_hint(), core.survival_permille(), core.settings.step_cap)
    }
    fn young_within(&self, world: &StoppedWorld<'_>, roots: &dyn Roots, all_roots: bool, budget: Budget) -> Tally {
        let core = &self.core;
        let tally = scavenge(core, &self.helpers, world, roots, Extent::Young, all_roots, budget);
        core.note_survival(tally.copied + tally.promoted, tally.condemned);
        tally
    }
    /// Mutators' stores shade from here on; the scavenge is the first scan of the roots.
    fn start_marking(&self, world: &StoppedWorld<'_>, roots: &dyn Roots) -> Tally {
        let core = &self.core;
        debug_assert!(core.spaces.old.is_swept() && !core.is_marking());
        core.candidates.give_up_all(&core.spaces);
        self.choose_candidates(roots);
        core.markers.reset_bytes();
        self.begin_schedule();
        self.set_marking(true, roots);
        self.young(world, roots, true)
    }
    /// The last scan of the roots, and whatever it finds. Without a deadline, to the end; with one, back to the
    /// concurrent phase if it passes (false).
    fn finish_marking(
        &self,
        world: &StoppedWorld<'_>,
        roots: &dyn Roots,
        deadline: Option<Instant>,
        phases: &mut PhaseTimes,
    ) -> (Tally, bool) {
        let core = &self.core;
        let mut tally = self.young(world, roots, true);
        let mut clock = PhaseClock::start();
        let drained = drain_stopped(core, &self.helpers, world, deadline);
        clock.ends(Phase::Mark);
        if drained == Drained::Stopped {
            self.schedule.lock().returns += 1;
            phases.add_all(&clock.times);
            return (tally, false);
        }
        self.verify_marks_if_asked(roots);
        clock.ends(Phase::Verify);
        let enough = self.clearing_budget(deadline);
        let settled = settle_concurrent(core, world, std::mem::take(&mut tally.young_weak), enough);
        clock.ends(Phase::MarkSettle);
        if !settled {
            self.schedule.lock().clearings += 1;
            phases.add_all(&clock.times);
            return (tally, false);
        }
        self.set_marking(false, roots);
        let marked = core.markers.bytes();
        let live = marked + core.born_black.swap(0, Relaxed);
        core.spaces.old.start_sweeping(&core.spaces.pool, live, || purge_remembered(core));
        self.free_large_and_unmark();
        core.recent.note(Happening::ToSweep, core.spaces.old.gaps.unswept());
        self.totals.lock().marked += marked as u64;
        clock.ends(Phase::Release);
        phases.add_all(&clock.times);
        (tally, true)
    }
    /// Says when a stop has cleared enough of what refers to the dead: at the deadline, but not before a tenth of the cap has
    /// gone into it, or twice as much as in the last such stop of the cycle, up to four fifths; under the zeal of steps, after
    /// one slice.
    fn clearing_budget(&self, deadline: Option<Instant>) -> impl FnMut() -> bool + use<> {
        let s = &self.core.settings;
        let doubled = (s.step_cap / 10) * (1 << self.schedule.lock().clearings.min(3));
        let until = deadline.map(|deadline| deadline.max(Instant::now() + doubled));
        let step = s.zeal.step && deadline.is_some();
        move || step || until.is_some_and(|until| Instant::now() >= until)
    }
    /// Brings the old generation to rest: no marking, everything swept.
    fn end_cycle(&self, world: &StoppedWorld<'_>, roots: &dyn Roots, phases: &mut PhaseTimes) {
        if self.core.is_marking() {
            let (_, ended) = self.finish_marking(world, roots, None, phases);
            debug_assert!(ended, "marking without a deadline ends");
        }
        let mut clock = PhaseClock::start();
        sweep::finish(&self.core);
        clock.ends(Phase::SweepWait);
        phases.add_all(&clock.times);
    }
    /// Marks in one stop: exactly what is reachable.
    pub(super) fn mark_all(&self, world: &StoppedWorld<'_>, roots: &dyn Roots, phases: &mut PhaseTimes) {
        let core = &self.core;
        let mut clock = PhaseClock::start();
        let marked = mark_stopped(core, &self.helpers, world, roots);
        clock.ends(Phase::Mark);
        core.spaces.for_each_young_region(|index| core.unmark_region(index));
        core.spaces.old.start_sweeping(&core.spaces.pool, marked.bytes, || purge_remembered(core));
        self.free_large_and_unmark();
        core.recent.note(Happening::ToSweep, core.spaces.old.gaps.unswept());
        self.totals.lock().marked += marked.bytes as u64;
        clock.ends(Phase::Release);
        phases.add_all(&clock.times);
    }
    /// Large old objects are swept in the stop: there are few, and each is a bit.
    fn free_large_and_unmark(&self) {
        let core = &self.core;
        core.spaces.retain_large_old(|object, first| {
            let pool = &core.spaces.pool;
            let alive = core.is_marked(object) && !bug::large_is_freed_black();
            let bit = pool.bit(object.addr());
            pool.marks().clear_range(bit, bit + 1);
            if !alive {
                bury_large(core, object, first);
            }
            alive
        });
    }
    fn set_marking(&self, on: bool, roots: &dyn Roots) {
        let core = &self.core;
        core.marking.store(on, Relaxed);
        core.recent.note(Happening::Marking, usize::from(on));
        let table = core.spaces.pool.table.barrier.table(on);
        let turn = |local: &MutatorLocal| {
            local.barrier_table.set(table);
            local.marking.set(on);
        };
        turn_all(on, |each| roots.locals(each), turn);
    }
    /// Whether memory is what this stop is about: the limit is near, or somebody was refused.
    fn is_memory_short(&self, cause: Cause) -> bool {
        cause == Cause::LimitNear || self.is_refused()
    }
    /// Whether what lives fits into less than half of what is in use, and there is room to move it: then that frees more than
    /// marking does.
    fn is_memory_mostly_gaps(&self) -> bool {
        let spaces = &self.core.spaces;
        let live = spaces.old_bytes() + spaces.young_bytes_hint();
        let in_use = spaces.pool.in_use() * REGION_BYTES;
        let room = self.limit_bytes().saturating_sub(in_use);
        self.core.settings.compaction != Compaction::Off && live < in_use / 2 && live < room
    }
    /// A cycle has ended that found `before` old bytes in its last stop.
    fn plan_next_full(&self, before: usize) {
        let s = &self.core.settings;
        let live = self.budgeted_bytes();
        let marking = Duration::from_nanos(self.core.marking_time.swap(0, Relaxed));
        // Whoever marked, beside the program or in this stop: the time is that of all.
        let ever = self.totals.lock().marked;
        let mut plan = self.growth.lock();
        let marked = usize::try_from(ever - plan.marked).unwrap_or(usize::MAX);
        plan.marked = ever;
        let (grown, since) = (before.saturating_sub(plan.live), plan.ended.elapsed());
        plan.speeds.learn(Cycle { marked, marking, grown, since });
        (plan.ended, plan.live) = (Instant::now(), self.core.spaces.old_bytes());
        let speeds = if s.adapts() { plan.speeds } else { growth::Speeds::default() };
        let growth = speeds.growth(s.target_utilization);
        let at = growth::next_full_at(live, growth, s.initial_old.get(), self.limit_bytes(), s.nursery.get());
        self.full_at.store(at, Relaxed);
        let committed = self.core.spaces.pool.in_use() * REGION_BYTES;
        self.committed_at
            .store(growth::next_committed_at(at, live, committed, self.limit_bytes(), s.nursery.get()), Relaxed);
    }
    fn verify_if_asked(&self, roots: &dyn Roots, when: &str) {
        if self.core.settings.verify {
            let _ = crate::verify::verify(&self.core, roots, when);
        }
    }
    fn verify_marks_if_asked(&self, roots: &dyn Roots) {
        if self.core.settings.verify {
            crate::verify::verify_marks(&self.core, roots);
        }
    }
    /// Walks and checks the heap, and counts what is reachable.
    pub fn verify(&self, _world: &StoppedWorld<'_>, roots: &dyn Roots) -> Census {
        roots.locals(&mut |local| self.hand_over(local));
        crate::verify::verify(&self.core, roots, "when asked")
    }
}
