//! Regions that a scavenge could not empty: they become old as they are, without what was moved or has died.
//!
//! ```text
//!   from-region:   ┌fwd─┬dead┬ret.┬fwd─┬ret.┬dead─────┐
//!   becomes old:   └gap──────┘live└gap─┘live└gap──────┘
//! ```
//!
//! This is the way out when there is no memory for a copy, and when copying on would break the pause's budget.
use crate::heap_core::Core;
use crate::object::forward::{RETAINED, State, decode, restore};
use crate::object::header::{HashState, hash_at, hash_state};
use crate::object::raw::{ObjectRef, fill, object_at};
use crate::region::free_runs::Run;
use crate::space::spaces::FromRegion;
use crate::sync::Ordering::Relaxed;
use crate::units::{REGION_BYTES, WORD};

/// Makes an old region of a from-region with retained objects.
/// Returns the bytes that live on there.
pub(crate) fn adopt(core: &Core, from: FromRegion) -> usize {
    let pool = &core.spaces.pool;
    let start = pool.start(from.index);
    let birth = pool.table.with_region(from.index, |r| r.births.load(Relaxed));
    let base = from.index * REGION_BYTES;
    let mut runs = Vec::new();
    let mut gap = 0;
    let mut live = 0;
    let mut at = 0;
    let mut close = |gap: usize, end: usize| {
        if end > gap {
            fill(start.wrapping_add(gap), end - gap);
            runs.push(Run { offset: base + gap, bytes: end - gap });
        }
    };
    while at < from.bytes {
        let object = object_at(start.wrapping_add(at));
        let word = object.header().load(Relaxed);
        let bytes = match decode(word) {
            State::Forwarded(copy) => moved_size(base + at, object.sibling(copy), birth),
            State::Here(header) => object.size_under(header),
            State::Retained => {
                close(gap, at);
                restore(object.header());
                let bytes = object.size_under(word & !RETAINED);
                live += bytes;
                gap = at + bytes;
                bytes
            }
        };
        at += bytes;
    }
    close(gap, REGION_BYTES);
    core.spaces.old.adopt(pool, from.index, &runs, live);
    live
}

/// How large an object was where it stood, `at` bytes into the heap, now that its header is the address of its copy.
fn moved_size(at: usize, copy: ObjectRef, birth: usize) -> usize {
    let header = copy.header_now();
    let bytes = copy.size_under(header);
    // The copy is a word longer if this move was the one that stored the hash.
    let grew = hash_state(header) == HashState::Stored && copy.stored_hash(header) == hash_at(at, birth);
    if grew { bytes - WORD } else { bytes }
}
