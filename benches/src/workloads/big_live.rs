//! `big_live`: a large live heap that changes slowly, under steady allocation.
//!
//! 65 536 complete trees of 255 nodes for each GiB; every tick builds one more tree, walks a random live path and
//! writes a number at its end, and every fourth tick replaces a random live tree by the new one. Pauses that grow
//! with the live heap grow here. The checksum adds fields of new, replaced and remaining trees.

use orinoco::{Cx, Field, Gc, Mutator, Slot, Trace};

use super::Profile;
use super::part::Part;

/// See [`Profile`].
pub const PROFILE: Profile = Profile {
    default_size: 1.0,
    unit: "GiB of live data",
    largest: 4096.0,
    smallest_share: 1.0 / TREES_A_GIB,
    even_steps: true,
    live_bytes: |size, _| TREES_A_GIB * size * (255.0 * 72.0 + 8.0),
};

const TREES_A_GIB: f64 = 65_536.0;
const TICKS: f64 = 400_000.0;
const DEPTH: u32 = 7;

#[derive(Trace)]
struct Node<'gc> {
    left: Option<Gc<'gc, Node<'gc>>>,
    right: Option<Gc<'gc, Node<'gc>>>,
    value: i64,
    // Read by nobody, like the last three words; they make the node as large as it is meant to be.
    _depth: i64,
    touched: Slot<i64>,
    _rest: [i64; 3],
}

type Table<'gc> = Gc<'gc, [Field<'gc, Node<'gc>>]>;

/// The table.
#[derive(Trace, Default)]
#[trace(root)]
pub struct Roots<'gc> {
    table: Option<Table<'gc>>,
}

impl<'gc> Roots<'gc> {
    #[inline]
    fn table(&self) -> Table<'gc> {
        self.table.expect("the table is made first")
    }
}

type M = Mutator<Roots<'static>>;

/// One thread's run, with live data of its own.
pub fn mutate(m: &mut M, part: &mut Part) {
    let trees = part.share(TREES_A_GIB * part.size) as u32;
    let ticks = part.share(TICKS * (part.size / 2.0).max(1.0));
    part.building(|part| build_all(m, part, trees));

    let mut sum = 0;
    part.gaps.start();
    for tick in 0..ticks {
        let (cx, roots) = m.split();
        let table = roots.table();
        let fresh = build(cx, DEPTH, (tick & 0xffff) as u32);
        sum += left_spine(fresh).map(|node| node.value & 15).sum::<i64>();
        let slot = part.random.below(trees) as usize;
        let live = tree(table, slot);
        end_of_path(live, part.random.step() >> 8).touched.set(cx, (tick & 0xff) as i64);
        if tick & 3 == 3 {
            sum += live.value & 15;
            table[slot].set(cx, Some(fresh));
        }
        m.safepoint();
        part.gaps.mark();
    }
    part.operations = ticks;

    for index in 0..trees as usize {
        let (_, roots) = m.split();
        sum += left_spine(tree(roots.table(), index)).map(|node| (node.value & 15) + node.touched.get()).sum::<i64>();
        m.safepoint();
    }
    part.checksum = sum as u64;
}

fn build_all(m: &mut M, part: &mut Part, trees: u32) {
    {
        let (cx, roots) = m.split();
        roots.table = Some(cx.alloc_slice(trees as usize, |_| Field::null()));
    }
    part.build_gaps.start();
    for index in 0..trees {
        let (cx, roots) = m.split();
        roots.table()[index as usize].set(cx, Some(build(cx, DEPTH, index & 0xffff)));
        m.safepoint();
        part.build_gaps.mark();
    }
}

fn build<'gc>(cx: &'gc Cx, depth: u32, value: u32) -> Gc<'gc, Node<'gc>> {
    let (left, right) = match depth {
        0 => (None, None),
        _ => (Some(build(cx, depth - 1, value)), Some(build(cx, depth - 1, value + 1))),
    };
    let (value, depth) = (i64::from(value), i64::from(depth));
    cx.alloc(Node { left, right, value, _depth: depth, touched: Slot::new(0), _rest: [0; 3] })
}

fn left_spine<'gc>(top: Gc<'gc, Node<'gc>>) -> impl Iterator<Item = Gc<'gc, Node<'gc>>> {
    std::iter::successors(Some(top), |node| node.left)
}

/// Follows the bits of `path`, a one to the right, down to a leaf.
fn end_of_path<'gc>(mut node: Gc<'gc, Node<'gc>>, mut path: u32) -> Gc<'gc, Node<'gc>> {
    while let (Some(left), Some(right)) = (node.left, node.right) {
        node = if path & 1 == 1 { right } else { left };
        path >>= 1;
    }
    node
}

#[inline]
fn tree<'gc>(table: Table<'gc>, index: usize) -> Gc<'gc, Node<'gc>> {
    table[index].get().expect("the table was filled")
}
