//! Marking, phase by phase; all of it in one stop.
//!
//! ```text
//!   stopped ──▶ roots ═▶ mark, share ─▶ ephemerons ─▶ weak ─▶ purge the remembered set ──▶ (sweep, beside the program)
//! ```
use crate::heap_core::Core;
use crate::mark::phase::MarkPhase;
use crate::mark::worker::{MarkWorker, Marked};
use crate::mutator_local::Remembered;
use crate::object::raw::PlacePtr;
use crate::object::trace::weak_care;
use crate::roots::Roots;
use crate::sync::Arc;
use crate::workers::Helpers;
use crate::world::StoppedWorld;

/// Marks everything reachable, young and old, and settles what is only weakly reachable. Every region is swept.
pub(crate) fn mark_stopped(
    core: &Arc<Core>,
    helpers: &Helpers,
    _world: &StoppedWorld<'_>,
    roots: &dyn Roots,
) -> Marked {
    debug_assert!(core.spaces.old.is_swept(), "mark bits are clear when marking starts");
    let phase = Arc::new(MarkPhase::new(core.clone()));
    let mut leader = MarkWorker::new(core.clone(), false);
    helpers.share(&phase, helpers.count(), || {
        roots.mark(&mut leader);
        phase.run(&mut leader);
    });
    settle_weak(core, &mut leader);
    purge_remembered(core);
    let mut marked = phase.total();
    marked += leader.hand_over();
    marked
}

/// Marks what lives through ephemerons, until nothing more does; then clears what refers to the dead.
pub(crate) fn settle_weak(core: &Core, leader: &mut MarkWorker) {
    let mut weak = std::mem::take(&mut *core.weak_found.lock());
    loop {
        weak.append(&mut leader.take_weak());
        let mut found = false;
        for object in &weak {
            found |= weak_care::mark_step(*object, leader);
        }
        leader.drain_all();
        weak.append(&mut leader.take_weak());
        if !found {
            break;
        }
    }
    for object in weak {
        let _ = weak_care::finish(object, leader);
    }
}

/// Drops the entries whose host has died: their memory is about to be reused.
pub(crate) fn purge_remembered(core: &Core) {
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
