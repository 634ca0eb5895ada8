//! `binary_trees`: many short-lived complete trees beside one that lives to the end.
//!
//! A tree of depth N + 1 to stretch the heap, a tree of depth N that stays, then for each even depth d from 4
//! to N, 2^(N - d + 4) trees which are built, counted and forgotten; the trees of a depth are spread over the
//! threads. The checksum is the number of nodes that were counted. The nodes never change, so their fields are
//! plain `Gc`s: no atomics and no barrier.

use anyhow::Result;
use orinoco::{Cx, Gc, Heap, Mutator, Trace};

use super::part::Part;
use super::run::{Plan, spread};
use super::{Profile, WINDOW_DEPTH};

/// See [`Profile`].
pub const PROFILE: Profile = Profile {
    default_size: 18.0,
    unit: "depth of the long-lived tree",
    largest: 40.0,
    smallest_share: 0.0,
    even_steps: false,
    live_bytes: |size, threads| (2f64.powf(size + 2.0)).max(2f64.powf(size + 1.0) * (1.0 + threads)) * 24.0,
};

#[derive(Trace)]
struct Tree<'gc> {
    left: Option<Gc<'gc, Tree<'gc>>>,
    right: Option<Gc<'gc, Tree<'gc>>>,
}

/// Trees that must outlive a safepoint.
#[derive(Trace, Default)]
#[trace(root)]
pub struct Roots<'gc> {
    stack: Vec<Gc<'gc, Tree<'gc>>>,
}

type M = Mutator<Roots<'static>>;

/// The whole run: the two large trees on this thread, the others on threads of their own.
pub fn run(plan: &Plan, heap: &Heap) -> Result<(Vec<Part>, u64)> {
    let depth = plan.size() as u32;
    let mut here = heap.attach(Roots::default());
    let stretched = here.run(|m| {
        grow(m, depth + 1);
        let nodes = count(m, depth + 1);
        grow(m, depth); // stays on the stack until the others are through
        nodes
    });
    let parts = spread(plan, heap, mutate)?;
    let kept = here.run(|m| count(m, depth));
    Ok((parts, stretched + kept))
}

fn mutate(m: &mut M, part: &mut Part) {
    let deepest = part.size as u32;
    for depth in (4..=deepest).step_by(2) {
        let trees = 1u64 << (deepest - depth + 4);
        let (each, rest) = (trees / u64::from(part.threads), trees % u64::from(part.threads));
        let mine = each + u64::from(u64::from(part.index) < rest);
        part.gaps.start();
        for _ in 0..mine {
            grow(m, depth);
            part.checksum += count(m, depth);
            if depth <= 8 {
                part.gaps.mark();
            }
        }
        part.operations += mine;
    }
}

/// Pushes a new tree. Deep ones are put together from the stack, with a safepoint at each part.
fn grow(m: &mut M, depth: u32) {
    if depth <= WINDOW_DEPTH {
        m.safepoint();
        let (cx, roots) = m.split();
        roots.stack.push(build(cx, depth));
        return;
    }
    grow(m, depth - 1);
    grow(m, depth - 1);
    let (cx, roots) = m.split();
    let (right, left) = (roots.stack.pop(), roots.stack.pop());
    roots.stack.push(cx.alloc(Tree { left, right }));
}

/// A tree that is small enough to be built between two safepoints.
fn build<'gc>(cx: &'gc Cx, depth: u32) -> Gc<'gc, Tree<'gc>> {
    if depth == 0 {
        return cx.alloc(Tree { left: None, right: None });
    }
    let left = Some(build(cx, depth - 1));
    let right = Some(build(cx, depth - 1));
    cx.alloc(Tree { left, right })
}

/// Pops a tree of at most this depth and counts its nodes.
fn count(m: &mut M, depth: u32) -> u64 {
    m.safepoint();
    let (_, roots) = m.split();
    let tree = roots.stack.pop().expect("a tree was pushed");
    if depth <= WINDOW_DEPTH {
        return nodes(tree);
    }
    let (Some(left), Some(right)) = (tree.left, tree.right) else { return 1 };
    roots.stack.push(right);
    roots.stack.push(left);
    1 + count(m, depth - 1) + count(m, depth - 1)
}

fn nodes(tree: Gc<'_, Tree<'_>>) -> u64 {
    match (tree.left, tree.right) {
        (Some(left), Some(right)) => 1 + nodes(left) + nodes(right),
        _ => 1,
    }
}
