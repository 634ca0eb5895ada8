#![expect(unsafe_code, reason = "a word that may be a reference is only as good as its type's promise")]
//! `Word`: values that fit one machine word and hold at most one reference.
//!
//! W1  `from_word(to_word(v))` is `v`, and `from_word` is only given what `to_word` of the same type made (at some
//!     lifetime), perhaps with its target replaced by where that object moved.
//! W2  `target` finds the object of every such word, null if there is none; `retarget` replaces it. Neither needs to know
//!     more than the word.
use crate::handle::gc::Gc;
use std::marker::PhantomData;
use std::ptr::{null_mut, without_provenance_mut};

/// A value that fits one machine word and may hold one reference: what a [`Slot`](crate::Slot) can hold.
///
/// `Gc`, `Option<Gc>`, numbers, `bool` and `char` are words; `derive(Word)` makes one of an enum.
///
/// # Safety
/// W1 and W2. `derive(Word)` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a one-word value",
    note = "a `Slot` holds one machine word, so that no thread can see half of a store: use a `Gc`, `Option<Gc>`, a number, an enum with `#[derive(Word)]`, or `Lock` for anything larger"
)]
pub unsafe trait Word: Copy {
    /// Whether any value refers to an object.
    const MAY_POINT: bool;
    /// The word.
    fn to_word(self) -> *mut u8;
    /// The value.
    ///
    /// # Safety
    /// W1.
    unsafe fn from_word(word: *mut u8) -> Self;
    /// Whether the word refers to an object.
    #[inline(always)]
    fn points(word: *mut u8) -> bool {
        !Self::target(word).is_null()
    }
    /// The object that the word refers to, or null.
    fn target(word: *mut u8) -> *mut u8;
    /// The word with its object replaced; only for words that have one.
    fn retarget(word: *mut u8, target: *mut u8) -> *mut u8;
}

// SAFETY: W1, W2: the word is the reference.
unsafe impl<T: ?Sized> Word for Gc<'_, T> {
    const MAY_POINT: bool = true;
    #[inline(always)]
    fn to_word(self) -> *mut u8 {
        Gc::start(self)
    }
    #[inline(always)]
    unsafe fn from_word(word: *mut u8) -> Self {
        // SAFETY: W1, the word was a `Gc`; the caller's window is its lifetime.
        unsafe { Gc::from_start(word) }
    }
    #[inline(always)]
    fn points(_: *mut u8) -> bool {
        true
    }
    #[inline(always)]
    fn target(word: *mut u8) -> *mut u8 {
        word
    }
    #[inline(always)]
    fn retarget(_: *mut u8, target: *mut u8) -> *mut u8 {
        target
    }
}

// SAFETY: W1, W2: the word is the reference, or null.
unsafe impl<T: ?Sized> Word for Option<Gc<'_, T>> {
    const MAY_POINT: bool = true;
    #[inline(always)]
    fn to_word(self) -> *mut u8 {
        self.map_or(null_mut(), Gc::start)
    }
    #[inline(always)]
    unsafe fn from_word(word: *mut u8) -> Self {
        // SAFETY: W1, the word was a `Gc`, for it is not null.
        if word.is_null() { None } else { Some(unsafe { Gc::from_start(word) }) }
    }
    #[inline(always)]
    fn target(word: *mut u8) -> *mut u8 {
        word
    }
    #[inline(always)]
    fn retarget(_: *mut u8, target: *mut u8) -> *mut u8 {
        target
    }
}

macro_rules! scalar {
    ($($t:ty: $encode:expr, $decode:expr);* $(;)?) => { $(
        // SAFETY: W1, the two functions are inverse; W2, there is never a target.
        unsafe impl Word for $t {
            const MAY_POINT: bool = false;
            #[inline(always)]
            fn to_word(self) -> *mut u8 {
                let encode: fn($t) -> u64 = $encode;
                without_provenance_mut(encode(self) as usize)
            }
            #[inline(always)]
            unsafe fn from_word(word: *mut u8) -> Self {
                let decode: fn(u64) -> $t = $decode;
                decode(word.addr() as u64)
            }
            #[inline(always)]
            fn target(_: *mut u8) -> *mut u8 {
                null_mut()
            }
            #[inline(always)]
            fn retarget(word: *mut u8, _: *mut u8) -> *mut u8 {
                word
            }
        }
    )* };
}
scalar! {
    u64: |x| x, |w| w;
    i64: |x| x.cast_unsigned(), |w| w.cast_signed();
    usize: |x| x as u64, |w| w as usize;
    isize: |x| x.cast_unsigned() as u64, |w| (w as usize).cast_signed();
    f64: f64::to_bits, f64::from_bits;
    f32: |x| u64::from(x.to_bits()), |w| f32::from_bits(w as u32);
    u32: u64::from, |w| w as u32;
    i32: |x| u64::from(x.cast_unsigned()), |w| (w as u32).cast_signed();
    u16: u64::from, |w| w as u16;
    i16: |x| u64::from(x.cast_unsigned()), |w| (w as u16).cast_signed();
    u8: u64::from, |w| w as u8;
    i8: |x| u64::from(x.cast_unsigned()), |w| (w as u8).cast_signed();
    bool: u64::from, |w| w != 0;
    char: u64::from, |w| char::from_u32(w as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    (): |()| 0, |_| ();
}
const _: () =
    assert!(size_of::<usize>() == 8, "one-word `u64` and `f64` slots and 48-bit addresses need a 64-bit target");

/// A `V` in its one-word form: what a VM's stack should hold when `V` is a two-word enum.
#[repr(transparent)]
pub struct Packed<V> {
    pub(crate) word: *mut u8,
    _value: PhantomData<V>,
}

impl<V: Copy> Clone for Packed<V> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<V: Copy> Copy for Packed<V> {}

impl<V: Word> Packed<V> {
    /// Packs a value.
    #[inline(always)]
    pub fn new(value: V) -> Self {
        Packed { word: value.to_word(), _value: PhantomData }
    }
    /// Unpacks it.
    #[inline(always)]
    pub fn get(self) -> V {
        // SAFETY: W1, the word is a `V`'s.
        unsafe { V::from_word(self.word) }
    }
}
impl<V: Word> From<V> for Packed<V> {
    #[inline(always)]
    fn from(value: V) -> Self {
        Packed::new(value)
    }
}
impl<V: Word + std::fmt::Debug> std::fmt::Debug for Packed<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

// SAFETY: W1, W2: the word is `V`'s own.
unsafe impl<V: Word> Word for Packed<V> {
    const MAY_POINT: bool = V::MAY_POINT;
    #[inline(always)]
    fn to_word(self) -> *mut u8 {
        self.word
    }
    #[inline(always)]
    unsafe fn from_word(word: *mut u8) -> Self {
        Packed { word, _value: PhantomData }
    }
    #[inline(always)]
    fn points(word: *mut u8) -> bool {
        V::points(word)
    }
    #[inline(always)]
    fn target(word: *mut u8) -> *mut u8 {
        V::target(word)
    }
    #[inline(always)]
    fn retarget(word: *mut u8, target: *mut u8) -> *mut u8 {
        V::retarget(word, target)
    }
}
