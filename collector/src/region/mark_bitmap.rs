//! Mark bits beside the objects: one bit a granule, 64 to a word, set by many workers at once.
//!
//! ```text
//!   bit    0 ........ 63   64 ....... 127   128 ...
//!         ┌─────────────┬────────────────┬──────────
//!   word  │      0      │       1        │    2
//!         └─────────────┴────────────────┴──────────
//!          a range [from, to) is: part of a word · whole words · part of a word
//! ```
//!
//! M1  Exactly one of all who try to mark a bit turns it from 0 to 1; that one pushes the object.
//! M2  An operation on one bit or range never changes a bit outside it, whoever else is writing.
//!
//! Every access is Relaxed. A mark says that an object was found, and publishes nothing: who follows a reference to an
//! object sees its fields because of the store that published the reference. M1 and M2 need one history for each word,
//! and read-modify-write gives them that.

use crate::planted::bug;
use crate::sync::AtomicUsize;
use crate::sync::Ordering::Relaxed;

/// Bits of a word.
const BITS: usize = usize::BITS as usize;

/// A view of some words as mark bits.
#[derive(Clone, Copy, Debug)]
pub struct MarkBitmap<'a>(&'a [AtomicUsize]);

impl<'a> MarkBitmap<'a> {
    /// The bits of `words`.
    #[inline(always)]
    pub const fn new(words: &'a [AtomicUsize]) -> Self {
        Self(words)
    }
    /// How many bits there are.
    pub const fn len(self) -> usize {
        self.0.len() * BITS
    }
    /// Whether there is no bit at all.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Marks `bit`; true for the one caller that did.
    #[inline]
    pub fn try_mark(self, bit: usize) -> bool {
        let (word, mask) = (&self.0[bit / BITS], 1 << (bit % BITS));
        // Most references lead to what is marked already: a load keeps the line shared.
        let seen = word.load(Relaxed);
        if seen & mask != 0 {
            return false;
        }
        if bug::mark_without_claim() {
            word.store(seen | mask, Relaxed);
            return true;
        }
        // Guarded by `marking::two_bits_of_one_word_are_both_set` and `marking::one_object_is_pushed_once`.
        word.fetch_or(mask, Relaxed) & mask == 0
    }
    /// The last marked bit at or below `from`, not below `floor`.
    pub fn prev_marked(self, from: usize, floor: usize) -> Option<usize> {
        let mut word = from / BITS;
        let mut bits = self.0[word].load(Relaxed) & (usize::MAX >> (BITS - 1 - from % BITS));
        loop {
            if bits != 0 {
                let bit = word * BITS + (BITS - 1 - bits.leading_zeros() as usize);
                return (bit >= floor).then_some(bit);
            }
            if word * BITS <= floor {
                return None;
            }
            word -= 1;
            bits = self.0[word].load(Relaxed);
        }
    }
    /// Where `bit` is, for a prefetch.
    #[inline(always)]
    pub fn word_of(self, bit: usize) -> *const u8 {
        (&raw const self.0[bit / BITS]).cast()
    }
    /// Whether `bit` is marked.
    #[inline]
    pub fn is_marked(self, bit: usize) -> bool {
        self.0[bit / BITS].load(Relaxed) & (1 << (bit % BITS)) != 0
    }

    /// Marks every bit of `[from, to)`.
    pub fn set_range(self, from: usize, to: usize) {
        for (index, mask) in self.pieces(from, to) {
            if mask == usize::MAX {
                self.0[index].store(mask, Relaxed);
            } else {
                self.0[index].fetch_or(mask, Relaxed);
            }
        }
    }
    /// Clears every bit of `[from, to)`.
    pub fn clear_range(self, from: usize, to: usize) {
        for (index, mask) in self.pieces(from, to) {
            // A word that is shared with bits outside the range is not ours to store (M2).
            if mask == usize::MAX {
                self.0[index].store(0, Relaxed);
            } else if bug::clear_without_claim() {
                self.0[index].store(self.0[index].load(Relaxed) & !mask, Relaxed);
            } else {
                // Guarded by `marking::clearing_a_range_spares_a_mark_beside_it`.
                self.0[index].fetch_and(!mask, Relaxed);
            }
        }
    }

    /// The first marked bit of `[from, to)`.
    #[inline]
    pub fn next_marked(self, from: usize, to: usize) -> Option<usize> {
        self.marked(from, to).next()
    }
    /// The marked bits of `[from, to)`, in order. Each word is read once, when the iterator comes to it.
    #[inline]
    pub fn marked(self, from: usize, to: usize) -> Marked<'a> {
        let (from, to) = self.checked(from, to);
        let index = from / BITS;
        let mut marked = Marked { words: self.0, index, left: 0, to };
        if from < to {
            marked.left = self.0[index].load(Relaxed) & (usize::MAX << (from % BITS));
        }
        marked
    }
    /// How many bits of `[from, to)` are marked.
    pub fn count(self, from: usize, to: usize) -> usize {
        self.pieces(from, to).map(|(index, mask)| (self.0[index].load(Relaxed) & mask).count_ones() as usize).sum()
    }

    /// `[from, to)` as words and the part of each that lies inside.
    fn pieces(self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
        let (from, to) = self.checked(from, to);
        (from / BITS..to.div_ceil(BITS)).filter(move |_| from < to).map(move |index| {
            let start = index * BITS;
            let low = usize::MAX << from.saturating_sub(start);
            let high = usize::MAX >> (start + BITS).saturating_sub(to);
            (index, low & high)
        })
    }
    fn checked(self, from: usize, to: usize) -> (usize, usize) {
        assert!(from <= to && to <= self.len(), "bits {from}..{to} of a bitmap of {}", self.len());
        (from, to)
    }
}

/// An iterator over marked bits.
#[derive(Clone, Debug)]
pub struct Marked<'a> {
    words: &'a [AtomicUsize],
    /// The word being emptied.
    index: usize,
    /// What is left of it.
    left: usize,
    to: usize,
}

impl Iterator for Marked<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.index += 1;
            if self.index * BITS >= self.to {
                return None;
            }
            self.left = self.words[self.index].load(Relaxed);
        }
        let bit = self.index * BITS + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        // Bits beyond the end can only be in the last word, and only larger ones follow.
        (bit < self.to).then_some(bit)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn words(n: usize) -> Vec<AtomicUsize> {
        (0..n).map(|_| AtomicUsize::new(0)).collect()
    }

    /// Ranges around every border of a four-word bitmap.
    fn ranges() -> impl Iterator<Item = (usize, usize)> {
        const BORDERS: [usize; 14] = [0, 1, 31, 62, 63, 64, 65, 127, 128, 129, 191, 192, 255, 256];
        BORDERS.into_iter().flat_map(|from| BORDERS.into_iter().filter(move |&to| from <= to).map(move |to| (from, to)))
    }

    #[test]
    fn only_the_first_mark_of_a_bit_counts() {
        let words = words(2);
        let bits = MarkBitmap::new(&words);
        for bit in [0, 63, 64, 127] {
            assert!(!bits.is_marked(bit));
            assert!(bits.try_mark(bit));
            assert!(!bits.try_mark(bit));
            assert!(bits.is_marked(bit));
        }
        assert_eq!(bits.count(0, 128), 4);
    }

    #[test]
    fn a_range_is_set_and_nothing_beside_it() {
        for (from, to) in ranges() {
            let words = words(4);
            let bits = MarkBitmap::new(&words);
            bits.set_range(from, to);
            for bit in 0..256 {
                assert_eq!(bits.is_marked(bit), (from..to).contains(&bit), "bit {bit} of {from}..{to}");
            }
            assert_eq!(bits.count(0, 256), to - from);
        }
    }

    #[test]
    fn a_range_is_cleared_and_nothing_beside_it() {
        for (from, to) in ranges() {
            let words = words(4);
            let bits = MarkBitmap::new(&words);
            bits.set_range(0, 256);
            bits.clear_range(from, to);
            for bit in 0..256 {
                assert_eq!(bits.is_marked(bit), !(from..to).contains(&bit), "bit {bit} of {from}..{to}");
            }
        }
    }

    #[test]
    fn several_ranges_cleared_leave_what_lies_between_them() {
        let words = words(3);
        let bits = MarkBitmap::new(&words);
        bits.set_range(0, 192);
        for (from, to) in [(0, 5), (60, 70), (128, 128), (190, 192)] {
            bits.clear_range(from, to);
        }
        assert_eq!(bits.marked(0, 192).collect::<Vec<_>>(), (5..60).chain(70..190).collect::<Vec<_>>());
    }

    #[test]
    fn the_marked_bits_of_a_range_come_in_order() {
        let words = words(4);
        let bits = MarkBitmap::new(&words);
        let marks = [0, 1, 62, 63, 64, 128, 191, 192, 255];
        for bit in marks {
            assert!(bits.try_mark(bit));
        }
        for (from, to) in ranges() {
            let expected: Vec<_> = marks.into_iter().filter(|bit| (from..to).contains(bit)).collect();
            assert_eq!(bits.marked(from, to).collect::<Vec<_>>(), expected, "{from}..{to}");
            assert_eq!(bits.next_marked(from, to), expected.first().copied(), "{from}..{to}");
            assert_eq!(bits.count(from, to), expected.len(), "{from}..{to}");
        }
    }

    #[test]
    fn an_empty_bitmap_has_nothing_to_say() {
        let bits = MarkBitmap::new(&[]);
        assert!(bits.is_empty());
        assert_eq!(bits.next_marked(0, 0), None);
        assert_eq!(bits.count(0, 0), 0);
    }

    #[test]
    #[should_panic(expected = "bits 0..65 of a bitmap of 64")]
    fn a_range_beyond_the_end_is_refused() {
        let words = words(1);
        MarkBitmap::new(&words).clear_range(0, 65);
    }

    #[test]
    fn the_mark_before_a_place_is_found_and_the_floor_is_kept() {
        let words: Vec<AtomicUsize> = (0..4).map(|_| AtomicUsize::new(0)).collect();
        let bits = MarkBitmap::new(&words);
        for bit in [3, 64, 200] {
            assert!(bits.try_mark(bit));
        }
        for (from, floor, found) in [
            (255, 0, Some(200)),
            (200, 0, Some(200)),
            (199, 0, Some(64)),
            (63, 0, Some(3)),
            (199, 65, None),
            (2, 0, None),
        ] {
            assert_eq!(bits.prev_marked(from, floor), found, "from {from} down to {floor}");
        }
    }
}
