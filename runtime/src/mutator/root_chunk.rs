//! A chunk of root slots: what any thread may do to it at any moment, and what a stop does meanwhile.
//!
//! ```text
//!             take                 drop of the Root               swept in a stop
//!   free (1) ──────▶ object address ──────────────▶ dropped (0) ─────────────────▶ free (1)
//! ```
//!
//! A root is dropped by whichever thread has it, and that may be one that stops for nobody. So a stop moves a root by
//! compare-and-exchange, which a drop meanwhile makes fail, and finds what was dropped by a flag that the drop raises
//! after it: a sweep that lowers the flag sees the drop, and one that misses the drop leaves the flag up.
//!
//! K1  A slot holds 1, 0, or the address of an object of the chunk's heap.
//! K2  A slot is in a free list exactly while it holds 1.
//! K3  A chunk whose slots were written or dropped since the last sweep, or that held a young reference then, is `touched`;
//!     a young collection looks at no other.
use orinoco_collector::mark::shade::{exchange, follow, publish};
use orinoco_collector::planted::{bug, ord};
use orinoco_collector::sync::Ordering::Relaxed;
use orinoco_collector::sync::{AtomicBool, AtomicPtr, AtomicUsize};
use std::ptr::{null_mut, without_provenance_mut};

/// Slots of a chunk: what fits in 1 KiB beside the chunk's own two words. A model has as many as it can tell apart.
pub const SLOTS: usize = if cfg!(loom) { 2 } else { 126 };

/// Root slots of one heap, and of another when all are dropped and the first is gone.
pub struct Chunk {
    /// Whose objects the slots refer to; 0 after that heap's end.
    heap_id: AtomicUsize,
    /// K3. Raised by whoever writes a slot, lowered in stops.
    touched: AtomicBool,
    slots: [AtomicPtr<u8>; SLOTS],
}

fn free_mark() -> *mut u8 {
    without_provenance_mut(1)
}

/// Whether a slot's word is an object's address.
fn is_object(word: *mut u8) -> bool {
    word.addr() > 1
}

impl Chunk {
    /// Free slots, for the roots of a heap.
    pub fn new(heap_id: usize) -> Self {
        Self {
            heap_id: AtomicUsize::new(heap_id),
            touched: AtomicBool::new(false),
            slots: std::array::from_fn(|_| AtomicPtr::new(free_mark())),
        }
    }
    /// Whose objects the slots refer to; 0 after that heap's end.
    #[inline(always)]
    pub fn heap_id(&self) -> usize {
        self.heap_id.load(Relaxed)
    }
    /// The heap is gone; roots may still be dropped.
    pub fn disown(&self) {
        self.heap_id.store(0, Relaxed);
    }
    /// Gives the chunk of a dead heap to another, if every root into it is dropped.
    #[must_use]
    pub fn adopt(&self, heap_id: usize) -> bool {
        // Relaxed: nobody goes on to an object, and a dropped slot is written by nobody but us.
        let idle = self.slots.iter().all(|slot| !is_object(slot.load(Relaxed)));
        if idle {
            self.slots.iter().for_each(|slot| slot.store(free_mark(), Relaxed));
            self.heap_id.store(heap_id, Relaxed);
        }
        idle
    }

    /// The object that a root holds.
    #[inline(always)]
    pub fn get(&self, index: usize) -> *mut u8 {
        // Guarded by `roots::what_a_root_holds_is_written`.
        follow(&self.slots[index])
    }
    /// Makes a slot hold an object.
    #[inline]
    pub fn set(&self, index: usize, word: *mut u8) {
        publish(&self.slots[index], word);
        self.touch();
    }
    #[inline(always)]
    fn touch(&self) {
        // Release: who lowers this flag sees the slot as it was left before; partner: Acquire in `relocate`.
        // Guarded by `roots::a_root_dropped_in_a_stop_is_swept_once`.
        if cfg!(loom) {
            // As in `release`.
            self.touched.swap(true, ord::root_touched());
        } else {
            self.touched.store(true, ord::root_touched());
        }
    }
    /// Lets go of a slot, from any thread.
    #[inline]
    pub fn release(&self, index: usize) {
        if bug::root_raises_its_flag_first() {
            self.touch();
        }
        if cfg!(loom) {
            // loom has no single history of stores and exchanges of one word: it lets a store land before an exchange that
            // had read what was there earlier. With exchanges alone it has.
            let _ = exchange(&self.slots[index], null_mut());
        } else {
            publish(&self.slots[index], null_mut());
        }
        if !bug::root_raises_its_flag_first() {
            self.touch();
        }
    }

    /// In a stop: every object that a root holds. Roots may be dropped meanwhile.
    pub fn each(&self, f: impl FnMut(*mut u8)) {
        // Relaxed: the stop orders us after those who set roots.
        self.slots.iter().map(|slot| slot.load(Relaxed)).filter(|word| is_object(*word)).for_each(f);
    }
    /// In a stop, if there is news or everything is asked for: `moved` says where each object is now and whether that is
    /// young, and `dropped` hears of each slot that is free from now on. Roots may be dropped meanwhile.
    pub fn relocate(
        &self,
        touched_only: bool,
        mut moved: impl FnMut(*mut u8) -> (*mut u8, bool),
        mut dropped: impl FnMut(usize),
    ) {
        // Acquire: the drops that raised the flag; partner: the Release in `set`. Guarded by the same model.
        if !self.touched.swap(false, ord::root_swept()) && touched_only {
            return;
        }
        let mut still_young = false;
        for (index, slot) in self.slots.iter().enumerate() {
            let word = slot.load(Relaxed);
            if word.is_null() {
                slot.store(free_mark(), Relaxed);
                dropped(index);
            } else if is_object(word) {
                let (now, young) = moved(word);
                still_young |= young;
                if bug::root_is_moved_by_a_store() {
                    slot.store(now, Relaxed);
                }
                // A failure is a drop that came in between; the flag it raises after that brings us back.
                // Relaxed: mutators see what was moved when the stop ends.
                let _ = slot.compare_exchange(word, now, Relaxed, Relaxed);
            }
        }
        if still_young {
            self.touched.store(true, Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn object(n: usize) -> *mut u8 {
        without_provenance_mut(0x1000 * n)
    }

    #[test]
    fn a_chunk_is_another_heaps_only_when_all_its_roots_are_dropped() {
        let chunk = Chunk::new(7);
        chunk.set(0, object(1));
        chunk.disown();
        assert!(!chunk.adopt(8), "a root into it is still there");
        assert_eq!(chunk.heap_id(), 0);
        chunk.release(0);
        assert!(chunk.adopt(8));
        assert_eq!(chunk.heap_id(), 8);
        chunk.each(|_| panic!("its slots are free"));
    }

    #[test]
    fn what_is_young_brings_the_next_stop_back() {
        let chunk = Chunk::new(7);
        chunk.set(3, object(1));
        let looked = |young| {
            let mut looked = 0;
            let moved = |word| {
                looked += 1;
                (word, young)
            };
            chunk.relocate(true, moved, |_| panic!("nothing is dropped"));
            looked
        };
        assert_eq!((looked(true), looked(false), looked(false)), (1, 1, 0));
    }
}
