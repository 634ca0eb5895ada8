#![expect(unsafe_code, reason = "a root slot's word is the address of an object")]
//! `Root<T>`: an owned, `'static`, `Send + Sync` handle. Reading it is two loads and a compare.
//!
//! H1  While the `Root` lives, its slot is its own and holds an object of type `S` (at some lifetime) of the heap that
//!     the slot's chunk names.
//! H2  A context of that heap is asked for at every access, so the object is the window's.
use crate::handle::gc::{Gc, HeapType};
use crate::mutator::cx::Cx;
use crate::mutator::root_table::RootPlace;
use std::marker::PhantomData;

/// An owned root: keeps its object alive, from any thread, for as long as it exists.
///
/// `S` is the heap type written at `'static`: `Root<Node<'static>>`. Dropping one is two stores, at any time, from
/// any thread, even after its heap is gone. A root inside a skipped field of an object it leads to is a cycle that the
/// collector cannot see, and so a leak.
pub struct Root<S: ?Sized> {
    place: RootPlace,
    /// A function pointer: `Send + Sync` whatever `S` is, and invariant because of `set`.
    _type: PhantomData<fn(*mut S)>,
}

impl Cx {
    /// An owned root of the object.
    #[inline]
    pub fn root<'gc, T: ?Sized + HeapType>(&'gc self, object: Gc<'gc, T>) -> Root<T::On<'static>>
    where
        T::On<'static>: HeapType,
    {
        self.new_root(Gc::erase(object))
    }
    fn new_root<S: ?Sized>(&self, object: Gc<'_, crate::Opaque>) -> Root<S> {
        let place = self.root_table().take(&mut self.free_roots.borrow_mut());
        self.shade(Gc::object(object));
        place.store(Gc::start(object));
        Root { place, _type: PhantomData }
    }
}

impl<S: ?Sized + HeapType> Root<S> {
    /// The object.
    ///
    /// # Panics
    /// When `cx` belongs to another heap.
    #[inline]
    pub fn get<'gc>(&self, cx: &'gc Cx) -> Gc<'gc, S::On<'gc>> {
        self.check(cx);
        // SAFETY: H1, H2.
        unsafe { Gc::from_start(self.place.load()) }
    }
    /// Makes it the root of another object.
    ///
    /// # Panics
    /// When `cx` belongs to another heap.
    #[inline]
    pub fn set<'gc>(&self, cx: &'gc Cx, object: Gc<'gc, S::On<'gc>>) {
        self.check(cx);
        cx.shade(Gc::object(object));
        self.place.store(Gc::start(object));
    }
    /// Another root of the same object.
    ///
    /// # Panics
    /// When `cx` belongs to another heap.
    pub fn clone_in(&self, cx: &Cx) -> Root<S> {
        cx.new_root(Gc::erase(self.get(cx)))
    }
    #[inline(always)]
    fn check(&self, cx: &Cx) {
        self.place.check_heap(cx.heap_id);
    }
}

impl<S: ?Sized> Drop for Root<S> {
    #[inline]
    fn drop(&mut self) {
        self.place.release();
    }
}
impl<S: ?Sized> std::fmt::Debug for Root<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Root").field("heap", &self.place.heap_id()).finish_non_exhaustive()
    }
}
