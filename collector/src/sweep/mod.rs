//! From mark bits to free memory, a region at a time, beside the program or on demand.
//!
//! A region is swept by whoever claims it (see `space::old`): a helper, a mutator that needs memory, or the next
//! collection, which cannot start marking before the last mark bits are used up.
//!
//! R1  What is unmarked in an unswept region is dead, and nobody has its address.
//! R2  A dead object's value is moved out before its memory is handed on.
use crate::heap_core::Core;
use crate::object::raw::{fill, object_at, poison};
use crate::planted::bug;
use crate::region::free_runs::Run;
use crate::sync::{Ordering::Relaxed, thread};
use crate::units::{REGION_BYTES, WORD};
use crate::zeal::delay;

/// What a filler needs of a gap; the rest may be overwritten.
const FILLER_BYTES: usize = 2 * WORD;

/// Sweeps one region, if any waits; false if none does.
pub(crate) fn sweep_one(core: &Core) -> bool {
    let Some(region) = core.spaces.old.gaps.claim() else { return false };
    delay(&core.settings.zeal);
    sweep_region(core, region);
    true
}

/// Sweeps one region so that its gaps can be handed out, if such a region waits: for whoever finds no gap.
pub(crate) fn sweep_for_room(core: &Core) -> bool {
    let Some(region) = core.spaces.old.claim_for_room(&core.spaces.pool) else { return false };
    delay(&core.settings.zeal);
    sweep_region(core, region);
    true
}

/// Sweeps until every region is swept, by whomever.
pub(crate) fn finish(core: &Core) {
    while sweep_one(core) {}
    while !core.spaces.old.is_swept() {
        thread::yield_now();
    }
}

fn sweep_region(core: &Core, region: usize) {
    let pool = &core.spaces.pool;
    let marks = pool.marks();
    let start = pool.start(region);
    let (first, last) = (pool.bit(start.addr()), pool.bit(start.addr()) + REGION_BYTES / WORD);
    pool.table.with_region(region, |r| {
        let mut list = r.droppables.lock();
        list.retain(|object| {
            let alive = core.is_marked(*object);
            if !alive {
                core.bury(*object); // R2
            }
            alive
        });
    });
    let mut runs = Vec::new();
    let mut live = 0;
    let mut gap = 0;
    let mut close = |gap: usize, end: usize| {
        if end > gap {
            fill(start.wrapping_add(gap), end - gap);
            if core.settings.zeal.poison && end - gap > FILLER_BYTES {
                poison(start.wrapping_add(gap + FILLER_BYTES), end - gap - FILLER_BYTES);
            }
            runs.push(Run { offset: region * REGION_BYTES + gap, bytes: end - gap });
        }
    };
    for bit in marks.marked(first + usize::from(bug::sweep_looks_one_late()), last) {
        let at = (bit - first) * WORD;
        close(gap, at);
        let bytes = object_at(start.wrapping_add(at)).size();
        live += bytes;
        gap = at + bytes;
    }
    close(gap, REGION_BYTES);
    marks.clear_range(first + if bug::sweep_leaves_marks() { 64 } else { 0 }, last);
    if live > 0 {
        pool.table.with_region(region, |r| r.live.store(live, Relaxed));
        core.spaces.old.swept(pool, region, Some(runs));
        return;
    }
    if cfg!(debug_assertions) || core.settings.zeal.poison {
        pool.poison(region);
    }
    // A candidate that is empty leaves its batch, and whoever uses the region next is nobody's host from before (see `compact`).
    pool.table.set_batch(region, None);
    core.spaces.old.swept(pool, region, None);
    pool.give_back(region, 1);
}
