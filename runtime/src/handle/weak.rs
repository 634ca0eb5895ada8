#![expect(unsafe_code, reason = "a weak cell's word is an address that only the collector keeps true")]
//! `Weak<'gc, T>`: a reference that does not keep its target alive.
//!
//! It is an ordinary reference to a *weak cell*, an object of its own, so it is stored, moved and shared like any other.
//!
//! ```text
//!   Holds target ──target moved──▶ Holds target          both in `finish`, in a pause
//!        └────────target dead────▶ Empty, for good
//! ```
//!
//! K1  The word is null or an object of type `T` that is alive as far as the last collection knows: `finish` sees to it
//!     before any mutator runs again; or, while clearing goes on after marking, one that marking has found dead, whose memory
//!     is intact and which `peek` does not hand out. It is never set after the cell is made, so only the collector can make an old cell
//!     refer to something young, and it lists such cells itself.
use crate::handle::gc::{Gc, HeapType};
use crate::mutator::cx::Cx;
use crate::trace::{Marker, Mover, Rebind, Share, Trace};
use orinoco_collector::error::AllocError;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::weak::{Settled, WeakEdge, WeakOps, WeakVerdict};
use orinoco_collector::planted::bug;
use orinoco_collector::sync::{AtomicPtr, Ordering};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

/// The object behind a [`Weak`].
pub struct WeakCell<T: ?Sized> {
    word: AtomicPtr<u8>,
    _target: PhantomData<Cell<*const T>>,
}

/// A reference that does not keep its target alive. `Copy`, and a word.
pub type Weak<'gc, T> = Gc<'gc, WeakCell<T>>;

impl Cx {
    /// A weak reference to the object.
    pub fn weak<'gc, T: ?Sized + HeapType<On<'gc> = T>>(&'gc self, target: Gc<'gc, T>) -> Weak<'gc, T> {
        self.alloc(WeakCell::of(target))
    }
    /// A weak reference to the object.
    ///
    /// # Errors
    /// As [`Cx::try_alloc`].
    pub fn try_weak<'gc, T: ?Sized + HeapType<On<'gc> = T>>(
        &'gc self,
        target: Gc<'gc, T>,
    ) -> Result<Weak<'gc, T>, AllocError> {
        self.try_alloc(WeakCell::of(target))
    }
}

impl<T: ?Sized + HeapType> WeakCell<T> {
    fn of(target: Gc<'_, T>) -> Self {
        Self { word: AtomicPtr::new(Gc::start(target)), _target: PhantomData }
    }
    /// The target, unless it has died. What a turn has seen stays to its end: whoever asks again in the same turn, even
    /// after collections, gets the same answer, and never `None` after `Some`.
    ///
    /// A turn ends with [`Attached::run`](crate::Attached::run) (or [`Heap::enter`](crate::Heap::enter)), or where the
    /// program says so by [`Mutator::end_turn`](crate::Mutator::end_turn): an event loop within one run must do that
    /// between its events, or all that it ever looked at stays. [`peek`](Self::peek) keeps nothing.
    ///
    /// Costs a few instructions more than `peek`: the target is noted in a list of this mutator, if it was not lately.
    #[inline]
    pub fn upgrade<'gc>(&self, cx: &'gc Cx) -> Option<Gc<'gc, T::On<'gc>>> {
        let target = self.peek(cx)?;
        cx.kept.keep(Gc::object(target));
        Some(target)
    }
    /// The target, unless it has died: as [`upgrade`](Self::upgrade), but kept no longer than any other reference, to the
    /// end of its window.
    #[inline]
    pub fn peek<'gc>(&self, cx: &'gc Cx) -> Option<Gc<'gc, T::On<'gc>>> {
        // Relaxed: whoever has the cell followed a slot to it, and its target was written before it; a stop, which alone
        // writes the word again, orders all of us. Not shaded, while marking: a reference in a mutator's hands is nobody's;
        // when it is stored it is shaded, and a root or the turn's list is looked at in the stop that ends marking.
        let start = NonNull::new(self.word.load(Ordering::Relaxed))?;
        // SAFETY: K1.
        let target = unsafe { Gc::from_start(start.as_ptr()) };
        (!cx.is_found_dead(Gc::object(target))).then_some(target)
    }
}

impl<T: ?Sized> std::fmt::Debug for WeakCell<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dead = self.word.load(Ordering::Relaxed).is_null();
        f.write_str(if dead { "Weak(dead)" } else { "Weak" })
    }
}

/// One set of operations for all targets' types: the word is all there is.
static OPS: WeakOps = WeakOps { table: None, finish: |cell, _, _, verdict| finish(cell, verdict), list };

/// The word of the cell that `cell` is.
fn word(cell: &ObjectRef) -> &AtomicPtr<u8> {
    // SAFETY: the operations are in the descriptors of weak cells only, whose word is their whole payload.
    unsafe { &*cell.payload().cast::<AtomicPtr<u8>>() }
}

fn finish(cell: ObjectRef, verdict: &dyn WeakVerdict) -> Settled {
    let word = word(&cell);
    let Some(start) = NonNull::new(word.load(Ordering::Relaxed)) else { return Settled::default() };
    // SAFETY: K1.
    let now = verdict.resolve(unsafe { ObjectRef::from_start(start) });
    if now.is_none() && bug::weak_keeps_the_dead() {
        return Settled::default();
    }
    // Relaxed: as in `peek`, the stop orders it.
    word.store(now.map_or(null_mut(), ObjectRef::as_ptr), Ordering::Relaxed);
    Settled { young: now.is_some_and(|target| verdict.is_watched(target)), ready: false, next: None }
}

fn list(cell: ObjectRef, found: &mut dyn FnMut(WeakEdge)) {
    if let Some(start) = NonNull::new(word(&cell).load(Ordering::Relaxed)) {
        // SAFETY: K1.
        found(WeakEdge::Weak(unsafe { ObjectRef::from_start(start) }));
    }
}

// SAFETY: R1, the target's constructor.
unsafe impl<T: ?Sized + HeapType> Rebind for WeakCell<T> {
    type At<'a> = WeakCell<T::On<'a>>;
}
// SAFETY: R2, there is no reference that keeps anything alive; the weak one is the collector's, through `WEAK`.
unsafe impl<T: ?Sized + HeapType> Trace for WeakCell<T> {
    const HAS_EDGES: bool = false;
    const WEAK: Option<&'static WeakOps> = Some(&OPS);
    fn mark<V: Marker>(&self, _: &mut V) {}
    fn relocate<V: Mover>(&mut self, _: &mut V) {}
}
// SAFETY: R3, the word is atomic, and heap types are `Share`.
unsafe impl<T: ?Sized + HeapType> Share for WeakCell<T> {}
