//! One scavenge, phase by phase.
//!
//! ```text
//!   stopped ──▶ condemn ──▶ roots + remembered ═▶ copy, scan, steal ═▶ (retain) ─▶ weak ─▶ droppables ─▶ free ──▶ released
//!               from-regions      leader            all workers          leader
//! ```
use crate::compact::candidates::Condemned as Batch;
use crate::compact::records::Hosts;
use crate::event::{Phase, PhaseClock, PhaseTimes};
use crate::heap_core::Core;
use crate::mutator_local::Remembered;
use crate::object::forward::hold_first;
use crate::object::raw::{ObjectRef, object_at};
use crate::object::task::Task;
use crate::object::weak::{Liveness, Settle, finish};
use crate::planted::bug;
use crate::region::kind::Kind;
use crate::roots::Roots;
use crate::scavenge::budget::Budget;
use crate::scavenge::findings::Findings;
use crate::scavenge::phase::{Plan, ScavengePhase, Start};
use crate::scavenge::retained;
use crate::scavenge::worker::ScavengeWorker;
use crate::space::pool::For;
use crate::space::spaces::FromRegion;
use crate::sync::{Arc, Ordering::Relaxed};
use crate::units::REGION_BYTES;
use crate::workers::Helpers;
use crate::world::StoppedWorld;
use std::collections::BTreeSet;

/// What is emptied.
#[derive(Debug)]
pub(crate) enum Extent {
    /// The young generation.
    Young,
    /// The young generation, and a batch of old regions; all roots are visited, and who was recorded.
    Batch(Batch),
    /// Every region of movable objects; all that lives becomes old.
    Everything,
}

/// What a scavenge did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub copied: usize,
    pub promoted: usize,
    pub retained_regions: usize,
    /// Bytes that live on in them.
    pub retained: usize,
    /// Batches of old regions that were to be emptied.
    pub batches: usize,
    /// Of their regions, those that are.
    pub emptied: usize,
    pub freed: usize,
    pub objects: usize,
    /// Threads that took part in the copying.
    pub workers: usize,
    /// Bytes that were in use in what was emptied.
    pub condemned: usize,
    /// What the time was spent on.
    pub phases: PhaseTimes,
    /// Young objects with weak references that are alive.
    pub young_weak: Vec<ObjectRef>,
}

impl Tally {
    /// Whether objects were looked at, so that the time says what they cost.
    pub(crate) fn measured(&self) -> bool {
        self.objects > 0 || self.promoted == 0
    }
    /// Counts what another one did in the same stop.
    pub(crate) fn absorb(&mut self, other: Self) {
        let Self { copied, promoted, retained_regions, retained, batches, emptied, freed, objects, condemned, .. } =
            other;
        self.copied += copied;
        self.promoted += promoted;
        self.retained_regions += retained_regions;
        self.retained += retained;
        self.batches += batches;
        self.emptied += emptied;
        self.freed += freed;
        self.objects += objects;
        self.workers = self.workers.max(other.workers);
        self.condemned += condemned;
        self.phases.add_all(&other.phases);
        self.young_weak.extend(other.young_weak);
    }
}

/// Empties what `extent` says. Mutators' buffers are retired and their lists handed over.
///
/// While marking, what it finds referenced among the old is shaded; with `all_roots`, that includes what roots refer to
/// that are known to hold nothing young.
pub(crate) fn scavenge(
    core: &Arc<Core>,
    helpers: &Helpers,
    _world: &StoppedWorld<'_>,
    roots: &dyn Roots,
    extent: Extent,
    all_roots: bool,
    budget: Budget,
) -> Tally {
    let shading = core.is_marking();
    let young_only = matches!(extent, Extent::Young);
    debug_assert!(young_only || !shading, "marking ends before its objects move");
    let everything = matches!(extent, Extent::Everything);
    let mut clock = PhaseClock::start();
    let mut condemned = condemn(core, extent);
    clock.ends(Phase::Condemn);
    let remembered =
        if young_only { std::mem::take(&mut *core.remembered.lock()) } else { take_remembered(core, everything) };
    let adaptive = young_only && core.settings.adapts();
    let at_once = adaptive && core.tenure.lock().at_once();
    // Whoever may take all the time there is may wait for memory, too.
    let room = if budget == Budget::NONE { For::Collector } else { For::Copier };
    let promote_all = everything || at_once || core.settings.zeal.promote;
    let plan = Plan { promote_all, everything, shading, copying: true, budget, room };
    let helping = if core.settings.parallel_scavenge { helpers_for(core, helpers, &condemned) } else { 0 };
    let hosts = std::mem::take(&mut condemned.hosts);
    let phase =
        Arc::new(ScavengePhase::new(core.clone(), plan, Start { remembered, hosts, ..Start::default() }, helping + 1));

    let deque = phase.join().expect("the leader's deque is made with the phase");
    let mut leader = ScavengeWorker::new(phase.clone(), deque);
    hold_first(
        &mut leader,
        |leader| roots.pinned(&mut |object| leader.pin(object)),
        |leader| {
            helpers.share(&phase, helping, || {
                roots.relocate(leader, young_only && !all_roots);
                leader.run();
            });
        },
    );
    clock.ends(Phase::Trace);
    let found = phase.take_findings();
    let workers = 1 + found.len();
    let mut all = merge(found);
    if !all.retained.is_empty() || leader.has_retained() {
        all = all.and(leader.finish());
        let start = Start { staying: std::mem::take(&mut all.retained), ..Start::default() };
        (leader, all) = stay(core, helpers, Plan { copying: false, ..plan }, start, all);
    }
    clock.ends(Phase::Retain);
    let (moved, old) = leader.settle_weak(&mut all);
    let settle = if everything { Settle::Moved } else { Settle::Listed };
    let mut young_weak = Vec::new();
    let mut ready = core.ready.lock();
    *ready = ready.iter().filter_map(|object| leader.resolve(*object)).collect();
    for object in moved.into_iter().chain(old) {
        let settled = finish(object, settle, 0, &leader);
        if settled.ready {
            ready.push_back(object);
        }
        if leader.stays_young(object) {
            young_weak.push(object);
        } else if settled.young {
            all.remembered.push(Remembered::Weak(object));
        }
    }
    drop(ready);
    clock.ends(Phase::Weak);
    settle_droppables(core, &leader, &condemned, young_only);
    clock.ends(Phase::Droppables);
    let mut all = merge([all, leader.finish()].into());
    let mut tally = free(core, &condemned, &all.retained_in, shading);
    settle_large(core, &condemned, everything, shading);
    if shading {
        core.born_black.fetch_add(all.promoted + tally.retained, Relaxed);
    }
    core.remembered.lock().extend(all.remembered);
    core.candidates.records.hand_over(&mut all.hosts);
    core.publish_shaded(all.shaded);
    tally.young_weak = young_weak;
    if adaptive {
        core.tenure.lock().learn(all.copied, all.promoted);
    }
    tally.copied = all.copied;
    tally.promoted = all.promoted;
    tally.objects = all.objects;
    tally.workers = workers;
    tally.freed = tally.condemned.saturating_sub(all.copied + all.promoted);
    core.spaces.start_mutating();
    clock.ends(Phase::Free);
    tally.phases = clock.times;
    tally
}

/// The copiers are done: what they left where it is is scanned there, and what else lives stays as well. Returns the worker
/// that led, and all that is found by now.
fn stay(core: &Arc<Core>, helpers: &Helpers, plan: Plan, start: Start, found: Findings) -> (ScavengeWorker, Findings) {
    let helping = if core.settings.parallel_scavenge { helpers.others_hint() } else { 0 };
    let phase = Arc::new(ScavengePhase::new(core.clone(), plan, start, helping + 1));
    let mut leader =
        ScavengeWorker::new(phase.clone(), phase.join().expect("the leader's deque is made with the phase"));
    helpers.share(&phase, helping, || leader.run());
    let found = phase.take_findings().into_iter().fold(found, Findings::and);
    (leader, found)
}

/// What is emptied, and the large objects to decide about.
struct Condemned {
    regions: Vec<FromRegion>,
    large_young: Vec<usize>,
    /// Who referred to the old regions among them.
    hosts: Hosts<Task>,
    /// Bytes in use in the regions.
    bytes: usize,
}

fn condemn(core: &Core, extent: Extent) -> Condemned {
    let spaces = &core.spaces;
    let mut regions = spaces.take_young();
    let large_young = spaces.take_large_young();
    let mut bytes = regions.iter().map(|r| r.bytes).sum();
    let whole = |index| FromRegion { index, bytes: REGION_BYTES };
    let mut hosts = Hosts::default();
    match extent {
        Extent::Young => {}
        Extent::Batch(batch) => {
            regions.extend(batch.regions.into_iter().map(whole));
            bytes += batch.bytes;
            hosts = batch.hosts;
        }
        Extent::Everything => {
            bytes += spaces.old.used();
            regions.extend(spaces.old.take_all().into_iter().map(whole));
            let (_, large_old) = spaces.large_objects();
            large_old.iter().for_each(|first| condemn_region(core, *first));
        }
    }
    regions.iter().for_each(|r| condemn_region(core, r.index));
    large_young.iter().for_each(|first| condemn_region(core, *first));
    Condemned { regions, large_young, hosts, bytes }
}

fn condemn_region(core: &Core, index: usize) {
    let table = &core.spaces.pool.table;
    table.set_kind_only(index, table.kind(index).as_from());
}

/// The remembered set, without what lies in what is emptied: whoever scans the copies remembers anew what has to be.
fn take_remembered(core: &Core, everything: bool) -> Vec<Remembered> {
    let mut list = std::mem::take(&mut *core.remembered.lock());
    let pool = &core.spaces.pool;
    list.retain(|entry| {
        let at = match entry {
            Remembered::Place(place, _) => place.0.addr(),
            Remembered::Object(task) => task.object.addr(),
            Remembered::Weak(object) => object.addr(),
        };
        // Where everything is emptied nothing young is left, for large objects to refer to either.
        let stays = !everything && !pool.table.kind_at(at).is_from();
        if let (false, Remembered::Place(place, _)) = (stays, entry) {
            let bit = pool.bit(place.0.addr());
            pool.remembered().clear_range(bit, bit + 1);
        }
        stays
    });
    list
}

/// How many helpers are worth waking: one for each 128 KiB that may have to be copied.
fn helpers_for(core: &Core, helpers: &Helpers, condemned: &Condemned) -> usize {
    let bytes = condemned.bytes;
    let survival = core.survival_permille();
    let expected = bytes / 1000 * survival;
    helpers.others_hint().min(expected / (128 << 10))
}

fn merge(findings: Vec<Findings>) -> Findings {
    findings.into_iter().reduce(Findings::and).unwrap_or_default()
}

fn settle_droppables(core: &Core, verdict: &ScavengeWorker, condemned: &Condemned, young_only: bool) {
    let table = &core.spaces.pool.table;
    let mut list = std::mem::take(&mut *core.droppables.lock());
    if !young_only {
        for region in &condemned.regions {
            list.append(&mut table.with_region(region.index, |r| std::mem::take(&mut *r.droppables.lock())));
        }
    }
    let mut young = Vec::new();
    for object in list {
        match verdict.resolve(object) {
            Some(now) if verdict.stays_young(now) => young.push(now),
            Some(now) => table.with_region(table.index(now.addr()), |r| r.droppables.lock().push(now)),
            None => {
                core.bury(object);
                if bug::dead_are_buried_twice() {
                    young.push(object);
                }
            }
        }
    }
    core.droppables.lock().append(&mut young);
}

/// Gives emptied regions back; those with retained objects become old.
fn free(core: &Core, condemned: &Condemned, retained_in: &[usize], shading: bool) -> Tally {
    let retained: BTreeSet<usize> = retained_in.iter().copied().collect();
    let pool = &core.spaces.pool;
    let poison = cfg!(debug_assertions) || core.settings.zeal.poison;
    let mut tally = Tally { retained_regions: retained.len(), condemned: condemned.bytes, ..Tally::default() };
    for region in &condemned.regions {
        if retained.contains(&region.index) {
            tally.retained += retained::adopt(core, *region, shading);
            continue;
        }
        if poison {
            pool.poison(region.index);
        }
        pool.give_back(region.index, 1);
    }
    tally
}

fn settle_large(core: &Core, condemned: &Condemned, everything: bool, shading: bool) {
    let spaces = &core.spaces;
    let pool = &spaces.pool;
    let clear = |object: ObjectRef| {
        let bit = pool.bit(object.addr());
        pool.marks().clear_range(bit, bit + 1);
    };
    if everything {
        spaces.retain_large_old(|object, first| {
            pool.table.set_kind_only(first, Kind::LARGE_OLD);
            let alive = core.is_marked(object);
            clear(object);
            if !alive {
                bury_large(core, object, first);
            }
            alive
        });
    }
    for first in &condemned.large_young {
        let object = object_at(pool.start(*first));
        let span = spaces.span(*first);
        if core.is_marked(object) {
            // While marking, the bit goes on to say that the marker need not come: a large young object is a leaf.
            if !shading {
                clear(object);
            }
            spaces.promote_large(*first, span);
        } else {
            pool.give_back(*first, span);
        }
    }
}

/// Old droppables hang on their region.
pub(crate) fn bury_large(core: &Core, object: ObjectRef, first: usize) {
    let table = &core.spaces.pool.table;
    let list = table.with_region(first, |r| std::mem::take(&mut *r.droppables.lock()));
    if !list.is_empty() {
        core.bury(object);
    }
}
