//! Arrays of slots, from empty to large ones with regions of their own, copied, filled and exchanged in ranges.

use anyhow::{Result, ensure};
use orinoco::{Cx, Gc, Root, Slot, Trace};

use super::play::{Part, Plain, Play, Turn};

/// Arrays of a player.
const ARRAYS: usize = 6;
/// Elements of a small array, and of one that is large for the heap.
const SMALL: usize = 1500;
const LARGE: usize = 40_000;

#[derive(Trace)]
struct Item {
    number: u64,
}

type Array<'gc> = [Slot<Option<Gc<'gc, Item>>>];

/// What players of arrays share: nothing.
///
/// # Errors
/// When the heap is full already.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|m, _| {
        let arrays = (0..ARRAYS).map(|_| Model::new(m, 100)).collect::<Result<_>>()?;
        Ok(Box::new(Arrays(arrays)))
    }))
}

struct Arrays(Vec<Model>);

/// An array, and the numbers of its items; 0 for none.
struct Model {
    array: Root<Array<'static>>,
    numbers: Vec<u64>,
}

fn item<'gc>(cx: &'gc Cx, number: u64) -> Result<Option<Gc<'gc, Item>>> {
    Ok(Some(cx.try_alloc(Item { number })?))
}

impl Model {
    /// An array whose every tenth element is set at birth.
    fn new(m: &mut Plain, length: usize) -> Result<Self> {
        let number = |at: usize| if at.is_multiple_of(10) { at as u64 + 1 } else { 0 };
        let mut refused = None;
        let array = m.try_alloc_slice(length, |at| {
            let made = if number(at) == 0 { Ok(None) } else { item(m, number(at)) };
            Slot::new(made.unwrap_or_else(|error| {
                refused = Some(error);
                None
            }))
        })?;
        match refused {
            Some(error) => Err(error),
            None => Ok(Self { array: m.root::<Array<'_>>(array), numbers: (0..length).map(number).collect() }),
        }
    }
    fn change(&mut self, cx: &Cx, turn: &mut Turn<'_>) -> Result<()> {
        let (array, length) = (self.array.get(cx), self.numbers.len());
        if length == 0 {
            return Ok(());
        }
        let dice = &mut *turn.dice;
        let (from, to) = (dice.below(length), dice.below(length));
        let count = dice.below(1 + (length - from.max(to)).min(600));
        match dice.below(4) {
            0 => {
                Gc::copy_within(array, cx, from..from + count, to);
                self.numbers.copy_within(from..from + count, to);
            }
            1 => {
                let number = dice.next() | 1;
                Gc::fill(array, cx, from..from + count, item(cx, number)?);
                self.numbers[from..from + count].fill(number);
            }
            2 => array[from..from + count].iter().zip(&mut self.numbers[from..]).for_each(|(slot, number)| {
                slot.clear();
                *number = 0;
            }),
            _ => {
                let number = dice.next() | 1;
                array[to].set(cx, item(cx, number)?);
                self.numbers[to] = number;
            }
        }
        Ok(())
    }
    fn compare(&self, cx: &Cx) -> Result<usize> {
        let array = self.array.get(cx);
        ensure!(array.len() == self.numbers.len(), "an array has {} elements, not {}", array.len(), self.numbers.len());
        for (at, (slot, wanted)) in array.iter().zip(&self.numbers).enumerate() {
            let found = slot.get().map_or(0, |item| item.number);
            ensure!(found == *wanted, "element {at} of {} is {found:#x}, not {wanted:#x}", array.len());
        }
        Ok(array.len())
    }
}

impl Arrays {
    /// Exchanges ranges of two arrays.
    fn exchange(&mut self, cx: &Cx, turn: &mut Turn<'_>) {
        let (one, other) = (turn.dice.below(ARRAYS), turn.dice.below(ARRAYS));
        if one == other {
            return;
        }
        let shorter = self.0[one].numbers.len().min(self.0[other].numbers.len());
        let count = turn.dice.below(shorter + 1);
        Gc::swap_ranges(self.0[one].array.get(cx), cx, 0, self.0[other].array.get(cx), 0, count);
        let mut numbers = std::mem::take(&mut self.0[one].numbers);
        numbers[..count].swap_with_slice(&mut self.0[other].numbers[..count]);
        self.0[one].numbers = numbers;
    }
}

impl Play for Arrays {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..20 {
            let at = turn.dice.below(ARRAYS);
            self.0[at].change(m, turn)?;
            m.safepoint();
        }
        self.exchange(m, turn);
        m.safepoint();
        let at = turn.dice.below(ARRAYS);
        turn.line.checked(self.0[at].compare(m)?);
        if turn.dice.once_in(4) {
            let longest = if turn.dice.once_in(40) { LARGE } else { SMALL };
            self.0[at] = Model::new(m, turn.dice.below(longest))?;
        }
        Ok(())
    }
}
