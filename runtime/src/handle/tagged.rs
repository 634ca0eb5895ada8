#![expect(unsafe_code, reason = "parts of tagged words are decoded by the tag that their encoder wrote")]
//! Tagged words: the two encodings that `derive(Word)` writes in terms of.
//!
//! ```text
//!   nan_box   63          51 50  48 47                                   0
//!            ┌──────────────┬──────┬─────────────────────────────────────┐
//!            │ any double whose upper bits are not all ones              │  a number; NaN only as 7FF8…
//!            │ 1111 1111 1111 1 │tag│ payload: address or at most 32 bits  │  one of eight other kinds
//!            └──────────────┴──────┴─────────────────────────────────────┘
//!   low_tag   63                                                  3 2   0
//!            ┌─────────────────────────────────────────────────────┬─────┐
//!            │ payload: address (8-aligned) or at most 61 bits     │ tag │  one of eight kinds
//!            └─────────────────────────────────────────────────────┴─────┘
//! ```
//!
//! Kinds that refer to objects have the highest tags in a NaN box and the lowest in a low tag, so that "is a reference" is
//! one unsigned comparison. Every NaN becomes one quiet NaN: no bit pattern of an embedder's can forge a reference.
//!
//! E1  A part's encoding uses the bits its encoding allows: 48 in a box; 61 shifted left by three, or an aligned address.
//! E2  It is decoded under the tag it was encoded with, hence as the type that encoded it.
use crate::handle::gc::Gc;
use std::ptr::without_provenance_mut;

const BOX: usize = 0xFFF8 << 48;
const PAYLOAD: usize = (1 << 48) - 1;
const QUIET_NAN: usize = 0x7FF8 << 48;
const LOW: usize = 0b111;

/// An integer of 61 bits, signed: what fits beside a three-bit tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, crate::Trace)]
pub struct SmallInt(i64);

impl SmallInt {
    /// The smallest, -2⁶⁰.
    pub const MIN: Self = Self(-(1 << 60));
    /// The largest, 2⁶⁰ - 1.
    pub const MAX: Self = Self((1 << 60) - 1);
    /// The integer, or `None` if it needs more bits.
    #[inline]
    pub const fn new(value: i64) -> Option<Self> {
        if value >= Self::MIN.0 && value <= Self::MAX.0 { Some(Self(value)) } else { None }
    }
    /// The integer modulo 2⁶¹.
    #[inline]
    pub const fn wrapping(value: i64) -> Self {
        Self(value << 3 >> 3)
    }
    /// The plain number.
    #[inline]
    pub const fn get(self) -> i64 {
        self.0
    }
}
impl From<SmallInt> for i64 {
    fn from(value: SmallInt) -> i64 {
        value.0
    }
}
impl From<i32> for SmallInt {
    fn from(value: i32) -> Self {
        Self(i64::from(value))
    }
}
impl TryFrom<i64> for SmallInt {
    type Error = TooWide;
    fn try_from(value: i64) -> Result<Self, TooWide> {
        Self::new(value).ok_or(TooWide)
    }
}
impl std::fmt::Display for SmallInt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The integer needs more than 61 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooWide;
impl std::fmt::Display for TooWide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the integer needs more than 61 bits")
    }
}
impl std::error::Error for TooWide {}

/// A double as a word of a NaN box.
#[inline(always)]
pub fn enc_f64(x: f64) -> *mut u8 {
    without_provenance_mut(if x.is_nan() { QUIET_NAN } else { x.to_bits() as usize })
}
/// A boxed part under its tag.
#[inline(always)]
pub fn enc_tag(tag: u64, part: *mut u8) -> *mut u8 {
    part.map_addr(|a| a | BOX | (tag as usize) << 48)
}
/// Whether a word is no double.
#[inline(always)]
pub fn is_boxed(word: *mut u8) -> bool {
    word.addr() >= BOX
}
/// The tag of a boxed word.
#[inline(always)]
pub fn tag(word: *mut u8) -> u64 {
    ((word.addr() >> 48) & 7) as u64
}
/// The part in a boxed word.
#[inline(always)]
pub fn payload(word: *mut u8) -> *mut u8 {
    word.map_addr(|a| a & PAYLOAD)
}

/// A part under its low tag.
#[inline(always)]
pub fn enc_low_tag(tag: u64, part: *mut u8) -> *mut u8 {
    part.map_addr(|a| a | tag as usize)
}
/// The low tag of a word.
#[inline(always)]
pub fn low_tag(word: *mut u8) -> u64 {
    (word.addr() & LOW) as u64
}
/// The part in a low-tagged word.
#[inline(always)]
pub fn low_payload(word: *mut u8) -> *mut u8 {
    word.map_addr(|a| a & !LOW)
}

/// What fits a NaN box.
///
/// # Safety
/// E1: `enc` uses 48 bits, `dec` is its inverse, and `IS_PTR` says whether the part is a reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit a NaN box",
    note = "use a `Gc`, an integer of at most 32 bits, `bool` or `char`, or put it behind a `Gc`"
)]
pub unsafe trait Part: Copy {
    /// Whether the part is a reference.
    const IS_PTR: bool;
    /// The bits.
    fn enc(self) -> *mut u8;
    /// The value.
    ///
    /// # Safety
    /// E2.
    unsafe fn dec(bits: *mut u8) -> Self;
}

/// What fits beside a low tag.
///
/// # Safety
/// E1: `enc` leaves the three low bits clear, `dec` is its inverse, and `IS_PTR` says whether the part is a reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit beside a low tag",
    note = "use a `Gc`, a `SmallInt`, an integer of at most 32 bits, `f32`, `bool` or `char`, or put it behind a `Gc`"
)]
pub unsafe trait LowPart: Copy {
    /// Whether the part is a reference.
    const IS_PTR: bool;
    /// The bits.
    fn enc(self) -> *mut u8;
    /// The value.
    ///
    /// # Safety
    /// E2.
    unsafe fn dec(bits: *mut u8) -> Self;
}

// SAFETY: E1, heap addresses have 48 bits at most, which the reservation sees to.
unsafe impl<T: ?Sized> Part for Gc<'_, T> {
    const IS_PTR: bool = true;
    #[inline(always)]
    fn enc(self) -> *mut u8 {
        Gc::start(self)
    }
    #[inline(always)]
    unsafe fn dec(bits: *mut u8) -> Self {
        // SAFETY: E2.
        unsafe { Gc::from_start(bits) }
    }
}
// SAFETY: E1, objects are 8-aligned.
unsafe impl<T: ?Sized> LowPart for Gc<'_, T> {
    const IS_PTR: bool = true;
    #[inline(always)]
    fn enc(self) -> *mut u8 {
        Gc::start(self)
    }
    #[inline(always)]
    unsafe fn dec(bits: *mut u8) -> Self {
        // SAFETY: E2.
        unsafe { Gc::from_start(bits) }
    }
}

macro_rules! low_part {
    ($t:ty: $encode:expr, $decode:expr) => {
        // SAFETY: E1, at most 61 bits, shifted.
        unsafe impl LowPart for $t {
            const IS_PTR: bool = false;
            #[inline(always)]
            fn enc(self) -> *mut u8 {
                let encode: fn($t) -> usize = $encode;
                without_provenance_mut(encode(self) << 3)
            }
            #[inline(always)]
            unsafe fn dec(bits: *mut u8) -> Self {
                let decode: unsafe fn(usize) -> $t = $decode;
                // SAFETY: E2.
                unsafe { decode(bits.addr() >> 3) }
            }
        }
    };
}
macro_rules! part {
    ($($t:ty: $encode:expr, $decode:expr);* $(;)?) => { $(
        // SAFETY: E1, at most 32 bits.
        unsafe impl Part for $t {
            const IS_PTR: bool = false;
            #[inline(always)]
            fn enc(self) -> *mut u8 {
                let encode: fn($t) -> usize = $encode;
                without_provenance_mut(encode(self))
            }
            #[inline(always)]
            unsafe fn dec(bits: *mut u8) -> Self {
                let decode: unsafe fn(usize) -> $t = $decode;
                // SAFETY: E2.
                unsafe { decode(bits.addr()) }
            }
        }
        low_part!($t: $encode, $decode);
    )* };
}
part! {
    bool: usize::from, |w| w != 0;
    u8: usize::from, |w| w as u8;
    i8: |x| usize::from(x.cast_unsigned()), |w| (w as u8).cast_signed();
    u16: usize::from, |w| w as u16;
    i16: |x| usize::from(x.cast_unsigned()), |w| (w as u16).cast_signed();
    u32: |x| x as usize, |w| w as u32;
    i32: |x| x.cast_unsigned() as usize, |w| (w as u32).cast_signed();
    f32: |x| x.to_bits() as usize, |w| f32::from_bits(w as u32);
    // SAFETY: E2, the bits are a `char`'s.
    char: |x| x as usize, |w| unsafe { char::from_u32_unchecked(w as u32) };
}
low_part!(SmallInt: |x| x.0.cast_unsigned() as usize, |w| SmallInt(((w << 3) as i64) >> 3));

/// Tags for the kinds of a NaN box, references last; and the smallest word that is a reference.
pub const fn assign_tags<const N: usize>(refers: [bool; N]) -> ([u64; N], usize) {
    assert!(N <= 8, "a NaN box has room for eight kinds beside the doubles");
    let (tags, first) = assign(refers, false);
    (tags, if first == N { usize::MAX } else { BOX | first << 48 })
}
/// Tags for the kinds of a low tag, references first; and the number of kinds that are references.
pub const fn assign_low_tags<const N: usize>(refers: [bool; N]) -> ([u64; N], u64) {
    assert!(N <= 8, "three bits have room for eight kinds");
    let (tags, first_other) = assign(refers, true);
    (tags, first_other as u64)
}

/// Numbers those with `refers == first` from 0, then the others; and how many the first were.
const fn assign<const N: usize>(refers: [bool; N], first: bool) -> ([u64; N], usize) {
    let (mut tags, mut next, mut i) = ([0; N], 0, 0);
    while i < N {
        if refers[i] == first {
            tags[i] = next;
            next += 1;
        }
        i += 1;
    }
    let others = next as usize;
    i = 0;
    while i < N {
        if refers[i] != first {
            tags[i] = next;
            next += 1;
        }
        i += 1;
    }
    (tags, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_get_the_highest_tags_in_a_box_and_the_lowest_beside_a_low_tag() {
        assert_eq!(assign_tags([true, false, true, false]), ([2, 0, 3, 1], BOX | 2 << 48));
        assert_eq!(assign_low_tags([false, true, true, false]), ([2, 0, 1, 3], 2));
    }

    #[test]
    fn a_box_without_references_has_no_word_that_is_one() {
        assert_eq!(assign_tags([false; 8]).1, usize::MAX);
        assert_eq!(assign_tags([false; 3]).1, usize::MAX);
    }

    #[test]
    fn every_nan_becomes_one_that_is_no_reference() {
        for bits in [u64::MAX, 0xFFF8_0000_0000_1234, 0x7FF0_0000_0000_0001, f64::NAN.to_bits()] {
            assert_eq!(enc_f64(f64::from_bits(bits)).addr(), QUIET_NAN);
        }
        assert!(!is_boxed(enc_f64(f64::NEG_INFINITY)));
    }

    #[test]
    fn small_integers_survive_the_tag_at_both_ends() {
        for value in [SmallInt::MIN, SmallInt(-1), SmallInt(0), SmallInt(1), SmallInt::MAX] {
            let word = enc_low_tag(5, LowPart::enc(value));
            assert_eq!(low_tag(word), 5);
            // SAFETY: E2, the word was just encoded from a `SmallInt`.
            assert_eq!(unsafe { <SmallInt as LowPart>::dec(low_payload(word)) }, value);
        }
        assert_eq!(SmallInt::new(1 << 60), None);
        assert_eq!(SmallInt::new(-(1 << 60) - 1), None);
        assert_eq!(SmallInt::wrapping(1 << 60), SmallInt::MIN);
    }
}
