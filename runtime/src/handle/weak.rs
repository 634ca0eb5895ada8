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
//!     before any mutator runs again. It is never set after the cell is made, so only the collector can make an old cell
//!     refer to something young, and it lists such cells itself.
use crate::handle::gc::{Gc, HeapType};
use crate::mutator::cx::Cx;
use crate::trace::{Marker, Mover, Rebind, Share, Trace};
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::{WeakOps, WeakVerdict};
use orinoco_collector::planted::bug;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

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
        self.alloc(WeakCell { word: AtomicPtr::new(Gc::start(target)), _target: PhantomData })
    }
}

impl<T: ?Sized + HeapType> WeakCell<T> {
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
        // writes the word again, orders all of us.
        let start = NonNull::new(self.word.load(Ordering::Relaxed))?;
        // SAFETY: K1.
        let target = unsafe { Gc::from_start(start.as_ptr()) };
        cx.shade(Gc::object(target));
        Some(target)
    }
}

impl<T: ?Sized> std::fmt::Debug for WeakCell<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dead = self.word.load(Ordering::Relaxed).is_null();
        f.write_str(if dead { "Weak(dead)" } else { "Weak" })
    }
}

/// One descriptor for all targets' types: the word is all there is.
static OPS: WeakOps =
    WeakOps { mark_step: |_, _| false, move_step: |_, _| false, finish: |cell, verdict| finish(cell, verdict) };

fn finish(cell: ObjectRef, verdict: &dyn WeakVerdict) -> bool {
    // SAFETY: the descriptor is used for weak cells only, whose word is their whole payload.
    let word = unsafe { &*cell.payload().cast::<AtomicPtr<u8>>() };
    let Some(start) = NonNull::new(word.load(Ordering::Relaxed)) else { return false };
    // SAFETY: K1.
    let now = verdict.resolve(unsafe { ObjectRef::from_start(start) });
    if now.is_none() && bug::weak_keeps_the_dead() {
        return false;
    }
    word.store(now.map_or(null_mut(), ObjectRef::as_ptr), Ordering::Relaxed);
    now.is_some_and(|target| verdict.is_young(target))
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
