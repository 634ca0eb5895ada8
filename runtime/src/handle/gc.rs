#![expect(unsafe_code, reason = "the one place where a reference becomes a Rust reference")]
//! `Gc<'gc, T>`: one machine word, thin also for `[V]` and `str`; the address of an object's header.
//!
//! G1  A `Gc<'gc, T>` exists only while `'gc`, a borrow of its mutator, does; nothing moves or dies meanwhile.
//! G2  It is the address of a completely written object that was allocated as `T` (at some lifetime), or for `Opaque` as
//!     anything, in the reservation's provenance.
//! G3  A heap type's descriptor describes exactly the objects allocated as that type: payload behind the header; arrays
//!     with their length first.
//! G4  A thread's `Gc`s all belong to one heap: it runs one mutator at a time and they are neither `Send` nor `Sync`.
use crate::mutator::cx::Cx;
use crate::trace::{Marker, Mover, Rebind, Share, Trace};
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::{EdgeList, TypeInfo};
use orinoco_collector::sync::{AtomicPtr, Ordering};
use orinoco_collector::units::{WORD, round_to_word};
use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

/// What a [`Gc`] can point at: every [`Share`] type, `[V]` of such, and `str`.
///
/// # Safety
/// G3, and `view` reads the thin pointer correctly.
pub unsafe trait HeapType {
    /// `Self` with the collector lifetime `'a`.
    type On<'a>: ?Sized + 'a;
    /// What an object's header refers to.
    #[doc(hidden)]
    const INFO: &'static TypeInfo;
    /// The object as Rust sees it.
    ///
    /// # Safety
    /// G1 and G2 hold for `'a`.
    #[doc(hidden)]
    unsafe fn view<'a>(object: NonNull<u8>) -> &'a Self;
}

/// Bytes of a fixed object with a payload of type `T`.
pub(crate) const fn fixed_bytes<T>() -> usize {
    round_to_word(WORD + size_of::<T>())
}
/// Bytes before the first element of an array.
pub(crate) const ARRAY_HEAD: usize = 2 * WORD;

// SAFETY: G3, `alloc` writes a `T` behind the header of this descriptor.
unsafe impl<T: Share> HeapType for T {
    type On<'a> = T::At<'a>;
    const INFO: &'static TypeInfo = &TypeInfo {
        fixed_bytes: fixed_bytes::<T>(),
        element_bytes: 0,
        has_edges: T::HAS_EDGES,
        // SAFETY: G3, the payload is a `T` that nobody uses any more.
        drop: if std::mem::needs_drop::<T>() { Some(|p| unsafe { p.cast::<T>().drop_in_place() }) } else { None },
        owned: if T::OWNS {
            // SAFETY: G3, the payload is a `T` that is the caller's alone.
            Some(|p| unsafe { (*p.cast::<T>()).owned_bytes(true) })
        } else {
            None
        },
        weak: T::WEAK,
        id: TypeId::of::<T::At<'static>>,
        name: std::any::type_name::<T>,
        // SAFETY: G3, the payload is a `T`, and `mark` may see it beside running mutators.
        mark: |o, _, _, v| unsafe { (*o.payload().cast::<T>()).mark(v) },
        // SAFETY: G3, the payload is a `T`; the world is stopped, and other workers write references to it as this one does
        // (`relocate_start`), nothing else.
        relocate: |o, _, _, v| unsafe { (*o.payload().cast::<T>()).relocate(v) },
        // SAFETY: as for `mark`.
        list: |o, _, _, v| unsafe { (*o.payload().cast::<T>()).mark::<EdgeList<'_>>(v) },
    };
    #[inline(always)]
    unsafe fn view<'a>(object: NonNull<u8>) -> &'a T {
        // SAFETY: G2, the payload is a `T`; G1, it stays where it is during `'a`.
        unsafe { &*object.as_ptr().add(WORD).cast::<T>() }
    }
}

/// Element `i` of an array object.
#[inline(always)]
fn element<V>(object: ObjectRef, i: usize) -> *mut V {
    object.as_ptr().wrapping_add(ARRAY_HEAD).cast::<V>().wrapping_add(i)
}

// SAFETY: G3, `alloc_slice` writes a length and that many `V`s behind the header of this descriptor.
unsafe impl<V: Share> HeapType for [V] {
    type On<'a> = [V::At<'a>];
    const INFO: &'static TypeInfo = &TypeInfo {
        fixed_bytes: ARRAY_HEAD,
        element_bytes: size_of::<V>(),
        has_edges: V::HAS_EDGES && size_of::<V>() > 0,
        drop: if std::mem::needs_drop::<V>() {
            // SAFETY: G3, the payload is a length and that many `V`s, which nobody uses any more.
            Some(|p| unsafe {
                std::ptr::slice_from_raw_parts_mut(p.add(WORD).cast::<V>(), p.cast::<usize>().read()).drop_in_place();
            })
        } else {
            None
        },
        owned: if V::OWNS {
            Some(|p| {
                // SAFETY: G3, the payload is a length and that many `V`s, which are the caller's alone.
                let elements = unsafe {
                    &mut *std::ptr::slice_from_raw_parts_mut(p.add(WORD).cast::<V>(), p.cast::<usize>().read())
                };
                elements.iter_mut().fold(0, |sum, x| sum.saturating_add(x.owned_bytes(true)))
            })
        } else {
            None
        },
        weak: None,
        id: TypeId::of::<[V::At<'static>]>,
        name: std::any::type_name::<[V]>,
        mark: |o, from, to, v| {
            for i in from..to {
                // SAFETY: G3, the collector asks for elements that exist.
                unsafe { (*element::<V>(o, i)).mark(v) }
            }
        },
        relocate: |o, from, to, v| {
            for i in from..to {
                // SAFETY: as for `mark`; the world is stopped, and other workers write references as this one does.
                unsafe { (*element::<V>(o, i)).relocate(v) }
            }
        },
        list: |o, from, to, v| {
            for i in from..to {
                // SAFETY: as for `mark`.
                unsafe { (*element::<V>(o, i)).mark::<EdgeList<'_>>(v) }
            }
        },
    };
    #[inline(always)]
    unsafe fn view<'a>(object: NonNull<u8>) -> &'a [V] {
        let start = object.as_ptr();
        // SAFETY: G2 and G3, a length and that many elements; G1.
        unsafe { std::slice::from_raw_parts(start.add(ARRAY_HEAD).cast::<V>(), start.add(WORD).cast::<usize>().read()) }
    }
}

// SAFETY: G3, `alloc_str` writes a length and that many bytes of UTF-8 behind the header of this descriptor.
unsafe impl HeapType for str {
    type On<'a> = str;
    const INFO: &'static TypeInfo = &TypeInfo {
        fixed_bytes: ARRAY_HEAD,
        element_bytes: 1,
        has_edges: false,
        drop: None,
        owned: None,
        weak: None,
        id: TypeId::of::<str>,
        name: || "str",
        mark: |_, _, _, _| {},
        relocate: |_, _, _, _| {},
        list: |_, _, _, _| {},
    };
    #[inline(always)]
    unsafe fn view<'a>(object: NonNull<u8>) -> &'a str {
        // SAFETY: G2 and G3, the bytes of a `str` behind a length; G1.
        unsafe { std::str::from_utf8_unchecked(<[u8] as HeapType>::view(object)) }
    }
}

/// Any heap object, of unknown type; see [`Gc::erase`] and [`Gc::downcast`].
pub struct Opaque(());

// SAFETY: no object has this descriptor, for `Opaque` is only a view of objects of other types.
unsafe impl HeapType for Opaque {
    type On<'a> = Opaque;
    const INFO: &'static TypeInfo = &TypeInfo {
        fixed_bytes: WORD,
        element_bytes: 0,
        has_edges: false,
        drop: None,
        owned: None,
        weak: None,
        id: TypeId::of::<Opaque>,
        name: || "Opaque",
        mark: |_, _, _, _| {},
        relocate: |_, _, _, _| {},
        list: |_, _, _, _| {},
    };
    #[inline(always)]
    unsafe fn view<'a>(_: NonNull<u8>) -> &'a Opaque {
        &Opaque(())
    }
}

/// A reference into the heap, valid until the next safepoint: `'gc` is a borrow of the mutator.
///
/// One machine word and `Copy`. It dereferences to the object. Neither `Send` nor `Sync`, so that the references of two
/// heaps cannot meet.
#[repr(transparent)]
pub struct Gc<'gc, T: ?Sized> {
    start: NonNull<u8>,
    _marker: PhantomData<(&'gc (), *const T)>,
}

impl<T: ?Sized> Clone for Gc<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for Gc<'_, T> {}

// Associated functions and no methods, so that they never shadow a method of `T`.
impl<'gc, T: ?Sized> Gc<'gc, T> {
    /// The reference to the object whose header is at `start`.
    ///
    /// # Safety
    /// G1 and G2 hold for it.
    #[inline(always)]
    pub(crate) unsafe fn from_start(start: *mut u8) -> Self {
        // SAFETY: G2, the address of an object is not null.
        Gc { start: unsafe { NonNull::new_unchecked(start) }, _marker: PhantomData }
    }
    /// The object's address.
    #[inline(always)]
    pub(crate) fn start(this: Self) -> *mut u8 {
        this.start.as_ptr()
    }
    /// The object as the collector names it.
    #[inline(always)]
    pub(crate) fn object(this: Self) -> ObjectRef {
        // SAFETY: G2.
        unsafe { ObjectRef::from_start(this.start) }
    }
    /// Whether the two are one object.
    #[inline(always)]
    pub fn ptr_eq(a: Self, b: Self) -> bool {
        a.start == b.start
    }
    /// The same object with its type forgotten; [`Gc::downcast`] finds it again.
    #[inline(always)]
    pub fn erase(this: Self) -> Gc<'gc, Opaque> {
        Gc { start: this.start, _marker: PhantomData }
    }
    /// The object's address at this moment, for debugging and tests: it changes when the object moves. See
    /// [`Gc::identity_hash`] for a number that does not.
    #[inline(always)]
    pub fn addr(this: Self) -> usize {
        this.start.addr().get()
    }
}

impl<'gc, T: ?Sized + HeapType> Gc<'gc, T> {
    /// Like dereferencing, with the full lifetime.
    #[inline(always)]
    pub fn get(this: Self) -> &'gc T {
        // SAFETY: G1 and G2.
        unsafe { T::view(this.start) }
    }
}

impl<T: ?Sized + HeapType> Deref for Gc<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: G1 and G2.
        unsafe { T::view(self.start) }
    }
}

impl<'gc> Gc<'gc, Opaque> {
    /// The object as an `S`, if it was allocated as one. `S` is written at `'static`: `o.downcast::<Node<'static>>()`.
    #[inline]
    pub fn downcast<S: ?Sized + HeapType>(self) -> Option<Gc<'gc, S::On<'gc>>> {
        let info = Gc::object(self).info();
        // One address means one type; one type may have descriptors at several addresses.
        let same = std::ptr::eq(info, S::INFO) || (info.id)() == (S::INFO.id)();
        same.then_some(Gc { start: self.start, _marker: PhantomData })
    }
    /// The name of the type that the object was allocated as.
    pub fn type_name(self) -> &'static str {
        (Gc::object(self).info().name)()
    }
}

impl<T: ?Sized + HeapType + fmt::Debug> fmt::Debug for Gc<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
impl<T: ?Sized + HeapType + fmt::Display> fmt::Display for Gc<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque")
    }
}

/// Has a plain word refer to where its object is from now on. Two workers may come by at once: who is remembered as a whole may
/// hold a lock that is listed, or be recorded by two markers. Each reads what the other does or does not write, and both write
/// the same.
#[inline(always)]
pub(crate) fn relocate_start<V: Mover>(start: &mut NonNull<u8>, v: &mut V) {
    // SAFETY: G2, it is an aligned word, as large as an atomic one, and in a stop nobody uses it but by this function.
    let word = unsafe { &*(&raw mut *start).cast::<AtomicPtr<u8>>() };
    // Relaxed: the stop orders this against mutators.
    let now = word.load(Ordering::Relaxed);
    // SAFETY: G2, null is no object.
    let now = unsafe { NonNull::new_unchecked(now) };
    // SAFETY: G2, it is an object, where it was or where it is.
    let object = unsafe { ObjectRef::from_start(now) };
    word.store(v.forward(object).as_ptr(), Ordering::Relaxed);
}

// SAFETY: R1, the target's constructor under a reference.
unsafe impl<T: ?Sized + HeapType> Rebind for Gc<'_, T> {
    type At<'a> = Gc<'a, T::On<'a>>;
}
// SAFETY: R2, the one reference there is.
unsafe impl<T: ?Sized + HeapType> Trace for Gc<'_, T> {
    #[inline(always)]
    fn mark<V: Marker>(&self, v: &mut V) {
        v.edge(Gc::object(*self));
    }
    #[inline(always)]
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        relocate_start(&mut self.start, v);
    }
}
// SAFETY: R3, heap types are `Share`, `[V]` of `Share`, `str`, or only looked at through a downcast.
unsafe impl<T: ?Sized + HeapType> Share for Gc<'_, T> {}

impl<'gc, T: ?Sized> Gc<'gc, T> {
    /// A number that stays the same for the object's whole life, wherever it moves: for tables keyed by identity. Two
    /// objects may have the same one. An object whose number was asked for is one word longer from its next move on.
    #[inline]
    pub fn identity_hash(this: Self, cx: &Cx) -> u64 {
        cx.collector().identity_hash(Gc::object(this))
    }
}
