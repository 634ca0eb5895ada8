#![expect(unsafe_code, reason = "a struct of one field is encoded and decoded as its field")]
//! Structs of one field that have their field's word: what `derive(Word)` makes of `struct Symbol(u32)`.
//!
//! Such a struct fits wherever its field does: as a slot's value, and beside a tag in an enum's word.
//!
//! S1  `open` gives the only field, and `close` is given only what `open` gave.
use crate::handle::tagged::{LowPart, Part};
use crate::handle::word::Word;

/// A struct of one field.
///
/// # Safety
/// S1. `derive(Word)` implements it.
pub unsafe trait Transparent: Copy {
    /// The field's type.
    type Inner: Copy;
    /// The field.
    fn open(self) -> Self::Inner;
    /// The struct around it.
    ///
    /// # Safety
    /// S1: a struct may promise more of its field than the field's type does.
    unsafe fn close(inner: Self::Inner) -> Self;
}

// SAFETY: the field's promise, S1.
unsafe impl<T: Transparent> Part for T
where
    T::Inner: Part,
{
    const IS_PTR: bool = T::Inner::IS_PTR;
    #[inline(always)]
    fn enc(self) -> *mut u8 {
        self.open().enc()
    }
    #[inline(always)]
    unsafe fn dec(bits: *mut u8) -> Self {
        // SAFETY: the caller's promise, for the field; S1.
        unsafe { T::close(T::Inner::dec(bits)) }
    }
}

// SAFETY: the field's promise, S1.
unsafe impl<T: Transparent> LowPart for T
where
    T::Inner: LowPart,
{
    const IS_PTR: bool = T::Inner::IS_PTR;
    #[inline(always)]
    fn enc(self) -> *mut u8 {
        self.open().enc()
    }
    #[inline(always)]
    unsafe fn dec(bits: *mut u8) -> Self {
        // SAFETY: the caller's promise, for the field; S1.
        unsafe { T::close(T::Inner::dec(bits)) }
    }
}

// The derive decodes through these, so that inside its unsafe blocks it names no type of the embedder's.

/// [`Part::dec`], with the type inferred.
///
/// # Safety
/// That of [`Part::dec`].
#[inline(always)]
pub unsafe fn dec<T: Part>(bits: *mut u8) -> T {
    // SAFETY: the caller's promise.
    unsafe { T::dec(bits) }
}
/// [`LowPart::dec`], with the type inferred.
///
/// # Safety
/// That of [`LowPart::dec`].
#[inline(always)]
pub unsafe fn low_dec<T: LowPart>(bits: *mut u8) -> T {
    // SAFETY: the caller's promise.
    unsafe { T::dec(bits) }
}
/// [`Word::from_word`], with the type inferred.
///
/// # Safety
/// That of [`Word::from_word`].
#[inline(always)]
pub unsafe fn from_word<W: Word>(word: *mut u8) -> W {
    // SAFETY: the caller's promise.
    unsafe { W::from_word(word) }
}
