#![expect(
    unsafe_code,
    reason = "a slot's word is decoded as the type that encoded it, and its place is handed to the collector"
)]
//! `Slot<V>`: a mutable word in a heap object, with the write barrier fused into its one setter.
//!
//! S1  The word was made by `V::to_word`, for `V` at some lifetime; `Slot` is invariant in `V`, so nothing written short
//!     is read long.
//! S2  A slot lies inline in a heap object, or on its way there on the Rust stack; never in malloc memory (`no_slot`). So
//!     its address tells its host's region, and an address that is none of the heap's is nobody's edge.
//! S3  Every store that may create an edge is followed by the barrier, within the same call.
//! S4  The operations handed to the collector are those of this very word type.
use crate::handle::gc::Gc;
use crate::handle::word::{Packed, Word};
use crate::mutator::cx::Cx;
use crate::trace::{Marker, Mover, Rebind, Share, Trace};
use orinoco_collector::mark::shade::{claim, exchange, follow, publish};
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::PlaceOps;
use orinoco_collector::sync::{AtomicPtr, Ordering};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

/// A mutable word in a heap object. Any thread may read and write it at any time; that is never a data race.
#[repr(transparent)]
pub struct Slot<V> {
    word: AtomicPtr<u8>,
    _value: PhantomData<Cell<V>>,
}

/// The usual nullable reference.
pub type Field<'gc, T> = Slot<Option<Gc<'gc, T>>>;

impl<V: Word> Slot<V> {
    /// A slot that holds `value`.
    #[inline(always)]
    pub fn new(value: V) -> Self {
        Slot { word: AtomicPtr::new(value.to_word()), _value: PhantomData }
    }
    /// The value.
    #[inline(always)]
    pub fn get(&self) -> V {
        // SAFETY: S1.
        unsafe { V::from_word(follow(&self.word)) }
    }
    /// Stores a value.
    #[inline(always)]
    pub fn set(&self, cx: &Cx, value: V) {
        let word = value.to_word();
        publish(&self.word, word);
        self.barrier(cx, word);
    }
    /// Stores a value and returns the one before.
    #[inline]
    pub fn swap(&self, cx: &Cx, value: V) -> V {
        let word = value.to_word();
        let before = exchange(&self.word, word);
        self.barrier(cx, word);
        // SAFETY: S1.
        unsafe { V::from_word(before) }
    }
    /// Stores `new` if the slot holds `old`, compared by bits: identity, for references.
    ///
    /// # Errors
    /// The value found, when it was not `old`.
    #[inline]
    pub fn compare_exchange(&self, cx: &Cx, old: V, new: V) -> Result<V, V> {
        let word = new.to_word();
        match claim(&self.word, old.to_word(), word) {
            Ok(before) => {
                self.barrier(cx, word);
                // SAFETY: S1.
                Ok(unsafe { V::from_word(before) })
            }
            // SAFETY: S1.
            Err(found) => Err(unsafe { V::from_word(found) }),
        }
    }
    #[inline(always)]
    fn barrier(&self, cx: &Cx, word: *mut u8) {
        if V::MAY_POINT {
            cx.stored((&raw const self.word).cast_mut().cast(), || V::target(word), Self::OPS);
        }
    }
    /// S4.
    const OPS: &'static PlaceOps = &PlaceOps { relocate: relocate_word::<V, _> };

    /// The bare word, for operations on whole arrays, whose barrier follows.
    #[inline(always)]
    pub(crate) fn load_word(&self) -> *mut u8 {
        follow(&self.word)
    }
    /// Stores a bare word that a slot of the same type held; the caller owes the barrier (S3).
    #[inline(always)]
    pub(crate) fn store_word(&self, word: *mut u8) {
        publish(&self.word, word);
    }
}

impl<'gc, T: ?Sized> Slot<Option<Gc<'gc, T>>> {
    /// A slot that holds no reference.
    #[inline(always)]
    pub const fn null() -> Self {
        Slot { word: AtomicPtr::new(null_mut()), _value: PhantomData }
    }
    /// Stores no reference. There is no barrier, for no edge is created.
    #[inline(always)]
    pub fn clear(&self) {
        publish(&self.word, null_mut());
    }
}

impl<V: Word + Default> Default for Slot<V> {
    fn default() -> Self {
        Slot::new(V::default())
    }
}
impl<V: Word + std::fmt::Debug> std::fmt::Debug for Slot<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

/// The object that a word of type `V` refers to.
#[inline(always)]
fn target_of<V: Word>(word: *mut u8) -> Option<ObjectRef> {
    // SAFETY: W2, a target is an object.
    NonNull::new(V::target(word)).map(|start| unsafe { ObjectRef::from_start(start) })
}

/// Shows the reference in the slot at `place`.
///
/// # Safety
/// `place` is a `Slot<V>` (S4).
unsafe fn mark_word<V: Word, M: Marker>(place: *mut u8, v: &mut M) {
    // SAFETY: the caller's promise.
    let word = follow(unsafe { &*place.cast::<AtomicPtr<u8>>() });
    if let Some(target) = target_of::<V>(word) {
        v.edge(target);
    }
}

/// Shows the reference in the slot at `place` and stores what it becomes.
///
/// # Safety
/// `place` is a `Slot<V>` (S4), and the world is stopped.
unsafe fn relocate_word<V: Word, M: Mover>(place: *mut u8, v: &mut M) {
    // SAFETY: the caller's promise. Relaxed: the stop orders all of this against the mutators.
    let slot = unsafe { &*place.cast::<AtomicPtr<u8>>() };
    let word = slot.load(Ordering::Relaxed);
    if let Some(target) = target_of::<V>(word) {
        slot.store(V::retarget(word, v.forward(target).as_ptr()), Ordering::Relaxed);
    }
}

// SAFETY: R1, the value's, in a word of the same size.
unsafe impl<V: Rebind> Rebind for Slot<V> {
    type At<'a> = Slot<V::At<'a>>;
}
// SAFETY: R2, the one reference that a word can hold.
unsafe impl<V: Word + Rebind> Trace for Slot<V> {
    const HAS_SLOT: bool = V::MAY_POINT;
    const HAS_EDGES: bool = V::MAY_POINT;
    #[inline(always)]
    fn mark<M: Marker>(&self, v: &mut M) {
        if V::MAY_POINT {
            // SAFETY: S4.
            unsafe { mark_word::<V, M>((&raw const self.word).cast_mut().cast(), v) }
        }
    }
    #[inline(always)]
    fn relocate<M: Mover>(&mut self, v: &mut M) {
        if V::MAY_POINT {
            // SAFETY: S4; the world is stopped (R2).
            unsafe { relocate_word::<V, M>((&raw mut self.word).cast(), v) }
        }
    }
}
// SAFETY: R3, every access is atomic, and what it refers to is `Share`.
unsafe impl<V: Word + Share> Share for Slot<V> {}

// SAFETY: R1, the value's, in a word of the same size.
unsafe impl<V: Rebind> Rebind for Packed<V> {
    type At<'a> = Packed<V::At<'a>>;
}
// SAFETY: R2, the one reference that a word can hold.
unsafe impl<V: Word + Rebind> Trace for Packed<V> {
    const HAS_EDGES: bool = V::MAY_POINT;
    #[inline(always)]
    fn mark<M: Marker>(&self, v: &mut M) {
        if let Some(target) = target_of::<V>(self.word) {
            v.edge(target);
        }
    }
    #[inline(always)]
    fn relocate<M: Mover>(&mut self, v: &mut M) {
        if V::MAY_POINT {
            // SAFETY: it is an aligned word, as large as an atomic one; the world is stopped (R2).
            unsafe { relocate_word::<V, M>((&raw mut self.word).cast(), v) }
        }
    }
}
// SAFETY: R3, the value's.
unsafe impl<V: Word + Share> Share for Packed<V> {}
