//! Lists that grow at one end and shrink at the other: every node dies old or young in the order of its birth.
//!
//! The store at the far end goes into a node that may have been old for long, and leads to one that was just born.

use anyhow::{Result, ensure};
use orinoco::{Cx, Field, Gc, Root, Trace};

use super::play::{Part, Plain, Play, Turn};

/// Lists of a player.
const LISTS: usize = 8;
/// Nodes of the longest list.
const LONGEST: u64 = 4000;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    number: u64,
}

#[derive(Trace)]
struct List<'gc> {
    first: Field<'gc, Node<'gc>>,
    last: Field<'gc, Node<'gc>>,
}

/// What players of lists share: nothing.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|m, _| {
        let list = |_| {
            Ok(Ends { list: m.root(m.try_alloc(List { first: Field::null(), last: Field::null() })?), from: 0, to: 0 })
        };
        Ok(Box::new(Lists((0..LISTS).map(list).collect::<Result<_>>()?)))
    }))
}

struct Lists(Vec<Ends>);

/// A list, and the numbers that must be in it.
struct Ends {
    list: Root<List<'static>>,
    from: u64,
    to: u64,
}

impl Ends {
    fn push(&mut self, cx: &Cx) -> Result<()> {
        let node = Some(cx.try_alloc(Node { next: Field::null(), number: self.to })?);
        let list = self.list.get(cx);
        match list.last.get() {
            Some(last) => last.next.set(cx, node),
            None => list.first.set(cx, node),
        }
        list.last.set(cx, node);
        self.to += 1;
        Ok(())
    }
    fn pop(&mut self, cx: &Cx) -> Result<()> {
        let list = self.list.get(cx);
        let found = list.first.get().map(|node| node.number);
        let wanted = (self.from < self.to).then_some(self.from);
        ensure!(found == wanted, "a list begins with {found:?}, not {wanted:?}");
        let Some(first) = list.first.get() else { return Ok(()) };
        list.first.set(cx, first.next.get());
        if first.next.get().is_none() {
            list.last.clear();
        }
        self.from += 1;
        Ok(())
    }
    fn compare(&self, cx: &Cx) -> Result<usize> {
        let first: Option<Gc<'_, Node<'_>>> = self.list.get(cx).first.get();
        let mut wanted = self.from;
        for node in std::iter::successors(first, |node| node.next.get()) {
            ensure!(node.number == wanted, "a list goes on with {}, not {wanted}", node.number);
            wanted += 1;
        }
        ensure!(wanted == self.to, "a list ends before {wanted}, not before {}", self.to);
        Ok((self.to - self.from) as usize)
    }
}

impl Play for Lists {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..20 {
            let ends = &mut self.0[turn.dice.below(LISTS)];
            let (more, fewer) = (turn.dice.below(60), turn.dice.below(60));
            for _ in 0..more {
                ends.push(m)?;
            }
            m.safepoint();
            for _ in 0..fewer.max(usize::from(ends.to - ends.from > LONGEST) * 120) {
                ends.pop(m)?;
            }
            m.safepoint();
        }
        turn.line.checked(self.0[turn.dice.below(LISTS)].compare(m)?);
        Ok(())
    }
}
