//! The bar for allocation: a bump allocator that stores a header and does nothing else.
//!
//! It is what an allocation cannot be cheaper than: load the top, compare, advance, store the top, store the
//! header, store the fields. Its cells have one size and its memory begins anew when it is full; like a
//! mutator's buffer, its top lives in memory, not in a register of the loop that allocates.

use std::cell::Cell as Word;
use std::slice::Iter;

/// A header word and two fields.
pub type Cell = [Word<u64>; 3];

/// What the headers point at.
static DESCRIPTOR: u64 = 0;

/// Memory for cells.
pub struct Memory(Vec<Cell>);

impl Memory {
    /// So much memory, already touched.
    pub fn new(bytes: usize) -> Self {
        let cells = bytes / size_of::<Cell>();
        Self((0..cells).map(|_| Cell::default()).collect())
    }
}

/// Hands out the cells of a memory, over and over.
pub struct Bump<'m> {
    memory: &'m [Cell],
    free: Iter<'m, Cell>,
}

impl<'m> Bump<'m> {
    /// All of `memory` is free.
    ///
    /// # Panics
    /// If there is no cell in it.
    pub fn new(memory: &'m Memory) -> Self {
        assert!(!memory.0.is_empty(), "a bump allocator needs room for one cell");
        Self { memory: &memory.0, free: memory.0.iter() }
    }

    /// The next cell, with a header and these fields.
    #[inline(always)]
    pub fn alloc(&mut self, next: Option<&'m Cell>, value: u64) -> &'m Cell {
        let cell = match self.free.next() {
            Some(cell) => cell,
            None => self.alloc_slow(),
        };
        cell[0].set((&raw const DESCRIPTOR).addr() as u64);
        cell[1].set(next.map_or(0, |next| next.as_ptr().addr() as u64));
        cell[2].set(value);
        cell
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self) -> &'m Cell {
        self.free = self.memory.iter();
        self.free.next().expect("there is at least one cell")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_follow_each_other_and_begin_anew_when_the_memory_is_full() {
        let memory = Memory::new(2 * size_of::<Cell>());
        let mut bump = Bump::new(&memory);
        let first = bump.alloc(None, 1);
        let second = bump.alloc(Some(first), 2);
        assert_eq!(second.as_ptr().addr() - first.as_ptr().addr(), size_of::<Cell>());
        assert_eq!((second[1].get(), second[2].get()), (first.as_ptr().addr() as u64, 2));
        assert_eq!(first[0].get(), second[0].get());
        let third = bump.alloc(Some(second), 3);
        assert!(std::ptr::eq(third, first));
        assert_eq!(third[2].get(), 3);
    }
}
