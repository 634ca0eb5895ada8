#![expect(unsafe_code, reason = "fresh memory becomes an object here")]
//! How objects are born: memory, payload, header, reference, in that order.
//!
//! ```text
//!   alloc:        bump ─▶ header, payload ─▶ Gc             nothing can look at the memory in between
//!   alloc_slice:  place ─▶ element 0 … n-1 ─▶ length, header ─▶ Gc
//!                              └─ the closure panics: drop those written, fill the range
//! ```
//!
//! N1  Memory from `bump`/`place` is ours until a header is written or it is abandoned (A1).
//! N2  The header written is the descriptor of exactly what was written behind it (G3).
//! N4  A value held for the slow half is moved out of there, once.
//! N3  A large object with references is registered once it is whole; small ones are born young and need no barrier.
use crate::handle::gc::{ARRAY_HEAD, Gc, HeapType, fixed_bytes};
use crate::mutator::alloc::Place;
use crate::mutator::cx::Cx;
use crate::trace::Brand;
use orinoco_collector::error::AllocError;
use orinoco_collector::object::raw::fresh_header;
use orinoco_collector::object::trace::TypeInfo;
use orinoco_collector::units::{LARGE_BYTES, WORD, round_to_word};
use std::mem::{ManuallyDrop, needs_drop};

const fn assert_aligned<T>() {
    assert!(align_of::<T>() <= WORD, "the heap aligns objects to 8 bytes; box what needs more");
}

/// Writes the header of an object.
///
/// # Safety
/// N1 and N2.
#[inline(always)]
unsafe fn write_header(start: *mut u8, info: &'static TypeInfo) {
    // SAFETY: N1, the first word is ours.
    unsafe { start.cast::<usize>().write(fresh_header(info)) }
}

impl Cx {
    /// Allocates. Never collects and never moves anything; at most asks for a collection at the next safepoint.
    ///
    /// # Errors
    /// When the heap's limit is reached in this window: get to a safepoint, [`collect`](crate::Mutator::collect), and try
    /// once more.
    #[inline(always)]
    pub fn try_alloc<'gc, T: Brand<'gc>>(&'gc self, value: T) -> Result<Gc<'gc, T>, AllocError> {
        const { assert_aligned::<T>() }
        if const { fixed_bytes::<T>() <= LARGE_BYTES }
            && let Some(start) = self.local.lab.try_bump(const { fixed_bytes::<T>() })
        {
            // SAFETY: N1.
            return Ok(unsafe { self.write_fixed(start, value) });
        }
        let held = ManuallyDrop::new(value);
        // SAFETY: N4.
        unsafe { self.alloc_elsewhere(&held) }.ok_or_else(|| self.refused.get())
    }
    /// Allocates, as [`try_alloc`](Self::try_alloc).
    ///
    /// # Panics
    /// When the heap's limit is reached. The panic unwinds cleanly out of [`Attached::run`](crate::Attached::run).
    #[inline(always)]
    pub fn alloc<'gc, T: Brand<'gc>>(&'gc self, value: T) -> Gc<'gc, T> {
        const { assert_aligned::<T>() }
        if const { fixed_bytes::<T>() <= LARGE_BYTES }
            && let Some(start) = self.local.lab.try_bump(const { fixed_bytes::<T>() })
        {
            // SAFETY: N1.
            return unsafe { self.write_fixed(start, value) };
        }
        let held = ManuallyDrop::new(value);
        // SAFETY: N4.
        unsafe { self.alloc_slow(&held) }
    }
    /// # Safety
    /// N1, for `fixed_bytes::<T>()`.
    #[inline(always)]
    unsafe fn write_fixed<'gc, T: Brand<'gc>>(&'gc self, start: *mut u8, value: T) -> Gc<'gc, T> {
        // SAFETY: N1, N2; the object is whole when the reference is made (G2).
        let object = unsafe {
            write_header(start, <T as HeapType>::INFO);
            start.add(WORD).cast::<T>().write(value);
            Gc::<T>::from_start(start)
        };
        if const { needs_drop::<T>() } {
            self.note_droppable(Gc::object(object));
            if T::OWNS {
                // SAFETY: N1, N2: nobody else knows the value yet.
                unsafe { self.note_owner(start, <T as HeapType>::INFO) }
            }
        }
        object
    }
    /// Counts what a fresh object owns outside of the heap.
    ///
    /// # Safety
    /// An object of the described type begins at `start`, and nobody else knows it.
    #[inline(never)]
    unsafe fn note_owner(&self, start: *mut u8, info: &TypeInfo) {
        let Some(owned) = info.owned else { return };
        // SAFETY: the caller's promise.
        let bytes = unsafe { owned(start.add(WORD)) };
        if bytes > 0 {
            self.collector().note_owned(&self.local, bytes.cast_signed());
            self.pass_on_wish();
        }
    }
    // The slow halves take the value along, so that the fast path keeps nothing alive across a call: from a copy of its own
    // on the stack, so that the fast path's is in registers. This one answers in one register, and leaves the reason for a
    // refusal in the context, so that the fast path needs no discriminant.
    /// # Safety
    /// N4: the value is moved out, and not used again.
    #[cold]
    #[inline(never)]
    unsafe fn alloc_elsewhere<'gc, T: Brand<'gc>>(&'gc self, held: &ManuallyDrop<T>) -> Option<Gc<'gc, T>> {
        // SAFETY: N4.
        let value: T = unsafe { std::ptr::read(&**held) };
        let place = match self.place(const { fixed_bytes::<T>() }, T::HAS_EDGES) {
            Ok(place) => place,
            Err(reason) => {
                self.refused.set(reason);
                return None;
            }
        };
        // SAFETY: N1.
        let object = unsafe { self.write_fixed(place.start, value) };
        if place.is_large() && T::HAS_EDGES {
            // SAFETY: N3.
            unsafe { self.finish_large(Gc::object(object)) }
        }
        Some(object)
    }
    /// # Safety
    /// N4: the value is moved out, and not used again.
    #[cold]
    #[inline(never)]
    unsafe fn alloc_slow<'gc, T: Brand<'gc>>(&'gc self, held: &ManuallyDrop<T>) -> Gc<'gc, T> {
        // SAFETY: N4.
        unsafe { self.alloc_elsewhere(held) }.unwrap_or_else(|| refused(self.refused.get()))
    }

    /// Allocates an array of `n` elements made by `f`, which may allocate too, and may panic: the array exists only once
    /// every element is written.
    ///
    /// # Errors
    /// As [`try_alloc`](Self::try_alloc), and when no heap could hold an array of that length.
    pub fn try_alloc_slice<'gc, V: Brand<'gc>>(
        &'gc self,
        n: usize,
        mut f: impl FnMut(usize) -> V,
    ) -> Result<Gc<'gc, [V]>, AllocError> {
        const { assert_aligned::<V>() }
        let place = self.place(array_bytes::<V>(n)?, V::HAS_EDGES)?;
        let mut half = HalfMade { cx: self, place, written: 0, elements: elements_of::<V>(place) };
        while half.written < n {
            let value = f(half.written);
            // SAFETY: N1, the place has room for `n` elements.
            unsafe { half.elements.add(half.written).write(value) }
            half.written += 1;
        }
        std::mem::forget(half);
        // SAFETY: N2, all elements are written.
        Ok(unsafe { self.finish_array::<V>(place, n) })
    }
    /// Allocates an array of `n` elements made by `f`, as [`try_alloc_slice`](Self::try_alloc_slice).
    ///
    /// # Panics
    /// When the heap's limit is reached; and when `f` panics, with nothing allocated.
    pub fn alloc_slice<'gc, V: Brand<'gc>>(&'gc self, n: usize, f: impl FnMut(usize) -> V) -> Gc<'gc, [V]> {
        self.try_alloc_slice(n, f).unwrap_or_else(|e| refused(e))
    }
    /// Allocates a copy of `source`.
    ///
    /// # Errors
    /// As [`try_alloc_slice`](Self::try_alloc_slice).
    pub fn try_alloc_copy<'gc, V: Brand<'gc> + Copy>(&'gc self, source: &[V]) -> Result<Gc<'gc, [V]>, AllocError> {
        const { assert_aligned::<V>() }
        let place = self.place(array_bytes::<V>(source.len())?, V::HAS_EDGES)?;
        // SAFETY: N1, the place has room for the elements; it is fresh, hence disjoint from them. N2.
        unsafe {
            source.as_ptr().copy_to_nonoverlapping(elements_of::<V>(place), source.len());
            Ok(self.finish_array::<V>(place, source.len()))
        }
    }
    /// Allocates a copy of `source`.
    ///
    /// # Panics
    /// When the heap's limit is reached.
    pub fn alloc_copy<'gc, V: Brand<'gc> + Copy>(&'gc self, source: &[V]) -> Gc<'gc, [V]> {
        self.try_alloc_copy(source).unwrap_or_else(|e| refused(e))
    }
    /// Allocates a string.
    ///
    /// # Errors
    /// As [`try_alloc_slice`](Self::try_alloc_slice).
    pub fn try_alloc_str<'gc>(&'gc self, text: &str) -> Result<Gc<'gc, str>, AllocError> {
        let place = self.place(array_bytes::<u8>(text.len())?, false)?;
        // SAFETY: N1, as in `try_alloc_copy`; N2, the bytes are a `str`'s.
        unsafe {
            text.as_ptr().copy_to_nonoverlapping(elements_of::<u8>(place), text.len());
            write_length(place, text.len());
            write_header(place.start, <str as HeapType>::INFO);
            Ok(Gc::from_start(place.start))
        }
    }
    /// Allocates a string.
    ///
    /// # Panics
    /// When the heap's limit is reached.
    pub fn alloc_str<'gc>(&'gc self, text: &str) -> Gc<'gc, str> {
        self.try_alloc_str(text).unwrap_or_else(|e| refused(e))
    }
    /// # Safety
    /// N1 for `place`, whose `n` elements are written.
    #[inline]
    unsafe fn finish_array<'gc, V: Brand<'gc>>(&'gc self, place: Place, n: usize) -> Gc<'gc, [V]> {
        // SAFETY: N1, N2.
        let object: Gc<'gc, [V]> = unsafe {
            write_length(place, n);
            write_header(place.start, <[V] as HeapType>::INFO);
            Gc::from_start(place.start)
        };
        if const { needs_drop::<V>() } {
            self.note_droppable(Gc::object(object));
            if V::OWNS {
                // SAFETY: N1, N2: nobody else knows the elements yet.
                unsafe { self.note_owner(place.start, <[V] as HeapType>::INFO) }
            }
        }
        if place.is_large() && V::HAS_EDGES {
            // SAFETY: N3.
            unsafe { self.finish_large(Gc::object(object)) }
        }
        object
    }
}

/// The bytes of an array of `n` elements.
fn array_bytes<V>(n: usize) -> Result<usize, AllocError> {
    let elements = size_of::<V>().checked_mul(n).filter(|bytes| *bytes <= isize::MAX as usize - ARRAY_HEAD - WORD);
    Ok(round_to_word(ARRAY_HEAD + elements.ok_or(AllocError::TooLarge)?))
}
#[inline(always)]
fn elements_of<V>(place: Place) -> *mut V {
    place.start.wrapping_add(ARRAY_HEAD).cast()
}
/// # Safety
/// N1.
#[inline(always)]
unsafe fn write_length(place: Place, n: usize) {
    // SAFETY: N1, the second word of an array is its length.
    unsafe { place.start.add(WORD).cast::<usize>().write(n) }
}

/// An array whose elements are being made; dropped only if that panics.
struct HalfMade<'a, V> {
    cx: &'a Cx,
    place: Place,
    elements: *mut V,
    written: usize,
}

impl<V> Drop for HalfMade<'_, V> {
    fn drop(&mut self) {
        struct Abandon<'a>(&'a Cx, Place);
        impl Drop for Abandon<'_> {
            fn drop(&mut self) {
                // SAFETY: N1, no header was written.
                unsafe { self.0.abandon(self.1) }
            }
        }
        // Last, even if an element's drop panics as well.
        let _abandon = Abandon(self.cx, self.place);
        // SAFETY: N1, the first `written` elements are whole, and nobody else knows them.
        unsafe { std::ptr::slice_from_raw_parts_mut(self.elements, self.written).drop_in_place() }
    }
}

#[cold]
#[inline(never)]
fn refused(error: AllocError) -> ! {
    panic!("the heap refused an allocation: {error}")
}

#[cfg(test)]
mod tests {
    use crate::{Cx, Gc, Heap, HeapConfig, Slot};
    use orinoco_collector::error::AllocError;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    fn heap() -> Heap {
        Heap::new(HeapConfig::new().helpers(0).verify(true)).expect("the configuration is in range")
    }

    #[test]
    fn a_panic_while_an_array_is_made_drops_what_was_made_and_leaves_the_heap_walkable() {
        heap().enter((), |m| {
            for bytes in [100, 300_000] {
                let made = Arc::new(());
                let half_made = catch_unwind(AssertUnwindSafe(|| {
                    let cx: &Cx = m;
                    cx.alloc_slice(bytes, |i| if i == 60 { panic!("the closure's own") } else { made.clone() });
                }));
                assert!(half_made.is_err());
                assert_eq!(Arc::strong_count(&made), 1);
            }
            m.alloc(1u8);
            m.collect();
        });
    }

    #[test]
    fn lengths_that_overflow_are_refused() {
        heap().enter((), |m| {
            for n in [usize::MAX, usize::MAX / 8, isize::MAX as usize / 8] {
                assert_eq!(m.try_alloc_slice(n, |_| 0u64).err(), Some(AllocError::TooLarge), "{n}");
            }
            assert!(m.try_alloc_slice(1 << 45, |_| 0u8).is_err());
        });
    }

    #[test]
    fn elements_without_size_take_no_room() {
        heap().enter((), |m| {
            let units = m.root(m.alloc_copy(&[(); 1_000_000]));
            m.collect();
            assert_eq!(units.get(m).len(), 1_000_000);
        });
    }

    #[test]
    fn a_large_array_of_young_references_is_remembered_at_birth() {
        heap().enter((), |m| {
            let array = {
                let cx: &Cx = m;
                let array: Gc<'_, [Slot<Gc<'_, u64>>]> = cx.alloc_slice(50_000, |i| Slot::new(cx.alloc(i as u64)));
                cx.root(array)
            };
            for _ in 0..3 {
                m.collect_young();
                assert!(array.get(m).iter().enumerate().all(|(i, n)| *n.get() == i as u64));
            }
        });
    }
}
