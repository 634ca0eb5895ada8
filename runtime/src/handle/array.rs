//! Operations on many elements of `Gc<[Slot<V>]>` at once, with one barrier for the whole range.
//!
//! Each element is read and written as one word, so no thread ever sees half of one; between elements others may read and
//! write. Ranges are checked before anything is stored: an operation that panics has changed nothing.
use crate::handle::gc::Gc;
use crate::handle::slot::Slot;
use crate::handle::word::Word;
use crate::mutator::cx::Cx;
use std::ops::Range;

/// `range`, after looking that it lies within `len` elements.
fn checked(range: Range<usize>, len: usize) -> Range<usize> {
    assert!(
        range.start <= range.end && range.end <= len,
        "the range {}..{} does not lie within an array of {len} elements",
        range.start,
        range.end
    );
    range
}

/// `count` elements from `at`, after looking that they lie within `len` elements.
fn window(at: usize, count: usize, len: usize) -> Range<usize> {
    checked(at..at.saturating_add(count), len)
}

impl<'gc, V: Word> Gc<'gc, [Slot<V>]>
where
    [Slot<V>]: crate::HeapType,
{
    /// Copies the elements `from` to where `to` begins, in the same array; the two may overlap.
    ///
    /// # Panics
    /// When a range is not within the array.
    pub fn copy_within(this: Self, cx: &Cx, from: Range<usize>, to: usize) {
        let slots = Gc::get(this);
        let from = checked(from, slots.len());
        let to = window(to, from.len(), slots.len());
        copy_words(&slots[from], &slots[to.clone()]);
        Gc::range_stored(this, cx, to);
    }
    /// Copies the elements `from` of `source` to where `to` begins in this array; the two may be one.
    ///
    /// # Panics
    /// When a range is not within its array.
    pub fn copy_from(this: Self, cx: &Cx, to: usize, source: Self, from: Range<usize>) {
        let (slots, source) = (Gc::get(this), Gc::get(source));
        let from = checked(from, source.len());
        let to = window(to, from.len(), slots.len());
        copy_words(&source[from], &slots[to.clone()]);
        Gc::range_stored(this, cx, to);
    }
    /// Stores `value` in every element of `range`.
    ///
    /// # Panics
    /// When the range is not within the array.
    pub fn fill(this: Self, cx: &Cx, range: Range<usize>, value: V) {
        let slots = Gc::get(this);
        let range = checked(range, slots.len());
        let word = value.to_word();
        slots[range.clone()].iter().for_each(|slot| slot.store_word(word));
        Gc::range_stored(this, cx, range);
    }
    /// Exchanges the `count` elements from `a` of this array with those from `b` of `other`, which may be this array too.
    /// An element may be seen in both places for a moment.
    ///
    /// # Panics
    /// When a range is not within its array, and when the two ranges overlap.
    pub fn swap_ranges(this: Self, cx: &Cx, a: usize, other: Self, b: usize, count: usize) {
        let (slots, others) = (Gc::get(this), Gc::get(other));
        let a = window(a, count, slots.len());
        let b = window(b, count, others.len());
        let apart = !Gc::ptr_eq(this, other) || a.end <= b.start || b.end <= a.start;
        assert!(apart || count == 0, "the ranges {a:?} and {b:?} of one array overlap, so they cannot be swapped");
        for (x, y) in slots[a.clone()].iter().zip(&others[b.clone()]) {
            let word = x.load_word();
            x.store_word(y.load_word());
            y.store_word(word);
        }
        Gc::range_stored(this, cx, a);
        Gc::range_stored(other, cx, b);
    }
    /// The barrier behind stores into a range.
    fn range_stored(this: Self, cx: &Cx, range: Range<usize>) {
        if V::MAY_POINT && !range.is_empty() {
            cx.range_stored(Gc::object(this), range.start, range.end);
        }
    }
}

/// Copies word by word, in the direction that an overlap needs.
fn copy_words<V: Word>(from: &[Slot<V>], to: &[Slot<V>]) {
    let one = |(from, to): (&Slot<V>, &Slot<V>)| to.store_word(from.load_word());
    if to.as_ptr() <= from.as_ptr() {
        from.iter().zip(to).for_each(one);
    } else {
        from.iter().zip(to).rev().for_each(one);
    }
}
