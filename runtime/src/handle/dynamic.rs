#![expect(unsafe_code, reason = "a trait object is rebuilt from a vtable and an address that may have moved")]
//! `GcDyn<'gc, dyn Shape<'gc>>`: a reference with a vtable, two words.
//!
//! Fine on the stack and as an immutable field; not a `Word`, so mutable fields hold a thin `Gc` or sit under a `Lock`.
//!
//! D1  `start` is an object that lives as G1 and G2 say; `fat`'s vtable is the one of its type for `U` at some lifetime, and
//!     its address means nothing.
//! D2  A vtable outlives the window that it was made in. So a type is only unsized to a trait that its constructor
//!     implements at *every* collector lifetime; `impl Trait<'static> for T` alone does not get into one.
//! D3  A pointer to a trait object is its address and its vtable, in this order; looked at whenever one is made.
use crate::handle::gc::{Gc, HeapType, relocate_start};
use crate::trace::{Marker, Mover, Rebind, Share, Trace};
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::units::WORD;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

/// `dyn Trait<'x>` as a constructor over the collector lifetime; see [`dyn_trait!`](crate::dyn_trait).
///
/// # Safety
/// `At<'a>` is `Self` with the lifetime replaced.
pub unsafe trait RebindDyn {
    /// `Self` with the collector lifetime `'a`.
    type At<'a>: ?Sized + 'a;
}

/// `&'gc T` seen as `&'gc Self`; see [`dyn_trait!`](crate::dyn_trait).
///
/// # Safety
/// D2, and `view` is the unsizing coercion.
pub unsafe trait UnsizeFrom<'gc, T: ?Sized> {
    /// The coercion.
    fn view(object: &'gc T) -> &'gc Self;
}

/// A reference to an object of some type that implements a trait: `GcDyn<'gc, dyn Shape<'gc> + 'gc>`.
pub struct GcDyn<'gc, U: ?Sized> {
    start: NonNull<u8>,
    fat: *const U,
    _window: PhantomData<&'gc ()>,
}

impl<U: ?Sized> Clone for GcDyn<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<U: ?Sized> Copy for GcDyn<'_, U> {}

impl<'gc, T: HeapType + 'gc> Gc<'gc, T> {
    /// The same object, known by a trait that it implements.
    pub fn unsize<U: ?Sized + UnsizeFrom<'gc, T> + 'gc>(this: Self) -> GcDyn<'gc, U> {
        const { assert!(size_of::<*const U>() == 2 * WORD, "only trait objects have a vtable") }
        let fat: *const U = U::view(Gc::get(this));
        // SAFETY: the pointer has two words.
        let address = unsafe { (&raw const fat).cast::<*const u8>().read() };
        assert!(std::ptr::eq(address, fat.cast::<u8>()), "a pointer to a trait object begins with its address");
        GcDyn { start: start_of(this), fat, _window: PhantomData }
    }
}

fn start_of<T: ?Sized>(object: Gc<'_, T>) -> NonNull<u8> {
    NonNull::new(Gc::start(object)).expect("a reference is not null")
}

impl<'gc, U: ?Sized> GcDyn<'gc, U> {
    /// The thin reference to the same object, with its type forgotten.
    pub fn erase(this: Self) -> Gc<'gc, crate::Opaque> {
        // SAFETY: D1.
        unsafe { Gc::from_start(this.start.as_ptr()) }
    }
    /// Like dereferencing, with the full lifetime.
    pub fn get(this: Self) -> &'gc U {
        // SAFETY: D1, G1.
        unsafe { &*this.pointer() }
    }
    /// The vtable, with where the object is now.
    fn pointer(&self) -> *const U {
        let mut fat = self.fat;
        // SAFETY: D3, the first word is the address. D1, the payload is behind the header.
        unsafe { (&raw mut fat).cast::<*const u8>().write(self.start.as_ptr().add(WORD)) }
        fat
    }
}

impl<U: ?Sized> Deref for GcDyn<'_, U> {
    type Target = U;
    fn deref(&self) -> &U {
        GcDyn::get(*self)
    }
}
impl<U: ?Sized + std::fmt::Debug> std::fmt::Debug for GcDyn<'_, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

// SAFETY: R1, a vtable is the same at every lifetime (D2).
unsafe impl<U: ?Sized + RebindDyn> Rebind for GcDyn<'_, U> {
    type At<'a> = GcDyn<'a, U::At<'a>>;
}
// SAFETY: R2, the one reference.
unsafe impl<U: ?Sized + RebindDyn> Trace for GcDyn<'_, U> {
    fn mark<V: Marker>(&self, v: &mut V) {
        // SAFETY: D1.
        v.edge(unsafe { ObjectRef::from_start(self.start) });
    }
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        relocate_start(&mut self.start, v); // D1
    }
}
// SAFETY: R3, it was a `Gc` to a `Share` type.
unsafe impl<U: ?Sized + RebindDyn> Share for GcDyn<'_, U> {}
