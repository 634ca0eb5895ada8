//! `graph_mutate`: a table of nodes with four edges each, rewired at random.
//!
//! Ten rewirings for each node of the table; one in four replaces the node by a fresh copy, while the replaced
//! one stays reachable through the edges that lead to it, so in the end 2.81 times the table is live. Almost
//! every store has an old host, and many put a young value there: the remembered set has much to do. The
//! checksum is a traversal, with the marks in the nodes.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use orinoco::{Cx, Field, Gc, Mutator, Trace};

use super::Profile;
use super::part::Part;

/// See [`Profile`].
pub const PROFILE: Profile = Profile {
    default_size: 2.0,
    unit: "million nodes",
    largest: 1e3,
    smallest_share: 1e-6,
    even_steps: true,
    live_bytes: |size, _| size * 1e6 * (2.81 * 48.0 + 8.0),
};

/// Nodes made, or visited, between two safepoints.
const BATCH: usize = 1024;
/// Rewirings between two safepoints, which is also what a gap is measured over.
const REWIRINGS: u64 = 64;

#[derive(Trace)]
struct Node<'gc> {
    edges: [Field<'gc, Node<'gc>>; 4],
    value: u32,
    marked: AtomicU32,
}

impl<'gc> Node<'gc> {
    fn new(cx: &'gc Cx, value: u32, edges: [Option<Gc<'gc, Self>>; 4]) -> Gc<'gc, Self> {
        cx.alloc(Self { edges: edges.map(Field::new), value, marked: AtomicU32::new(0) })
    }

    /// Marks the node; true if it was not marked before.
    fn visit(&self) -> bool {
        let fresh = self.marked.load(Relaxed) == 0;
        self.marked.store(1, Relaxed);
        fresh
    }
}

type Table<'gc> = Gc<'gc, [Field<'gc, Node<'gc>>]>;

/// The table, and the traversal's stack.
#[derive(Trace, Default)]
#[trace(root)]
pub struct Roots<'gc> {
    table: Option<Table<'gc>>,
    stack: Vec<Gc<'gc, Node<'gc>>>,
}

impl<'gc> Roots<'gc> {
    #[inline]
    fn table(&self) -> Table<'gc> {
        self.table.expect("the table is made first")
    }
}

type M = Mutator<Roots<'static>>;

/// One thread's run, with a graph of its own.
pub fn mutate(m: &mut M, part: &mut Part) {
    let nodes = part.share(part.size * 1e6) as u32;
    part.building(|part| build(m, part, nodes));

    let rewirings = 10 * u64::from(nodes);
    part.gaps.start();
    let mut done = 0;
    while done < rewirings {
        let batch = done..rewirings.min(done + REWIRINGS);
        done = batch.end;
        let (cx, roots) = m.split();
        let table = roots.table();
        for rewiring in batch {
            rewire(cx, table, part, nodes, rewiring);
        }
        m.safepoint();
        if done.is_multiple_of(REWIRINGS) {
            part.gaps.mark();
        }
    }
    part.operations = rewirings;
    part.checksum = u64::from(traverse(m, nodes));
}

fn build(m: &mut M, part: &mut Part, nodes: u32) {
    {
        let (cx, roots) = m.split();
        roots.table = Some(cx.alloc_slice(nodes as usize, |_| Field::null()));
    }
    for start in (0..nodes).step_by(BATCH) {
        let (cx, roots) = m.split();
        let table = roots.table();
        for value in start..nodes.min(start.saturating_add(BATCH as u32)) {
            table[value as usize].set(cx, Some(Node::new(cx, value, [None; 4])));
        }
        m.safepoint();
    }
    for start in (0..nodes).step_by(BATCH) {
        let (cx, roots) = m.split();
        let table = roots.table();
        for from in start..nodes.min(start.saturating_add(BATCH as u32)) {
            for edge in &node(table, from).edges {
                edge.set(cx, Some(node(table, part.random.below(nodes))));
            }
        }
        m.safepoint();
    }
}

#[inline]
fn rewire<'gc>(cx: &'gc Cx, table: Table<'gc>, part: &mut Part, nodes: u32, rewiring: u64) {
    let from = part.random.below(nodes);
    let to = node(table, part.random.below(nodes));
    let edge = rewiring as usize & 3;
    let old = node(table, from);
    if (rewiring >> 2) & 3 == 3 {
        let fresh = Node::new(cx, rewiring as u32, [0, 1, 2, 3].map(|edge: usize| old.edges[edge].get()));
        fresh.edges[edge].set(cx, Some(to));
        table[from as usize].set(cx, Some(fresh));
    } else {
        old.edges[edge].set(cx, Some(to));
    }
}

/// Adds up everything that the table leads to; the order of the visits does not matter.
fn traverse(m: &mut M, nodes: u32) -> u32 {
    let (mut next, mut count, mut sum) = (0, 0u32, 0u32);
    loop {
        let (_, roots) = m.split();
        for _ in 0..BATCH {
            let Some(found) = roots.stack.pop() else {
                if next == nodes {
                    return sum.wrapping_add(count.wrapping_mul(2_654_435_761));
                }
                let start = node(roots.table(), next);
                next += 1;
                if start.visit() {
                    roots.stack.push(start);
                }
                continue;
            };
            count += 1;
            sum = sum.wrapping_add(found.value.wrapping_mul(31)).wrapping_add(7);
            for edge in &found.edges {
                let to = edge.get().expect("every edge was wired");
                if to.visit() {
                    roots.stack.push(to);
                }
            }
        }
        m.safepoint();
    }
}

#[inline]
fn node<'gc>(table: Table<'gc>, index: u32) -> Gc<'gc, Node<'gc>> {
    table[index as usize].get().expect("the table was filled")
}
