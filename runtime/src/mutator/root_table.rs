#![expect(unsafe_code, reason = "root slots hold addresses of objects")]
//! The slots behind [`Root`](crate::Root)s: chunks of memory that is never given back.
//!
//! Type-stable memory makes dropping a `Root` two stores from any thread at any moment, even after the heap is gone. What
//! that takes is the room below, [`root_chunk`](crate::mutator::root_chunk), whose K1 to K3 hold here.
use crate::mutator::root_chunk::{Chunk, SLOTS};
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::{Marker, Mover};
use orinoco_collector::planted::bug;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// One slot of one chunk.
#[derive(Clone, Copy)]
pub(crate) struct RootPlace {
    chunk: &'static Chunk,
    index: usize,
}

/// The object at the address in a slot.
fn object_at(word: *mut u8) -> ObjectRef {
    let start = NonNull::new(word).expect("a chunk shows objects only");
    // SAFETY: K1.
    unsafe { ObjectRef::from_start(start) }
}

impl RootPlace {
    #[inline(always)]
    pub(crate) fn heap_id(&self) -> usize {
        self.chunk.heap_id()
    }
    #[inline(always)]
    pub(crate) fn load(&self) -> *mut u8 {
        self.chunk.get(self.index)
    }
    #[inline]
    pub(crate) fn store(&self, word: *mut u8) {
        self.chunk.set(self.index, word);
    }
    /// Panics if the slot's heap is another one.
    #[inline(always)]
    pub(crate) fn check_heap(&self, heap_id: usize) {
        if self.heap_id() != heap_id {
            wrong_heap();
        }
    }
    /// Lets go of the slot, from any thread.
    #[inline]
    pub(crate) fn release(&self) {
        self.chunk.release(self.index);
    }
}

#[cold]
#[inline(never)]
fn wrong_heap() -> ! {
    panic!("this `Root` or `Pinned` belongs to another heap, or its heap is gone")
}

/// Chunks of dead heaps, waiting until every `Root` into them is dropped.
static RETIRED: Mutex<Vec<&'static Chunk>> = Mutex::new(Vec::new());

/// A chunk with free slots only, for the roots of a heap: one that another left behind, or a new one.
fn take_chunk(heap_id: usize) -> &'static Chunk {
    let mut retired = RETIRED.lock().unwrap_or_else(PoisonError::into_inner);
    match retired.iter().position(|chunk| chunk.adopt(heap_id)) {
        Some(i) => retired.swap_remove(i),
        None => Box::leak(Box::new(Chunk::new(heap_id))),
    }
}

/// All root slots of one heap.
pub(crate) struct RootTable {
    heap_id: usize,
    inner: Mutex<Inner>,
    /// The slots of [`Pinned`](crate::Pinned)s: roots whose objects stay where they are.
    pinned: Mutex<Inner>,
}

struct Inner {
    chunks: Vec<&'static Chunk>,
    free: Vec<RootPlace>,
}

impl RootTable {
    pub(crate) fn new(heap_id: usize) -> Self {
        let empty = || Mutex::new(Inner { chunks: Vec::new(), free: Vec::new() });
        Self { heap_id, inner: empty(), pinned: empty() }
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn lock_pinned(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner)
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
        inner.refill(self.heap_id);
        let rest = inner.free.len().saturating_sub(SLOTS);
        own.extend(inner.free.drain(rest..));
        own.pop().expect("the list was just refilled")
    }
    /// A free slot for an object that is to stay where it is.
    pub(crate) fn take_pinned(&self) -> RootPlace {
        let mut pinned = self.lock_pinned();
        pinned.refill(self.heap_id);
        pinned.free.pop().expect("the list was just refilled")
    }
    /// Lists the objects that must stay where they are. The world is stopped, but pins may be dropped meanwhile.
    pub(crate) fn pinned(&self, f: &mut dyn FnMut(ObjectRef)) {
        self.lock_pinned().chunks.iter().for_each(|chunk| chunk.each(|word| f(object_at(word))));
    }
    /// Takes back the free slots of a mutator that goes away.
    pub(crate) fn give_back(&self, own: &mut Vec<RootPlace>) {
        self.lock().free.append(own);
    }
    /// Shows every root. The world is stopped, but `Root`s may be dropped meanwhile.
    pub(crate) fn mark(&self, v: &mut impl Marker) {
        self.lock().chunks.iter().for_each(|chunk| chunk.each(|word| v.edge(object_at(word))));
        self.pinned(&mut |object| v.edge(object));
    }
    /// Shows every root (or the touched chunks' only), stores what it becomes, and sweeps dropped slots into the free list.
    pub(crate) fn relocate(&self, v: &mut impl Mover, touched_only: bool, is_young: impl Fn(ObjectRef) -> bool) {
        self.lock().relocate(v, touched_only, &is_young);
        self.lock_pinned().relocate(v, touched_only, &is_young);
    }
}

impl Inner {
    fn refill(&mut self, heap_id: usize) {
        if self.free.is_empty() {
            let chunk = take_chunk(heap_id);
            self.chunks.push(chunk);
            self.free.extend((0..SLOTS).map(|index| RootPlace { chunk, index }));
        }
    }
    fn relocate(&mut self, v: &mut impl Mover, touched_only: bool, is_young: impl Fn(ObjectRef) -> bool) {
        let Self { chunks, free } = self;
        for &chunk in chunks.iter().skip(usize::from(bug::roots_skip_a_chunk())) {
            let moved = |word| {
                let now = v.forward(object_at(word));
                (now.as_ptr(), is_young(now))
            };
            chunk.relocate(touched_only, moved, |index| free.push(RootPlace { chunk, index }));
        }
    }
}

impl Drop for RootTable {
    fn drop(&mut self) {
        let mut chunks = std::mem::take(&mut self.lock().chunks);
        chunks.append(&mut self.lock_pinned().chunks);
        chunks.iter().for_each(|chunk| chunk.disown());
        RETIRED.lock().unwrap_or_else(PoisonError::into_inner).extend(chunks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::without_provenance_mut;

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
    /// Which slot of all a place is.
    fn slot(place: &RootPlace) -> (*const Chunk, usize) {
        (place.chunk, place.index)
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
        let mut all: Vec<_> = places.iter().chain(&own).map(slot).collect();
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
        assert_eq!(slot(&again), slot(&places[7]));
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
