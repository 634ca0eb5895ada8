//! A graph of which each player rewires its share: old objects are stored into, cut off and found again, all the time.
//!
//! ```text
//!   table: [Slot] of nodes ──▶ node ──▶ four slots to any nodes        model: four numbers a node, in a Vec
//! ```
//!
//! A node that is replaced lives on for as long as another refers to it: the model knows by which number it goes.

use anyhow::{Result, ensure};
use orinoco::{AllocError, Cx, Field, Gc, Root, Slot, Trace};

use super::play::{Part, Plain, Play, Turn};

/// Nodes of a player.
const NODES: usize = 2000;
/// Ways out of a node.
const WAYS: usize = 4;

#[derive(Trace)]
struct Node<'gc> {
    ways: [Field<'gc, Node<'gc>>; WAYS],
    number: u64,
}

type Table<'gc> = [Slot<Option<Gc<'gc, Node<'gc>>>>];

/// What players of graphs share: nothing but the heap.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|m, _| Ok(Box::new(Graph::new(m)?))))
}

struct Graph {
    table: Root<Table<'static>>,
    /// What each entry of the table must be: its number, and the numbers that its ways lead to (0: nowhere).
    model: Vec<(u64, [u64; WAYS])>,
    next: u64,
}

fn node<'gc>(cx: &'gc Cx, number: u64) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
    cx.try_alloc(Node { ways: std::array::from_fn(|_| Field::null()), number })
}

impl Graph {
    fn new(m: &mut Plain) -> Result<Self> {
        let table = m.root::<Table<'_>>(m.try_alloc_slice(NODES, |_| Slot::new(None))?);
        for at in 0..NODES {
            table.get(m)[at].set(m, Some(node(m, at as u64 + 1)?));
            m.safepoint();
        }
        let model = (0..NODES).map(|at| (at as u64 + 1, [0; WAYS])).collect();
        Ok(Self { table, model, next: NODES as u64 + 1 })
    }
    fn at<'gc>(&self, cx: &'gc Cx, at: usize) -> Result<Gc<'gc, Node<'gc>>> {
        let found = self.table.get(cx)[at].get();
        found.ok_or_else(|| anyhow::anyhow!("entry {at} of the table of nodes is empty"))
    }
    fn rewire(&mut self, cx: &Cx, turn: &mut Turn<'_>) -> Result<()> {
        let dice = &mut *turn.dice;
        let (at, way, to) = (dice.below(NODES), dice.below(WAYS), dice.below(NODES));
        match dice.below(8) {
            // Another node takes this one's place; those who refer to the old one keep it.
            0 => {
                let new = node(cx, self.next)?;
                new.ways[way].set(cx, Some(self.at(cx, at)?));
                self.table.get(cx)[at].set(cx, Some(new));
                let before = self.model[at].0;
                self.model[at] = (self.next, [0; WAYS]);
                self.model[at].1[way] = before;
                self.next += 1;
            }
            1 => {
                self.at(cx, at)?.ways[way].clear();
                self.model[at].1[way] = 0;
            }
            // A reference goes from one old place to another, and is nowhere else: the marker may have been at the second.
            2..5 => {
                let other = dice.below(WAYS);
                let moved = self.at(cx, at)?.ways[way].swap(cx, None);
                self.at(cx, to)?.ways[other].set(cx, moved);
                let number = std::mem::take(&mut self.model[at].1[way]);
                self.model[to].1[other] = number;
            }
            _ => {
                let (from, target) = (self.at(cx, at)?, self.at(cx, to)?);
                from.ways[way].set(cx, Some(target));
                self.model[at].1[way] = self.model[to].0;
            }
        }
        Ok(())
    }
    fn compare(&self, cx: &Cx, at: usize) -> Result<()> {
        let (node, (number, ways)) = (self.at(cx, at)?, &self.model[at]);
        ensure!(node.number == *number, "entry {at} is node {}, not {number}", node.number);
        for (way, wanted) in node.ways.iter().zip(ways) {
            let found = way.get().map_or(0, |node| node.number);
            ensure!(found == *wanted, "a way of node {number} leads to node {found}, not {wanted}");
        }
        Ok(())
    }
}

impl Play for Graph {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..200 {
            self.rewire(m, turn)?;
            let at = turn.dice.below(NODES);
            self.compare(m, at)?;
            m.safepoint();
        }
        turn.line.checked(200 * WAYS);
        // A chain of replaced nodes would otherwise grow for ever: cut what hangs on a few of them.
        for _ in 0..NODES / 50 {
            let at = turn.dice.below(NODES);
            self.at(m, at)?.ways.iter().for_each(Slot::clear);
            self.model[at].1 = [0; WAYS];
        }
        Ok(())
    }
}
