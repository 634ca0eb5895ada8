#![expect(
    unsafe_code,
    reason = "the barrier reads the region table through the context's own pointer, without a check"
)]
//! The write barrier's fast half: one byte for the host's region, one for the target's.
//!
//! ```text
//!   byte of an address = table[(address >> REGION_SHIFT) & mask]
//!
//!   host \ target │ 0 young   1 old, null, foreign   3 old, marking
//!   ──────────────┼───────────────────────────────────────────────
//!   0 young       │   –                –                    –         the scavenger looks at all of them
//!   1 old         │  slow              –                    –         remember the place
//!   3 old,marking │  slow              –                   slow       and shade the target
//! ```
//!
//! B1  The table has `mask + 1` bytes and outlives the context; both are set while this mutator is stopped.
//! B2  Addresses outside the heap alias some entry: the slow half finds out.
//! B3  A slow half is given the address of a place of the type that its operations were made for.
use crate::mutator::cx::Cx;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::PlaceOps;
use orinoco_collector::sync::{AtomicU8, Ordering};
use orinoco_collector::units::REGION_SHIFT;
use std::ptr::NonNull;

/// The byte of a young region.
pub(crate) const YOUNG: u8 = 0;
/// The byte of a target that no barrier cares for.
pub(crate) const INDIFFERENT: u8 = 1;

impl Cx {
    /// What a store into, or of, this address has to do.
    #[inline(always)]
    pub(crate) fn barrier_byte(&self, address: usize) -> u8 {
        self.byte_at((address >> REGION_SHIFT) & self.local.region_mask.get())
    }
    /// As [`barrier_byte`](Self::barrier_byte), for the target of a store into an old host. It reads the mask anew: a second
    /// use of the first load would keep that from being folded into its `and`, on the path of young hosts.
    #[inline(always)]
    fn target_byte(&self, address: usize) -> u8 {
        // SAFETY: the mask is this context's own cell.
        let mask = unsafe { self.local.region_mask.as_ptr().read_volatile() };
        self.byte_at((address >> REGION_SHIFT) & mask)
    }
    #[inline(always)]
    fn byte_at(&self, index: usize) -> u8 {
        // SAFETY: B1, the index is within the table. Relaxed: a region's byte changes beside running mutators only before
        // they can know an object in it.
        unsafe { (*self.local.barrier_table.get().add(index).cast::<AtomicU8>()).load(Ordering::Relaxed) }
    }
    /// The barrier behind a store of `target` (null for none) into the slot at `place`.
    #[inline(always)]
    pub(crate) fn stored(&self, place: *mut u8, target: impl FnOnce() -> *mut u8, ops: &'static PlaceOps) {
        if self.barrier_byte(place.addr()) != YOUNG {
            let target = target();
            if self.target_byte(target.addr()) != INDIFFERENT {
                self.stored_slow(place, target, ops);
            }
        }
    }
    #[cold]
    #[inline(never)]
    fn stored_slow(&self, place: *mut u8, target: *mut u8, ops: &'static PlaceOps) {
        let Some(target) = NonNull::new(target) else { return };
        // SAFETY: a word's target is an object (G2); B3.
        unsafe { self.collector().barrier_slow(&self.local, place, ObjectRef::from_start(target), ops) };
        self.pass_on_wish();
    }
    /// The barrier behind stores into elements `from..to` of an array.
    #[inline]
    pub(crate) fn range_stored(&self, array: ObjectRef, from: usize, to: usize) {
        if self.barrier_byte(array.addr()) != YOUNG {
            // SAFETY: the caller stored into these elements of this array.
            unsafe { self.collector().range_barrier(&self.local, array, from, to) };
            self.pass_on_wish();
        }
    }
}
