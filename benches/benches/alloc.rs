//! Allocation, beside what it cannot be cheaper than and what one would use instead.
//!
//! `cells` makes cells of two words; in the heap's rows, polls and the (almost empty) scavenges are included.
//! `trees` builds a tree of 8191 nodes from below and forgets it. An iteration is a whole batch, so the rows to
//! read are those of the throughput.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use orinoco::{Cx, Gc, Trace};
use orinoco_benches::operations::{NURSERY_BYTES, Operation, UNIT};
use orinoco_benches::workloads::heap::{HeapOptions, open};

const DEPTH: u32 = 12;
const TREE_NODES: u64 = (2 << DEPTH) - 1;

fn cells(c: &mut Criterion) {
    let mut group = c.benchmark_group("cells");
    group.throughput(Throughput::Elements(UNIT));
    for operation in [Operation::Bump, Operation::Alloc, Operation::TryAlloc, Operation::AllocAndKeep] {
        operation.with(|repeat| {
            group.bench_function(format!("{operation:?}"), |b| {
                b.iter_custom(|batches| {
                    let begun = Instant::now();
                    repeat(batches * UNIT);
                    begun.elapsed()
                });
            });
        });
    }
    // Three words, for the header that bumpalo does not have.
    let mut bump = bumpalo::Bump::with_capacity(NURSERY_BYTES);
    let mut left = NURSERY_BYTES as u64 / 24 / UNIT;
    group.bench_function("bumpalo", |b| {
        b.iter(|| {
            for value in 0..UNIT {
                black_box(&*bump.alloc([0, value, value]));
            }
            left -= 1;
            if left == 0 {
                bump.reset();
                left = NURSERY_BYTES as u64 / 24 / UNIT;
            }
        });
    });
    group.bench_function("Box", |b| {
        b.iter(|| {
            for value in 0..UNIT {
                black_box(Box::new([value, value]));
            }
        });
    });
    group.finish();
}

#[derive(Trace)]
struct Tree<'gc> {
    _left: Option<Gc<'gc, Tree<'gc>>>,
    _right: Option<Gc<'gc, Tree<'gc>>>,
}

fn on_heap<'gc>(cx: &'gc Cx, depth: u32) -> Gc<'gc, Tree<'gc>> {
    if depth == 0 {
        return cx.alloc(Tree { _left: None, _right: None });
    }
    let left = Some(on_heap(cx, depth - 1));
    let right = Some(on_heap(cx, depth - 1));
    cx.alloc(Tree { _left: left, _right: right })
}

struct Lent<'b> {
    _left: Option<&'b Lent<'b>>,
    _right: Option<&'b Lent<'b>>,
}

fn in_bumpalo(bump: &bumpalo::Bump, depth: u32) -> &Lent<'_> {
    if depth == 0 {
        return bump.alloc(Lent { _left: None, _right: None });
    }
    let left = Some(in_bumpalo(bump, depth - 1));
    let right = Some(in_bumpalo(bump, depth - 1));
    bump.alloc(Lent { _left: left, _right: right })
}

struct Boxed {
    _left: Option<Box<Boxed>>,
    _right: Option<Box<Boxed>>,
}

fn in_boxes(depth: u32) -> Box<Boxed> {
    if depth == 0 {
        return Box::new(Boxed { _left: None, _right: None });
    }
    let left = Some(in_boxes(depth - 1));
    let right = Some(in_boxes(depth - 1));
    Box::new(Boxed { _left: left, _right: right })
}

fn trees(c: &mut Criterion) {
    let mut group = c.benchmark_group("trees");
    group.throughput(Throughput::Elements(TREE_NODES));
    let options = HeapOptions { nursery: Some(NURSERY_BYTES), helpers: Some(0), ..HeapOptions::default() };
    open(&options).expect("a small heap can be opened").enter((), |m| {
        group.bench_function("Orinoco", |b| {
            b.iter(|| {
                black_box(&*on_heap(m, DEPTH));
                m.safepoint();
            });
        });
    });
    let mut bump = bumpalo::Bump::with_capacity(NURSERY_BYTES);
    group.bench_function("bumpalo", |b| {
        b.iter(|| {
            black_box(in_bumpalo(&bump, DEPTH));
            bump.reset();
        });
    });
    group.bench_function("Box", |b| b.iter(|| black_box(in_boxes(DEPTH))));
    group.finish();
}

criterion_group!(benches, cells, trees);
criterion_main!(benches);
