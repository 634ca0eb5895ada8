//! `gcbench`: trees built from above and from below, beside a tree and an array that stay.
//!
//! The benchmark of Ellis, Kovac and Boehm: a tree of depth 18 to stretch the heap; a tree of depth 16 and an
//! array of 500 000 doubles that live to the end; then, for each round and each even depth from 4 to 16, as many
//! trees as make up twice the stretch tree, first top-down (each node is filled after it was made, so its fields
//! change) and then bottom-up. The checksum adds up left spines, the long-lived tree's nodes, and one element.

use orinoco::{Cx, Field, Gc, Mutator, Trace};

use super::part::Part;
use super::{Profile, WINDOW_DEPTH};

/// See [`Profile`].
pub const PROFILE: Profile = Profile {
    default_size: 3.0,
    unit: "rounds",
    largest: 1e6,
    smallest_share: 0.0,
    even_steps: false,
    live_bytes: |_, threads| f64::from(1 << 19) * 32.0 * threads,
};

const STRETCH_DEPTH: u32 = 18;
const LONG_LIVED_DEPTH: u32 = 16;
const ARRAY_LENGTH: usize = 500_000;

#[derive(Trace)]
struct Node<'gc> {
    left: Field<'gc, Node<'gc>>,
    right: Field<'gc, Node<'gc>>,
    // The original's payload, which nobody reads; it makes the node as large as it was.
    _i: i32,
    _j: i32,
}

impl<'gc> Node<'gc> {
    fn leaf(cx: &'gc Cx) -> Gc<'gc, Self> {
        cx.alloc(Self { left: Field::null(), right: Field::null(), _i: 0, _j: 0 })
    }

    fn over(cx: &'gc Cx, left: Option<Gc<'gc, Self>>, right: Option<Gc<'gc, Self>>) -> Gc<'gc, Self> {
        cx.alloc(Self { left: Field::new(left), right: Field::new(right), _i: 0, _j: 0 })
    }
}

/// Trees in the making, and the array.
#[derive(Trace, Default)]
#[trace(root)]
pub struct Roots<'gc> {
    stack: Vec<Gc<'gc, Node<'gc>>>,
    array: Option<Gc<'gc, [f64]>>,
}

type M = Mutator<Roots<'static>>;

/// One thread's run; each does all of it.
pub fn mutate(m: &mut M, part: &mut Part) {
    make(m, STRETCH_DEPTH);
    part.checksum += pop_spine(m);

    push_leaf(m);
    populate(m, LONG_LIVED_DEPTH); // stays at the bottom of the stack
    {
        let (cx, roots) = m.split();
        let element = |i: usize| if (1..ARRAY_LENGTH / 2).contains(&i) { 1.0 / i as f64 } else { 0.0 };
        roots.array = Some(cx.alloc_slice(ARRAY_LENGTH, element));
    }

    for _ in 0..part.size as u64 {
        for depth in (4..=LONG_LIVED_DEPTH).step_by(2) {
            let trees = 2 * ((1u32 << 19) - 1) / ((1 << (depth + 1)) - 1);
            part.gaps.start();
            for _ in 0..trees {
                push_leaf(m);
                populate(m, depth);
                part.checksum += pop_spine(m);
                if depth <= 8 {
                    part.gaps.mark();
                }
            }
            part.gaps.start();
            for _ in 0..trees {
                make(m, depth);
                part.checksum += pop_spine(m);
                if depth <= 8 {
                    part.gaps.mark();
                }
            }
            part.operations += 2 * u64::from(trees);
        }
    }

    part.checksum += count(m, LONG_LIVED_DEPTH);
    let (_, roots) = m.split();
    if roots.array.is_some_and(|array| array[1000] == 1.0 / 1000.0) {
        part.checksum += 1;
    }
}

fn push_leaf(m: &mut M) {
    let (cx, roots) = m.split();
    roots.stack.push(Node::leaf(cx));
}

/// Top-down: gives the node on top of the stack all its descendants.
fn populate(m: &mut M, depth: u32) {
    m.safepoint();
    let (cx, roots) = m.split();
    let &node = roots.stack.last().expect("the node to be filled");
    if depth <= WINDOW_DEPTH {
        return populate_here(cx, depth, node);
    }
    let (left, right) = (Node::leaf(cx), Node::leaf(cx));
    node.left.set(cx, Some(left));
    node.right.set(cx, Some(right));
    roots.stack.push(right);
    roots.stack.push(left);
    for _ in 0..2 {
        populate(m, depth - 1);
        m.split().1.stack.pop();
    }
}

fn populate_here<'gc>(cx: &'gc Cx, depth: u32, node: Gc<'gc, Node<'gc>>) {
    if depth == 0 {
        return;
    }
    let (left, right) = (Node::leaf(cx), Node::leaf(cx));
    node.left.set(cx, Some(left));
    node.right.set(cx, Some(right));
    populate_here(cx, depth - 1, left);
    populate_here(cx, depth - 1, right);
}

/// Bottom-up: pushes a tree whose nodes are made after their children.
fn make(m: &mut M, depth: u32) {
    if depth <= WINDOW_DEPTH {
        m.safepoint();
        let (cx, roots) = m.split();
        roots.stack.push(make_here(cx, depth));
        return;
    }
    make(m, depth - 1);
    make(m, depth - 1);
    let (cx, roots) = m.split();
    let (right, left) = (roots.stack.pop(), roots.stack.pop());
    roots.stack.push(Node::over(cx, left, right));
}

fn make_here<'gc>(cx: &'gc Cx, depth: u32) -> Gc<'gc, Node<'gc>> {
    if depth == 0 {
        return Node::leaf(cx);
    }
    let left = make_here(cx, depth - 1);
    let right = make_here(cx, depth - 1);
    Node::over(cx, Some(left), Some(right))
}

/// Pops a tree and says how long its left spine is.
fn pop_spine(m: &mut M) -> u64 {
    let (_, roots) = m.split();
    let mut node = roots.stack.pop().expect("a tree was pushed");
    let mut length = 0;
    while let Some(left) = node.left.get() {
        node = left;
        length += 1;
    }
    length
}

/// Pops a tree of at most this depth and counts its nodes.
fn count(m: &mut M, depth: u32) -> u64 {
    m.safepoint();
    let (_, roots) = m.split();
    let node = roots.stack.pop().expect("a tree was pushed");
    if depth <= WINDOW_DEPTH {
        return nodes(node);
    }
    let (Some(left), Some(right)) = (node.left.get(), node.right.get()) else { return 1 };
    roots.stack.push(right);
    roots.stack.push(left);
    1 + count(m, depth - 1) + count(m, depth - 1)
}

fn nodes(node: Gc<'_, Node<'_>>) -> u64 {
    1 + node.left.get().map_or(0, nodes) + node.right.get().map_or(0, nodes)
}
