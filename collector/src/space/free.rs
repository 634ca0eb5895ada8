//! Which regions nobody uses, and which of them are backed with memory.
//!
//! ```text
//!   region     1 … 7   8 … 15    16 … 23    frontier
//!   group    ├──0───┤├──1─────┤├──2─────┤  │              a group is as large as a huge page
//!             used,    open:     closed:    closed:
//!             open     ready     refused    never used yet
//!                      to use    until opened
//! ```
//!
//! Memory is opened and closed a whole group at a time where that is possible: only then can the system back it with a
//! huge page, which is one fault and one entry of the TLB in the place of 512.
//!
//! R1  An open region has been touched, unless it was opened for the one who used it since: taking it costs no fault.
use crate::units::GROUP;
use std::collections::BTreeSet;
use std::ops::Range;

/// Free regions: open ones (backed by memory), closed ones below `frontier`, and everything from `frontier` up.
pub(crate) struct Free {
    closed: BTreeSet<usize>,
    open: BTreeSet<usize>,
    frontier: usize,
    count: usize,
}

/// The group that a region belongs to.
fn group_of(index: usize) -> Range<usize> {
    let first = index / GROUP * GROUP;
    first..first + GROUP
}

impl Free {
    /// Regions 1 to `count` - 1, all of them closed.
    pub(crate) fn new(count: usize) -> Self {
        Self { closed: BTreeSet::new(), open: BTreeSet::new(), frontier: 1, count }
    }
    /// How many are open.
    pub(crate) fn ready(&self) -> usize {
        self.open.len()
    }
    /// An open region.
    pub(crate) fn find_open(&self) -> Option<usize> {
        self.open.first().copied()
    }
    /// The first of `span` neighbouring free regions, lowest first; open ones are preferred for a span of one.
    pub(crate) fn find(&self, span: usize) -> Option<usize> {
        if span == 1 {
            let first = self.open.first().or_else(|| self.closed.first()).copied().unwrap_or(self.frontier);
            return (first < self.count).then_some(first);
        }
        let mut run = 0;
        let mut next = 0;
        let mut open = self.open.iter().copied().peekable();
        let mut closed = self.closed.iter().copied().peekable();
        loop {
            let index = match (open.peek(), closed.peek()) {
                (Some(a), Some(b)) if a < b => open.next(),
                (Some(_), None) => open.next(),
                _ => closed.next(),
            };
            let Some(index) = index else { break };
            run = if index == next { run + 1 } else { 1 };
            next = index + 1;
            if run == span {
                return Some(next - span);
            }
        }
        // The last neighbours below the frontier, if they reach it, go on above it.
        let first = if next == self.frontier { next - run } else { self.frontier };
        (first + span <= self.count).then_some(first)
    }
    /// The part of `of` from its first region on that is all open (true) or all closed (false).
    pub(crate) fn alike(&self, of: Range<usize>) -> (Range<usize>, bool) {
        let open = self.open.contains(&of.start);
        let end = of.clone().find(|index| self.open.contains(index) != open).unwrap_or(of.end);
        (of.start..end, open)
    }
    /// Takes an open region out, for use.
    pub(crate) fn remove(&mut self, index: usize) {
        let was_open = self.open.remove(&index);
        debug_assert!(was_open, "what is used is open");
    }
    /// A region that nobody uses any more. It is open.
    pub(crate) fn add(&mut self, index: usize) {
        self.open.insert(index);
    }
    /// Whether no more memory can be opened.
    pub(crate) fn is_all_open(&self) -> bool {
        self.closed.is_empty() && self.frontier >= self.count
    }
    /// Takes closed neighbours of one group, the lowest, out of everybody's sight, if fewer than `wanted` are open.
    pub(crate) fn withdraw_closed(&mut self, wanted: usize) -> Option<Range<usize>> {
        if self.open.len() >= wanted {
            return None;
        }
        if let Some(first) = self.closed.first().copied() {
            let end = group_of(first).end;
            let last = (first..end).take_while(|index| self.closed.contains(index)).last().unwrap_or(first);
            (first..=last).for_each(|index| _ = self.closed.remove(&index));
            return Some(first..last + 1);
        }
        let first = self.frontier;
        self.frontier = group_of(first).end.min(self.count).max(first);
        (first < self.frontier).then_some(first..self.frontier)
    }
    /// Takes a whole open group below `top` out of everybody's sight, the highest, if more than `keep` regions stay open.
    pub(crate) fn withdraw_group(&mut self, keep: usize, top: usize) -> Option<Range<usize>> {
        let mut top = top;
        while self.open.len() >= keep + GROUP {
            let group = group_of(*self.open.range(..top).next_back()?);
            if self.open.range(group.clone()).count() == GROUP {
                group.clone().for_each(|index| _ = self.open.remove(&index));
                return Some(group);
            }
            top = group.start;
        }
        None
    }
    /// Takes the highest open region that has neighbours in use out of everybody's sight, if more than `keep` are open.
    pub(crate) fn withdraw_open(&mut self, keep: usize) -> Option<usize> {
        if self.open.len() <= keep {
            return None;
        }
        let whole = |index: usize| self.open.range(group_of(index)).count() == GROUP;
        let index = self.open.iter().rev().copied().find(|index| !whole(*index))?;
        self.open.remove(&index);
        Some(index)
    }
    /// Notes that regions are open now. What the frontier passes over on the way is free and closed.
    pub(crate) fn opened(&mut self, range: Range<usize>) {
        range.clone().for_each(|index| _ = self.closed.remove(&index));
        self.closed.extend(self.frontier..range.start);
        self.frontier = self.frontier.max(range.end);
        self.open.extend(range);
    }
    /// Notes that withdrawn regions are closed.
    pub(crate) fn closed(&mut self, range: Range<usize>) {
        self.closed.extend(range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_opened_a_group_at_a_time_and_closed_so_too() {
        let mut free = Free::new(4 * GROUP);
        for wanted in [1..GROUP, GROUP..2 * GROUP, 2 * GROUP..3 * GROUP] {
            let range = free.withdraw_closed(usize::MAX).unwrap();
            assert_eq!(range, wanted);
            free.opened(range);
        }
        assert_eq!(free.ready(), 3 * GROUP - 1);
        free.remove(2 * GROUP + 3);
        assert_eq!(free.withdraw_group(0, usize::MAX), Some(GROUP..2 * GROUP), "the highest is not free as a whole");
        free.closed(GROUP..2 * GROUP);
        assert_eq!(free.withdraw_group(0, GROUP), None, "entry 0 stands for null, and its group is never whole");
        assert_eq!(free.withdraw_group(2 * GROUP, usize::MAX), None, "some are to stay open");
        assert_eq!(free.withdraw_closed(usize::MAX), Some(GROUP..2 * GROUP));
    }

    #[test]
    fn closed_neighbours_of_one_group_are_opened_together() {
        let mut free = Free::new(4 * GROUP);
        let range = free.withdraw_closed(1).unwrap();
        free.opened(range);
        free.closed(2..4);
        free.closed(5..6);
        (2..4).chain(5..6).for_each(|index| free.remove(index));
        assert_eq!(free.withdraw_closed(usize::MAX), Some(2..4));
        assert_eq!(free.withdraw_closed(usize::MAX), Some(5..6));
        assert_eq!(free.withdraw_closed(GROUP - 4), None, "as many are open as are wanted");
    }
}
