//! A segment: a fixed number of entries, last in, first out; the unit in which work changes hands.

/// Entries of a segment. Two in a model, so that a handful of entries fills one and makes it change hands.
pub const CAPACITY: usize = if cfg!(loom) { 2 } else { 256 };

/// A stack of at most [`CAPACITY`] entries. It has its memory from the first push on, and keeps it.
#[derive(Debug)]
pub struct Segment<T>(Vec<T>);

impl<T> Default for Segment<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Segment<T> {
    /// An empty segment, without memory.
    pub const fn new() -> Self {
        Self(Vec::new())
    }
    /// Adds an entry.
    ///
    /// # Panics
    /// In a debug build, when the segment is full: its owner looks first.
    #[inline]
    pub fn push(&mut self, entry: T) {
        debug_assert!(!self.is_full(), "a segment holds {CAPACITY} entries");
        if self.0.capacity() == 0 {
            self.0.reserve_exact(CAPACITY);
        }
        self.0.push(entry);
    }
    /// Takes the newest entry.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }
    /// How many entries it holds.
    #[inline]
    pub const fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether it holds none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Whether it holds all it can.
    #[inline]
    pub const fn is_full(&self) -> bool {
        self.0.len() >= CAPACITY
    }
    /// The entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
    /// Moves the older half of the entries, and the odd one, into a segment of their own.
    pub fn split(&mut self) -> Self {
        let mut older = self.0.split_off(self.0.len().div_ceil(2));
        std::mem::swap(&mut older, &mut self.0);
        Self(older)
    }
    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_newest_entry_comes_first() {
        let mut segment = Segment::new();
        (0..CAPACITY).for_each(|n| segment.push(n));
        assert!(segment.is_full());
        assert!((0..CAPACITY).rev().all(|n| segment.pop() == Some(n)));
        assert!(segment.is_empty());
        assert_eq!(segment.pop(), None);
    }

    #[test]
    fn a_split_gives_away_the_older_half() {
        for n in 1..8usize {
            let mut segment = Segment::new();
            (0..n).for_each(|entry| segment.push(entry));
            let older = segment.split();
            assert_eq!(older.iter().copied().collect::<Vec<_>>(), (0..n.div_ceil(2)).collect::<Vec<_>>());
            assert_eq!(segment.iter().copied().collect::<Vec<_>>(), (n.div_ceil(2)..n).collect::<Vec<_>>());
        }
    }
}
