//! Eight threads that allocate without end, on heaps of 16, 64 and 256 MiB in turn: each is refused, lets go, and then
//! does a piece of work to its end.
//!
//! ```text
//!   all:  grow ──refused──▶ let go ─┤ everybody was refused ├─ work, collecting when refused ─┤ everybody is done ├─▶ round
//!                                                                                               one: nothing is left
//! ```

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use orinoco::{AllocError, Bytes, Cx, Field, Gc, Heap, Root, Trace};

use super::context::Context;
use super::play::Plain;

#[derive(Trace)]
struct Node<'gc> {
    left: Field<'gc, Node<'gc>>,
    right: Field<'gc, Node<'gc>>,
    number: u64,
    name: Box<str>,
}

/// Threads.
const THREADS: usize = 8;
/// Rounds, if there is the time for them.
const ROUNDS: u64 = 1000;
/// Limits, in MiB.
const LIMITS: [usize; 3] = [16, 64, 256];
/// Depth of the tree that is each thread's work.
const DEPTH: u32 = 10;

/// Runs the scenario.
///
/// # Errors
/// When work is refused that fits, or something is left over.
pub fn run(context: &Context) -> Result<()> {
    let heaps: Vec<Heap> =
        LIMITS.iter().map(|mib| context.heap_with(|c| c.limit(Bytes::mib(*mib)))).collect::<Result<_>>()?;
    let refusals = AtomicU64::new(0);
    let mut rounds = 0;
    let mut early = None;
    while rounds < ROUNDS && (rounds < 6 || !context.is_over()) {
        round(&heaps[rounds as usize % heaps.len()], rounds, &refusals)?;
        rounds += 1;
        if rounds == 6 {
            early = heaps[0].memory_usage().rss;
        }
    }
    let line = &context.lines[0];
    line.turns.fetch_add(rounds, Relaxed);
    line.refusals.fetch_add(refusals.load(Relaxed), Relaxed);
    let rss = heaps[0].memory_usage().rss.context("this system does not tell the resident set")?.get() >> 20;
    let early = early.map_or(rss, |early| early.get() >> 20);
    context.note("rounds", rounds);
    context.note("rss_after_6_rounds_mib", early);
    context.note("rss_after_all_rounds_mib", rss);
    Ok(())
}

fn round(heap: &Heap, number: u64, refusals: &AtomicU64) -> Result<()> {
    let meet = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS as u64)
            .map(|index| {
                let meet = &meet;
                scope.spawn(move || {
                    heap.enter((), |m| {
                        let refused = grow(m);
                        refusals.fetch_add(1, Relaxed);
                        m.park(|| meet.wait());
                        let worked = work(m, number * 8 + index);
                        m.park(|| meet.wait());
                        ensure!(
                            matches!(refused, AllocError::LimitReached | AllocError::HeapFull),
                            "the refusal was {refused:?}"
                        );
                        worked
                    })
                })
            })
            .collect();
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        for done in ended {
            match done {
                Ok(done) => done?,
                Err(_) => bail!("a thread panicked in round {number}"),
            }
        }
        Ok(())
    })?;
    heap.enter((), |m| {
        m.collect();
        let left = m.verify();
        ensure!(left.objects == 0, "{} objects are left after round {number}", left.objects);
        Ok(())
    })
}

/// Allocates without end: until it is refused, and then lets go of everything.
fn grow(m: &mut Plain) -> AllocError {
    let mut all: Vec<Root<Node<'static>>> = Vec::new();
    loop {
        for _ in 0..64 {
            let next = all.last().map(|root| root.get(m));
            match node(m, next, None, 0) {
                Ok(node) if all.len() < 64 => all.push(m.root(node)),
                Ok(node) => all[63].set(m, node),
                Err(refused) => return refused,
            }
        }
        m.safepoint();
    }
}

/// Builds a tree and adds it up. What is refused once is asked for once more after a collection; then it has to fit.
fn work(m: &mut Plain, seed: u64) -> Result<()> {
    let mut trees = Vec::new();
    for at in 0..4 {
        let tree = m.attempt(|cx, ()| Ok(cx.root(tree(cx, DEPTH, seed + at)?)));
        trees.push(tree.with_context(|| format!("tree {at} of {seed} was refused after a collection"))?);
        m.safepoint();
    }
    for (tree, at) in trees.iter().zip(0..) {
        let (nodes, sum) = add_up(tree.get(m));
        let expected = (1 << (DEPTH + 1)) - 1;
        ensure!(nodes == expected && sum == expected * (seed + at), "a tree of {nodes} nodes adds up to {sum}");
    }
    Ok(())
}

fn tree<'gc>(cx: &'gc Cx, depth: u32, number: u64) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
    if depth == 0 {
        return node(cx, None, None, number);
    }
    let (left, right) = (tree(cx, depth - 1, number)?, tree(cx, depth - 1, number)?);
    node(cx, Some(left), Some(right), number)
}

fn add_up(node: Gc<'_, Node<'_>>) -> (u64, u64) {
    assert_eq!(*node.name, *format!("node {}", node.number), "a node's own name has changed");
    [node.left.get(), node.right.get()]
        .into_iter()
        .flatten()
        .map(add_up)
        .fold((1, node.number), |(n, sum), (more, s)| (n + more, sum + s))
}

fn node<'gc>(
    cx: &'gc Cx,
    left: Option<Gc<'gc, Node<'gc>>>,
    right: Option<Gc<'gc, Node<'gc>>>,
    number: u64,
) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
    let name = format!("node {number}").into_boxed_str();
    cx.try_alloc(Node { left: Field::new(left), right: Field::new(right), number, name })
}
