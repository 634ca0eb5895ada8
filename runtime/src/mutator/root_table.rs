#![expect(unsafe_code, reason = "root slots hold addresses of objects")]
//! The slots behind [`Root`](crate::Root)s: chunks of memory that is never given back.
//!
//! ```text
//!             take                 drop of the Root               swept in a pause
//!   free (1) ──────▶ object address ──────────────▶ dropped (0) ─────────────────▶ free (1)
//! ```
//!
//! Type-stable memory makes dropping a `Root` two stores from any thread at any moment, even after the heap is gone. The
//! collector rewrites a slot by compare-and-exchange, so that a drop meanwhile is not undone.
//!
//! K1  A slot holds 1, 0, or the address of an object of the chunk's heap.
//! K2  A slot is in a free list exactly while it holds 1.
//! K3  A chunk whose slots were written or dropped since the last sweep, or that held a young reference then, is `touched`;
//!     a young collection looks at no other.
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::{Marker, Mover};
use std::ptr::{NonNull, null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Slots of a chunk: what fits in 1 KiB beside the chunk's own two words.
const SLOTS: usize = 126;

/// A chunk of root slots; lives for ever.
pub(crate) struct Chunk {
    /// Whose objects the slots refer to; 0 after that heap's end.
    heap_id: AtomicUsize,
    /// K3.
    touched: AtomicBool,
    slots: [AtomicPtr<u8>; SLOTS],
}

/// One slot of one chunk.
#[derive(Clone, Copy)]
pub(crate) struct RootPlace {
    chunk: &'static Chunk,
    index: usize,
}

fn free_mark() -> *mut u8 {
    without_provenance_mut(1)
}

/// The object in a slot, if there is one.
fn object_in(word: *mut u8) -> Option<ObjectRef> {
    let start = NonNull::new(word).filter(|_| word != free_mark())?;
    // SAFETY: K1.
    Some(unsafe { ObjectRef::from_start(start) })
}

impl RootPlace {
    #[inline(always)]
    fn slot(&self) -> &'static AtomicPtr<u8> {
        &self.chunk.slots[self.index]
    }
    #[inline(always)]
    pub(crate) fn heap_id(&self) -> usize {
        self.chunk.heap_id.load(Ordering::Relaxed)
    }
    #[inline(always)]
    pub(crate) fn load(&self) -> *mut u8 {
        // Acquire: the reader goes on to the object; partner: the Release in `store`, by whichever thread set the root.
        self.slot().load(Ordering::Acquire)
    }
    #[inline]
    pub(crate) fn store(&self, word: *mut u8) {
        // Release: the object's content comes first; partner: the Acquire in `load`.
        self.slot().store(word, Ordering::Release);
        // Release: a drop may come from a thread that is no mutator and stops for nobody. A sweep that sees this flag sees
        // the null too, and one that does not leaves the flag up for the next; partner: the Acquire in `relocate`.
        self.chunk.touched.store(true, Ordering::Release);
    }
    /// Lets go of the slot, from any thread.
    #[inline]
    pub(crate) fn release(&self) {
        self.store(null_mut());
    }
}

/// Chunks of dead heaps, waiting until every `Root` into them is dropped.
static RETIRED: Mutex<Vec<&'static Chunk>> = Mutex::new(Vec::new());

impl Chunk {
    fn take(heap_id: usize) -> &'static Chunk {
        let mut retired = RETIRED.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |c: &&Chunk| c.slots.iter().all(|s| object_in(s.load(Ordering::Acquire)).is_none());
        if let Some(i) = retired.iter().position(idle) {
            let chunk = retired.swap_remove(i);
            for slot in &chunk.slots {
                slot.store(free_mark(), Ordering::Relaxed);
            }
            chunk.heap_id.store(heap_id, Ordering::Relaxed);
            return chunk;
        }
        Box::leak(Box::new(Chunk {
            heap_id: AtomicUsize::new(heap_id),
            touched: AtomicBool::new(false),
            slots: [const { AtomicPtr::new(without_provenance_mut(1)) }; SLOTS],
        }))
    }
}

/// All root slots of one heap.
pub(crate) struct RootTable {
    heap_id: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    chunks: Vec<&'static Chunk>,
    free: Vec<RootPlace>,
}

impl RootTable {
    pub(crate) fn new(heap_id: usize) -> Self {
        Self { heap_id, inner: Mutex::new(Inner { chunks: Vec::new(), free: Vec::new() }) }
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// A free slot, through the mutator's own list, which is refilled a chunk's worth at a time.
    #[inline]
    pub(crate) fn take(&self, own: &mut Vec<RootPlace>) -> RootPlace {
        match own.pop() {
            Some(place) => place,
            None => self.take_slow(own),
        }
    }
    #[cold]
    fn take_slow(&self, own: &mut Vec<RootPlace>) -> RootPlace {
        let mut inner = self.lock();
        if inner.free.is_empty() {
            let chunk = Chunk::take(self.heap_id);
            inner.chunks.push(chunk);
            inner.free.extend((0..SLOTS).map(|index| RootPlace { chunk, index }));
        }
        let rest = inner.free.len().saturating_sub(SLOTS);
        own.extend(inner.free.drain(rest..));
        own.pop().expect("the list was just refilled")
    }
    /// Takes back the free slots of a mutator that goes away.
    pub(crate) fn give_back(&self, own: &mut Vec<RootPlace>) {
        self.lock().free.append(own);
    }
    /// Shows every root. The world is stopped, but `Root`s may be dropped meanwhile.
    pub(crate) fn mark(&self, v: &mut impl Marker) {
        for chunk in &self.lock().chunks {
            for object in chunk.slots.iter().filter_map(|s| object_in(s.load(Ordering::Acquire))) {
                v.edge(object);
            }
        }
    }
    /// Shows every root (or the touched chunks' only), stores what it becomes, and sweeps dropped slots into the free list.
    pub(crate) fn relocate(&self, v: &mut impl Mover, touched_only: bool, is_young: impl Fn(ObjectRef) -> bool) {
        let inner = &mut *self.lock();
        for &chunk in &inner.chunks {
            // Acquire: the drops that raised the flag; partner: the Release in `RootPlace::store`.
            if !chunk.touched.swap(false, Ordering::AcqRel) && touched_only {
                continue;
            }
            let mut still_young = false;
            for (index, slot) in chunk.slots.iter().enumerate() {
                let word = slot.load(Ordering::Acquire);
                if word.is_null() {
                    slot.store(free_mark(), Ordering::Relaxed);
                    inner.free.push(RootPlace { chunk, index });
                } else if let Some(object) = object_in(word) {
                    let moved = v.forward(object);
                    still_young |= is_young(moved);
                    // A failure is a drop that came in between; the flag it raised brings us back.
                    let _ = slot.compare_exchange(word, moved.as_ptr(), Ordering::AcqRel, Ordering::Relaxed);
                }
            }
            if still_young {
                chunk.touched.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for RootTable {
    fn drop(&mut self) {
        let chunks = std::mem::take(&mut self.lock().chunks);
        for chunk in &chunks {
            chunk.heap_id.store(0, Ordering::Relaxed);
        }
        RETIRED.lock().unwrap_or_else(PoisonError::into_inner).extend(chunks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves every object by a page, and counts how many it was shown.
    struct Shift(usize);
    // SAFETY: the test's own; there are no objects to be confused.
    unsafe impl orinoco_collector::object::trace::Visitor for Shift {}
    impl Mover for Shift {
        fn forward(&mut self, target: ObjectRef) -> ObjectRef {
            self.0 += 1;
            let moved = NonNull::new(target.as_ptr().wrapping_add(4096)).expect("a page on is not null");
            // SAFETY: nobody looks behind the addresses of this test.
            unsafe { ObjectRef::from_start(moved) }
        }
    }
    fn address(n: usize) -> *mut u8 {
        without_provenance_mut(0x10_0000 + 8 * n)
    }
    /// A table with `n` slots in use, and their places.
    fn table(n: usize) -> (RootTable, Vec<RootPlace>, Vec<RootPlace>) {
        let table = RootTable::new(usize::MAX);
        let mut own = Vec::new();
        let places: Vec<_> = (0..n).map(|_| table.take(&mut own)).collect();
        places.iter().enumerate().for_each(|(i, place)| place.store(address(i)));
        (table, own, places)
    }

    #[test]
    fn slots_in_use_are_all_different() {
        let (_table, own, places) = table(3 * SLOTS);
        let mut all: Vec<_> = places.iter().chain(&own).map(|p| std::ptr::from_ref(p.slot()).addr()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), places.len() + own.len());
    }

    #[test]
    fn every_root_is_shown_and_follows_its_object() {
        let (table, _own, places) = table(SLOTS + 5);
        let mut mover = Shift(0);
        table.relocate(&mut mover, false, |_| false);
        assert_eq!(mover.0, places.len());
        for (i, place) in places.iter().enumerate() {
            assert_eq!(place.load(), address(i).wrapping_add(4096));
        }
    }

    #[test]
    fn a_young_collection_leaves_out_chunks_without_news() {
        let (table, _own, places) = table(2 * SLOTS);
        let shown = |only, young| {
            let mut mover = Shift(0);
            table.relocate(&mut mover, only, |_| young);
            mover.0
        };
        assert_eq!(shown(true, true), 2 * SLOTS, "everything is new");
        assert_eq!(shown(true, false), 2 * SLOTS, "everything was young");
        assert_eq!(shown(true, false), 0);
        places[0].store(address(0));
        assert_eq!(shown(true, false), SLOTS, "one chunk has news");
        assert_eq!(shown(false, false), 2 * SLOTS);
    }

    #[test]
    fn a_dropped_slot_is_shown_no_more_and_used_again() {
        let (table, mut own, places) = table(SLOTS);
        table.relocate(&mut Shift(0), true, |_| false);
        places[7].release();
        let mut mover = Shift(0);
        table.relocate(&mut mover, true, |_| false);
        assert_eq!(mover.0, SLOTS - 1);
        assert!(own.is_empty());
        let again = table.take(&mut own);
        assert!(std::ptr::eq(again.slot(), places[7].slot()));
    }

    #[test]
    fn a_chunk_is_another_heaps_only_when_all_its_roots_are_dropped() {
        let (dead, _own, places) = table(2);
        drop(dead);
        assert_eq!(places[0].heap_id(), 0);
        places[0].release();
        let other = RootTable::new(usize::MAX - 1);
        let held = places[1].chunk;
        let first = other.take(&mut Vec::new());
        assert!(!std::ptr::eq(first.chunk, held), "a root into it is still there");
        assert_eq!(places[1].heap_id(), 0);
    }
}
