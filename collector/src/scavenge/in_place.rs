//! A nursery that is expected to survive becomes old as it is: no object is visited, no byte is copied.
//!
//! ```text
//!   survival of the last scavenges ≥ 80 % ──▶ the whole young generation changes its kind: a few bytes a region
//! ```
//!
//! While a program builds what it will keep, copying is wasted twice: once to the survivors, once to the old
//! generation. What has died in such a nursery is found by the next full collection, so the guess is only made when
//! recent scavenges support it, and never twice without a scavenge that measures in between. An old generation full of gaps
//! has room for copies, and would only grow.
//!
//! I1  Nothing is young afterwards; entries of the remembered set stay, and the next scavenge finds them done.
//! I2  Never while marking, nor while there are candidates: these objects are white, and nobody would shade what they refer
//!     to, or record that they refer to it.
use crate::heap_core::Core;
use crate::object::raw::{fill, object_at};
use crate::region::free_runs::Run;
use crate::scavenge::cycle::Tally;
use crate::units::REGION_BYTES;
use crate::world::StoppedWorld;

/// Of a thousand bytes, how many must have survived of late.
const CONFIDENT: usize = 800;

/// Whether the young generation should be promoted where it stands.
pub(crate) fn is_worthwhile(core: &Core) -> bool {
    let quiet = !core.is_marking() && !core.candidates.are_any();
    core.is_survival_measured() && core.survival_permille() >= CONFIDENT && quiet && !core.spaces.old.is_full_of_gaps()
}

/// Promotes the whole young generation where it stands. Mutators' buffers are retired and their lists handed over.
pub(crate) fn promote(core: &Core, _world: &StoppedWorld<'_>) -> Tally {
    let spaces = &core.spaces;
    let table = &spaces.pool.table;
    let mut tally = Tally::default();
    for region in spaces.take_young() {
        if region.bytes == 0 {
            spaces.pool.give_back(region.index, 1);
            continue;
        }
        let rest = Run { offset: region.index * REGION_BYTES + region.bytes, bytes: REGION_BYTES - region.bytes };
        if rest.bytes > 0 {
            fill(spaces.pool.at(rest.offset), rest.bytes);
        }
        spaces.old.adopt(&spaces.pool, region.index, &[rest], region.bytes);
        tally.condemned += region.bytes;
        tally.promoted += region.bytes;
        tally.retained_regions += 1;
    }
    for first in spaces.take_large_young() {
        spaces.promote_large(first, spaces.span(first));
        debug_assert!(table.kind_at(object_at(spaces.pool.start(first)).addr()).is_old());
    }
    for object in std::mem::take(&mut *core.droppables.lock()) {
        table.with_region(table.index(object.addr()), |r| r.droppables.lock().push(object));
    }
    // The next scavenge measures: without this the guess would confirm itself.
    core.note_unmeasured();
    spaces.start_mutating();
    tally
}
