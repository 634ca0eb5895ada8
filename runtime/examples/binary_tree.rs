//! A binary tree: heap types carry `'gc`, and a helper that takes `&'gc Cx` cannot collect, so it roots nothing.
#![forbid(unsafe_code)]
use orinoco::{Cx, Gc, Heap, HeapConfig, HeapError, Trace};

/// The fields are immutable once the node exists: plain references, with no barrier and no atomics.
#[derive(Trace)]
struct Tree<'gc> {
    left: Option<Gc<'gc, Tree<'gc>>>,
    right: Option<Gc<'gc, Tree<'gc>>>,
    depth: u32,
}

fn build<'gc>(cx: &'gc Cx, depth: u32) -> Gc<'gc, Tree<'gc>> {
    let children = depth.checked_sub(1).map(|d| (build(cx, d), build(cx, d)));
    cx.alloc(Tree { left: children.map(|c| c.0), right: children.map(|c| c.1), depth })
}

fn count(tree: Gc<'_, Tree<'_>>) -> u64 {
    1 + tree.left.map_or(0, count) + tree.right.map_or(0, count)
}

fn main() -> Result<(), HeapError> {
    const DEPTH: u32 = 14;
    let heap = Heap::new(HeapConfig::new())?;
    heap.enter((), |m| {
        let long_lived = {
            let tree = build(m, DEPTH);
            m.root(tree)
        };
        let before = Gc::addr(long_lived.get(m));
        for _ in 0..40 {
            let short_lived = build(m, DEPTH - 2);
            assert_eq!(count(short_lived), (1 << (DEPTH - 1)) - 1);
            m.safepoint(); // `short_lived` cannot be used from here on: the borrow checker sees to it
        }
        m.collect();
        let tree = long_lived.get(m);
        assert_eq!(count(tree), (1 << (DEPTH + 1)) - 1);
        assert_eq!(tree.depth, DEPTH);
        assert_ne!(before, Gc::addr(tree));
        println!("{} nodes alive, moved from {before:#x} to {:#x}", count(tree), Gc::addr(tree));
    });
    let statistics = heap.statistics();
    println!("{} scavenges, {} full collections", statistics.scavenges, statistics.full_collections);
    Ok(())
}
