//! Deep recursion with live locals across safepoints, and structures too deep for anything that recurses along them.

use anyhow::{Result, ensure};
use orinoco::{Cx, Gc, Trace, keep};

use super::play::{Part, Plain, Play, Turn};

/// The deepest recursion of the program.
const DEEPEST: u64 = 1500;
/// The longest chain in the heap.
const LONGEST: u64 = 60_000;

#[derive(Trace)]
struct Link<'gc> {
    next: Option<Gc<'gc, Link<'gc>>>,
    number: u64,
}

/// What players of recursion share: nothing.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|_, _| Ok(Box::new(Recursion))))
}

struct Recursion;

/// Goes down to `depth`, one link longer at each level, and looks on the way up at what each level held on its way down.
fn descend(m: &mut Plain, depth: u64, poll_every: u64) -> Result<u64> {
    let link: Gc<'_, Link<'_>> = m.try_alloc(Link { next: None, number: depth })?;
    let pair = m.try_alloc(Link { next: Some(link), number: depth + 1 })?;
    if depth == 0 {
        return Ok(0);
    }
    let (below, (link, pair)) = keep!(m; link, pair => {
        if depth.is_multiple_of(poll_every) {
            m.safepoint();
        }
        descend(m, depth - 1, poll_every)
    });
    let inner = pair.next.map(|inner| inner.number);
    ensure!(link.number == depth, "a local at depth {depth} holds {}", link.number);
    ensure!(pair.number == depth + 1 && inner == Some(depth), "two locals at depth {depth} have come apart: {inner:?}");
    Ok(below? + 1)
}

/// A chain that a visitor must not follow by recursion.
fn chain<'gc>(cx: &'gc Cx, length: u64) -> Result<Option<Gc<'gc, Link<'gc>>>> {
    let mut head = None;
    for number in 0..length {
        head = Some(cx.try_alloc(Link { next: head, number })?);
    }
    Ok(head)
}

impl Play for Recursion {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        let (depth, every) = (turn.dice.below(DEEPEST as usize) as u64, 1 + turn.dice.below(200) as u64);
        let reached = descend(m, depth, every)?;
        ensure!(reached == depth, "the recursion came back from {reached} levels, not {depth}");
        turn.line.checked(depth as usize);
        if turn.dice.once_in(30) {
            let length = turn.dice.below(LONGEST as usize) as u64;
            let head = chain(m, length)?;
            let ((), head) = keep!(m; head => (0..4).for_each(|_| m.safepoint()));
            let numbers = std::iter::successors(head, |link| link.next).map(|link| link.number);
            ensure!(numbers.eq((0..length).rev()), "a chain of {length} links is broken");
            turn.line.checked(length as usize);
        }
        Ok(())
    }
}
