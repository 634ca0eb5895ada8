//! Trees that are built from below, never written again, and replaced one by one: what a functional program does.
//!
//! The model of a tree is its seed: the walk rolls the same numbers that building rolled.

use anyhow::{Result, ensure};
use orinoco::{AllocError, Cx, Gc, Root, Trace};

use super::dice::Dice;
use super::play::{Part, Plain, Play, Turn};

/// How many trees a player keeps.
const KEPT: usize = 24;

#[derive(Trace)]
struct Tree<'gc> {
    left: Option<Gc<'gc, Tree<'gc>>>,
    right: Option<Gc<'gc, Tree<'gc>>>,
    value: u64,
}

/// What players of trees share: nothing.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|_, _| Ok(Box::new(Trees { kept: Vec::new() }))))
}

struct Trees {
    kept: Vec<(Root<Tree<'static>>, u64, u32)>,
}

impl Play for Trees {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..16 {
            let (seed, depth) = (turn.dice.next(), 2 + turn.dice.below(7) as u32);
            let root = m.root(build(m, &mut Dice::new(seed), depth)?);
            if self.kept.len() < KEPT {
                self.kept.push((root, seed, depth));
            } else {
                let at = turn.dice.below(KEPT);
                self.kept[at] = (root, seed, depth);
            }
            m.safepoint();
            let (root, seed, depth) = &self.kept[turn.dice.below(self.kept.len())];
            turn.line.checked(compare(Some(root.get(m)), &mut Dice::new(*seed), *depth)?);
        }
        Ok(())
    }
}

fn build<'gc>(cx: &'gc Cx, dice: &mut Dice, depth: u32) -> Result<Gc<'gc, Tree<'gc>>, AllocError> {
    let value = dice.next();
    let mut child =
        |odds| if depth > 0 && !value.is_multiple_of(odds) { build(cx, dice, depth - 1).map(Some) } else { Ok(None) };
    let (left, right) = (child(5)?, child(7)?);
    cx.try_alloc(Tree { left, right, value })
}

fn compare(tree: Option<Gc<'_, Tree<'_>>>, dice: &mut Dice, depth: u32) -> Result<usize> {
    let value = dice.next();
    let Some(tree) = tree else { anyhow::bail!("a tree has lost a branch at depth {depth}") };
    ensure!(tree.value == value, "a node of a tree holds {:#x}, not {value:#x}", tree.value);
    let mut nodes = 1;
    for (child, odds) in [(tree.left, 5), (tree.right, 7)] {
        if depth > 0 && !value.is_multiple_of(odds) {
            nodes += compare(child, dice, depth - 1)?;
        } else {
            ensure!(child.is_none(), "a tree has grown a branch at depth {depth}");
        }
    }
    Ok(nodes)
}
