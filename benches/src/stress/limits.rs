//! Eight threads that allocate without end, on heaps of 16, 64 and 256 MiB in turn: each is refused, lets go, and then
//! does a piece of work to its end.
//!
//! ```text
//!   each: grow ──refused──▶ let go ─┤ everybody was refused ├─ work, collecting when refused ─┤ everybody is done ├─▶ round
//!                                                                                               one: nothing is left
//! ```
//!
//! Nothing may be left at the end of a round, neither in the heap nor outside; and in all rounds the process may not grow.
//! That is looked at when the heaps have given back what they will, and the C library has one arena (see [`child`]): with an
//! arena for each thread it grows for hundreds of rounds, by pages of arenas that hold a little each, while the three heaps
//! hold 3 to 6 MiB.
//!
//! [`child`]: super::child

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use orinoco::{AllocError, Bytes, Cx, Field, Gc, Heap, Root, Trace, Zeal};

use super::context::Context;
use super::play::Plain;
use super::run::message;

#[derive(Trace)]
struct Node<'gc> {
    left: Field<'gc, Node<'gc>>,
    right: Field<'gc, Node<'gc>>,
    words: Field<'gc, [u64]>,
    number: u64,
    name: Box<str>,
}

/// Threads.
const THREADS: usize = 8;
/// Rounds, if there is the time for them.
const ROUNDS: u64 = 1000;
/// Rounds, however little time there is: each limit twice.
const FEWEST: u64 = 6;
/// After so many rounds the process is as large as it gets.
const EARLY: u64 = 100;
/// Limits, in MiB.
const LIMITS: [usize; 3] = [16, 64, 256];
/// Depth of the tree that is each thread's work.
const DEPTH: u32 = 10;

/// Runs the scenario.
///
/// # Errors
/// When work is refused that fits, something is left over, or the process has grown.
pub fn run(context: &Context) -> Result<()> {
    // A heap that walks itself before and after every collection is small, or a round takes minutes.
    let slow = context.options.verify || context.options.zeal != Zeal::OFF;
    let (limits, fewest) = if slow { (&LIMITS[..1], 2) } else { (&LIMITS[..], FEWEST) };
    let open = |mib: &usize| context.heap_with(|config| config.limit(Bytes::mib(*mib)));
    let heaps: Vec<Heap> = limits.iter().map(open).collect::<Result<_>>()?;
    let all = All {
        context,
        heaps,
        round: AtomicU64::new(0),
        over: AtomicBool::new(false),
        faults: Mutex::default(),
        begins: Barrier::new(THREADS + 1),
        refused: Barrier::new(THREADS),
        worked: Barrier::new(THREADS),
        ends: Barrier::new(THREADS + 1),
    };
    let mut resident = Vec::new();
    thread::scope(|scope| {
        let all = &all;
        (0..THREADS as u64).for_each(|index| _ = scope.spawn(move || all.play(index)));
        let mut result = Ok(());
        for number in 0..ROUNDS {
            if result.is_err() || (number >= fewest && context.is_over()) {
                break;
            }
            all.round.store(number, Relaxed);
            all.begins.wait();
            all.ends.wait();
            let heap = all.heap();
            let faults = std::mem::take(&mut *all.faults.lock().expect("nobody panics with this lock"));
            result = match faults.into_iter().next() {
                Some(fault) => Err(anyhow!("{fault}, in round {number}")),
                None => nothing_is_left(heap, number),
            };
            context.lines[0].turns.fetch_add(1, Relaxed);
            if is_looked_at(number + 1) {
                resident.push((number + 1, settled(&all.heaps)?));
            }
        }
        all.over.store(true, Relaxed);
        all.begins.wait();
        let rounds = all.round.load(Relaxed) + 1;
        if !is_looked_at(rounds) {
            resident.push((rounds, settled(&all.heaps)?));
        }
        result
    })?;
    flat(context, &resident)
}

/// What the threads share.
struct All<'a> {
    context: &'a Context,
    heaps: Vec<Heap>,
    /// Written by the one between rounds.
    round: AtomicU64,
    over: AtomicBool,
    faults: Mutex<Vec<String>>,
    begins: Barrier,
    refused: Barrier,
    worked: Barrier,
    ends: Barrier,
}

impl All<'_> {
    fn heap(&self) -> &Heap {
        &self.heaps[self.round.load(Relaxed) as usize % self.heaps.len()]
    }
    /// What one thread does in all rounds. A panic is a fault like any other: whoever does not come to a barrier would leave
    /// the others there.
    fn play(&self, index: u64) {
        loop {
            self.begins.wait();
            if self.over.load(Relaxed) {
                return;
            }
            let number = self.round.load(Relaxed);
            self.heap().enter((), |m| {
                let refused = self.watch(|| Ok(grow(m)));
                m.park(|| self.refused.wait());
                self.context.lines[0].refusals.fetch_add(1, Relaxed);
                self.watch(|| {
                    let expected = matches!(refused, None | Some(AllocError::LimitReached | AllocError::HeapFull));
                    ensure!(expected, "the refusal was {refused:?}");
                    work(m, number * THREADS as u64 + index)
                });
                m.park(|| self.worked.wait());
            });
            self.ends.wait();
        }
    }
    fn watch<T>(&self, part: impl FnOnce() -> Result<T>) -> Option<T> {
        let fault = match catch_unwind(AssertUnwindSafe(part)) {
            Ok(Ok(done)) => return Some(done),
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) => format!("panic: {}", message(&*panic)),
        };
        self.faults.lock().expect("nobody panics with this lock").push(fault);
        None
    }
}

/// Between two rounds.
fn nothing_is_left(heap: &Heap, number: u64) -> Result<()> {
    heap.enter((), |m| {
        m.collect();
        while heap.statistics().values_to_drop > 0 {
            m.safepoint();
        }
        let left = m.verify();
        ensure!(left.objects == 0, "{} objects are left after round {number}", left.objects);
        Ok(())
    })?;
    let external = heap.memory_usage().external;
    ensure!(external == Bytes::new(0), "{external} are owned outside of the heap after round {number}");
    Ok(())
}

/// After which rounds the process's size is looked at; and after the last.
fn is_looked_at(rounds: u64) -> bool {
    rounds == FEWEST || rounds.is_multiple_of(EARLY)
}

/// What the process holds when the heaps have given back what they will: until it has not fallen for a while.
fn settled(heaps: &[Heap]) -> Result<usize> {
    let mut least = usize::MAX;
    let mut since = 0;
    while since < 10 {
        let rss = heaps[0].memory_usage().rss.context("this system does not tell the resident set")?.get() >> 20;
        since = if rss < least { 0 } else { since + 1 };
        least = least.min(rss);
        thread::sleep(Duration::from_millis(100));
    }
    Ok(least)
}

/// Whether the process has grown since its early rounds: by a quarter at most, and 16 MiB.
fn flat(context: &Context, resident: &[(u64, usize)]) -> Result<()> {
    let rounds = resident.last().map_or(0, |(rounds, _)| *rounds);
    context.note("rounds", rounds);
    context.note("rss_mib_after_rounds", resident.iter().map(|(at, rss)| vec![*at, *rss as u64]).collect::<Vec<_>>());
    let early = resident.iter().rfind(|(at, _)| *at <= EARLY && *at < rounds);
    if let (Some((at, early)), Some((_, late))) = (early, resident.last()) {
        let most = early + early / 4 + 16;
        ensure!(*late <= most, "the process has grown from {early} MiB after {at} rounds to {late} MiB after {rounds}");
    }
    Ok(())
}

/// Allocates without end: until it is refused, and then lets go of everything. Half a kibibyte in the heap for each name
/// outside of it: a round is a round of the heap, not of `malloc`.
fn grow(m: &mut Plain) -> AllocError {
    let mut all: Vec<Root<Node<'static>>> = Vec::new();
    loop {
        for count in 0..64 {
            let next = all.last().map(|root| root.get(m));
            let made =
                m.try_alloc_slice(2 * count, |word| word as u64).and_then(|words| node(m, next, None, Some(words), 0));
            match made {
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
        return node(cx, None, None, None, number);
    }
    let (left, right) = (tree(cx, depth - 1, number)?, tree(cx, depth - 1, number)?);
    node(cx, Some(left), Some(right), None, number)
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
    words: Option<Gc<'gc, [u64]>>,
    number: u64,
) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
    let name = format!("node {number}").into_boxed_str();
    cx.try_alloc(Node { left: Field::new(left), right: Field::new(right), words: Field::new(words), number, name })
}
