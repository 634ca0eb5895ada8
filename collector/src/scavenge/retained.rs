//! Regions that a scavenge could not empty: they become old as they are, without what was moved or has died.
//!
//! ```text
//!   from-region:   ┌fwd─┬dead┬ret.┬fwd─┬ret.┬dead─────┐
//!   mark bits:     │         1         1              │   set by who retains; what is between them is looked at by nobody
//!   becomes old:   └gap──────┘live└gap─┘live└gap──────┘
//! ```
//!
//! This is the way out when there is no memory for a copy, and when copying on would break the pause's budget.
use crate::heap_core::Core;
use crate::object::forward::{State, probe, restore};
use crate::object::raw::{fill, object_at};
use crate::region::free_runs::Run;
use crate::space::spaces::FromRegion;
use crate::units::{REGION_BYTES, WORD};

/// Makes an old region of a from-region with retained objects; they stay marked if the heap is being marked.
/// Returns the bytes that live on there.
pub(crate) fn adopt(core: &Core, from: FromRegion, marking: bool) -> usize {
    let pool = &core.spaces.pool;
    let marks = pool.marks();
    let start = pool.start(from.index);
    let first = pool.bit(start.addr());
    let base = from.index * REGION_BYTES;
    let mut runs = Vec::new();
    let mut gap = 0;
    let mut live = 0;
    let mut close = |gap: usize, end: usize| {
        if end > gap {
            fill(start.wrapping_add(gap), end - gap);
            runs.push(Run { offset: base + gap, bytes: end - gap });
        }
    };
    for bit in marks.marked(first, first + REGION_BYTES / WORD) {
        let at = (bit - first) * WORD;
        close(gap, at);
        let object = object_at(start.wrapping_add(at));
        debug_assert_eq!(probe(object.header()), State::Retained, "only what is retained is marked in a from-region");
        restore(object.header());
        let bytes = object.size();
        live += bytes;
        gap = at + bytes;
    }
    close(gap, REGION_BYTES);
    if !marking {
        core.unmark_region(from.index);
    }
    core.spaces.old.adopt(pool, from.index, &runs, live);
    live
}
