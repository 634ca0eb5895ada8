//! Marking, phase by phase: in one stop, or begun in one and finished in another.
//!
//! ```text
//!   one stop:     roots ═▶ mark, share ─▶ weak ─▶ purge the remembered set ──▶ (sweep, beside the program)
//!
//!   two stops:    a scavenge that shades ──▶ markers beside the program ──▶ a scavenge that shades ═▶ drain ─▶ weak ─▶ purge
//!                 barriers on                 steps on mutators              what was deferred        │
//!                                             scavenges, each of them shading ◀── too much is left ───┘
//! ```
//!
//! Young objects are not marked by concurrent cycles. Whatever a live young object refers to among the old is shaded by
//! the scavenge that moves it; each scavenge of a cycle is therefore a scan of the roots, and the last one leaves the
//! marker only what was stored since.
//!
//! A lock has no barrier behind its stores: whatever its holder put there, no store told. Still the marker needs no list
//! of the locks that were taken behind its back. An old lock that is taken is in the remembered set until the next
//! scavenge, young references or not; every scavenge of the cycle shades what remembered places refer to; and the stop
//! that ends the cycle begins with one. What is left are locks that were *held* when the marker came (`deferred`), for a
//! guard that was forgotten holds its lock for ever, and was perhaps forgotten before the cycle began: only a stop may
//! look into such a lock.
use crate::heap_core::Core;
use crate::mark::phase::MarkPhase;
use crate::mark::worker::{Drained, MarkWorker, Marked};
use crate::mutator_local::Remembered;
use crate::object::raw::{ObjectRef, PlacePtr};
use crate::object::weak::{Liveness, Settle, finish, is_table};
use crate::planted::bug;
use crate::roots::Roots;
use crate::sync::Arc;
use crate::workers::Helpers;
use crate::world::StoppedWorld;
use std::cell::Cell;
use std::collections::HashSet;
use std::time::Instant;

/// Marks everything reachable, young and old, and settles what is only weakly reachable. Every region is swept.
pub(crate) fn mark_stopped(
    core: &Arc<Core>,
    helpers: &Helpers,
    _world: &StoppedWorld<'_>,
    roots: &dyn Roots,
) -> Marked {
    debug_assert!(core.spaces.old.is_swept(), "mark bits are clear when marking starts");
    let phase = Arc::new(MarkPhase::new(core.clone(), true, None));
    let mut leader = MarkWorker::in_stop(core.clone(), true);
    helpers.share(&phase, helpers.others_hint(), || {
        roots.mark(&mut leader);
        phase.run(&mut leader);
    });
    let settled = settle_weak(core, &mut leader, Vec::new(), || false);
    debug_assert!(settled, "there is all the time there is");
    let mut marked = phase.total();
    marked += leader.hand_over();
    marked
}

/// Drains what is left of a concurrent cycle; the last scavenge was in this stop. Stopped at `deadline`, if there is one.
pub(crate) fn drain_stopped(
    core: &Arc<Core>,
    helpers: &Helpers,
    _world: &StoppedWorld<'_>,
    deadline: Option<Instant>,
) -> Drained {
    let phase = Arc::new(MarkPhase::new(core.clone(), false, deadline));
    let mut leader = MarkWorker::in_stop(core.clone(), false);
    for deferred in std::mem::take(&mut *core.deferred.lock()) {
        deferred.run(&mut leader);
    }
    helpers.share(&phase, helpers.others_hint(), || phase.run(&mut leader));
    let mut marked = phase.total();
    marked += leader.hand_over();
    if core.settings.verify && core.clearing.is_on() {
        assert!(marked.objects == 0, "V7: {} objects that were found dead can be reached", marked.objects);
    }
    core.markers.add_bytes(marked.bytes);
    if core.grey.is_empty_hint() { Drained::Dry } else { Drained::Stopped }
}

/// After a cycle whose grey objects are all black: clears what refers weakly to the dead, until `enough`; whether nothing is
/// left. `young` are the live young objects with weak references: they come last, for they move between two stops.
pub(crate) fn settle_concurrent(
    core: &Arc<Core>,
    _world: &StoppedWorld<'_>,
    young: Vec<ObjectRef>,
    enough: impl FnMut() -> bool,
) -> bool {
    let mut leader = MarkWorker::in_stop(core.clone(), false);
    let settled = settle_weak(core, &mut leader, young, enough);
    core.markers.add_bytes(leader.hand_over().bytes);
    settled
}

/// Work between two looks at the clock: a slice of a table's entries, or as many cells.
const LOOK: usize = 64;

/// When everything is marked that will be, what lives through ephemerons included: clears what refers to the dead, slice by
/// slice (see [`clearing`](crate::mark::clearing)). Whether nothing is left.
fn settle_weak(core: &Core, leader: &mut MarkWorker, young: Vec<ObjectRef>, mut enough: impl FnMut() -> bool) -> bool {
    let begins = core.clearing.begin();
    if begins {
        core.waiting.clear();
        core.ready.lock().retain(|object| leader.resolve(*object).is_some());
    }
    let work = |object: ObjectRef| if is_table(object) { LOOK } else { 1 };
    let mut found = std::mem::take(&mut *core.weak_found.lock());
    found.extend(leader.take_weak());
    // What has been made since the last slice is not left to the next one, or the list would never be empty.
    let mut owed = if begins { 0 } else { found.iter().map(|object| work(*object)).sum() };
    core.clearing.add(found);
    // What the last scavenge listed is listed still; what refers to a candidate joins it.
    let known: HashSet<ObjectRef> = match core.candidates.are_any() {
        true => core.remembered.lock().iter().filter_map(Remembered::weak).collect(),
        false => HashSet::new(),
    };
    let done = Cell::new(0);
    let slice = |object: ObjectRef, from| {
        let settled = finish(object, Settle::Marked, from, leader);
        if settled.ready {
            core.ready.lock().push_back(object);
        }
        let old = core.spaces.pool.table.kind_at(object.addr()).is_old();
        if settled.young && old && core.candidates.are_any() && !known.contains(&object) {
            core.remembered.lock().push(Remembered::Weak(object));
        }
        done.set(done.get() + work(object));
        settled.next
    };
    let enough = || {
        if done.get() < LOOK {
            return false;
        }
        owed = owed.saturating_sub(done.replace(0));
        owed == 0 && enough()
    };
    if !core.clearing.advance(slice, enough) {
        return false;
    }
    for object in young {
        let mut from = Some(0);
        while let Some(at) = from {
            from = slice(object, at);
        }
    }
    core.clearing.end();
    true
}

/// Drops the entries whose host has died: their memory is about to be reused. Every large object still has its mark.
pub(crate) fn purge_remembered(core: &Core) {
    if bug::purge_keeps_the_dead() {
        return;
    }
    let pool = &core.spaces.pool;
    core.remembered.lock().retain(|entry| match entry {
        Remembered::Place(place, _) => {
            let alive = core.is_host_marked(*place);
            if !alive {
                let bit = pool.bit(place.0.addr());
                pool.remembered().clear_range(bit, bit + 1);
            }
            alive
        }
        Remembered::Object(task) => core.is_host_marked(PlacePtr(task.object.as_ptr())),
        Remembered::Weak(object) => core.is_marked(*object),
    });
}
