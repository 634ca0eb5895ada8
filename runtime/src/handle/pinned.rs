#![expect(unsafe_code, reason = "a pinned slot's word is the address of an object")]
//! `Pinned<T>`: an owned, `Send + Sync` handle to an object that stays where it is, for code that knows nothing of the heap.
//!
//! ```text
//!   Cx::pin ──▶ a slot among the pinned ──▶ each scavenge: held before anybody may copy ──▶ drop: two stores
//! ```
//!
//! N1  While the `Pinned` lives, its slot is its own and holds an object of type `S` (at some lifetime) of the heap that
//!     the slot's chunk names.
//! N2  An object in a pinned slot is neither freed nor moved, from `pin` on: nothing moves while a context is borrowed,
//!     and a stop that begins later finds the slot.
use crate::handle::gc::{Gc, HeapType};
use crate::mutator::cx::Cx;
use crate::mutator::root_table::RootPlace;
use std::marker::PhantomData;

/// Keeps an object alive, and at its address, for as long as it exists: for memory that is handed to foreign code.
///
/// `S` is the heap type written at `'static`: `Pinned<[u8]>`. It may be kept and dropped on any thread, even after its heap
/// is gone. Dropping it is two stores; from then on the object may move or die like any other.
///
/// A young object that is pinned becomes old where it stands at the next young collection, and with it the rest of its
/// 256 KiB region, out of which its neighbours move: many pins that are strewn over time cost memory. A region with a
/// pinned object is never emptied. Objects above 128 KiB never move, pinned or not.
pub struct Pinned<S: ?Sized> {
    place: RootPlace,
    /// A function pointer: `Send + Sync` whatever `S` is, for it is read with a context only.
    _type: PhantomData<fn(*mut S)>,
}

impl Cx {
    /// Pins the object. A handful of instructions and, now and then, a lock.
    #[inline]
    pub fn pin<'gc, T: ?Sized + HeapType>(&'gc self, object: Gc<'gc, T>) -> Pinned<T::On<'static>>
    where
        T::On<'static>: HeapType,
    {
        self.shade(Gc::object(Gc::erase(object)));
        let place = self.root_table().take_pinned();
        place.store(Gc::start(object));
        Pinned { place, _type: PhantomData }
    }
}

impl<S: ?Sized + HeapType> Pinned<S> {
    /// The object.
    ///
    /// # Panics
    /// When `cx` belongs to another heap.
    #[inline]
    pub fn get<'gc>(&self, cx: &'gc Cx) -> Gc<'gc, S::On<'gc>> {
        self.place.check_heap(cx.heap_id);
        // SAFETY: N1; a context of its heap is there, so the object is the window's.
        unsafe { Gc::from_start(self.place.load()) }
    }
    /// Where the object's value is: for an array or a string, its elements and their number.
    ///
    /// The address is good for as long as this `Pinned` *and* its heap exist, on any thread, parked or not, mutator or not,
    /// collections or not. What may be done there is what `&S` allows, at any time and beside mutators that do the same:
    /// bytes that foreign code is to write belong into atomics or cells. References in the object are the collector's; it
    /// changes them in stops, so whoever is no mutator must not look at them.
    ///
    /// # Panics
    /// When `cx` belongs to another heap.
    #[inline]
    pub fn as_ptr(&self, cx: &Cx) -> *const S {
        self.place.check_heap(cx.heap_id);
        // SAFETY: N1, N2.
        unsafe { S::view(std::ptr::NonNull::new_unchecked(self.place.load())) }
    }
}

impl<S: ?Sized> Drop for Pinned<S> {
    #[inline]
    fn drop(&mut self) {
        self.place.release();
    }
}

impl<S: ?Sized> std::fmt::Debug for Pinned<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pinned").field("heap", &self.place.heap_id()).finish_non_exhaustive()
    }
}
