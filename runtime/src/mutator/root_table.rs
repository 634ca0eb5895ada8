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
        // Relaxed: this mutator stops before anybody sweeps. Release for a drop, which may come from a thread that is no
        // mutator: a sweep that sees the flag sees the null; one that does not leaves the flag up for the next.
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
