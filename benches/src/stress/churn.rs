//! Threads that come, work a little, leave what they made to others, and go: hundreds of them.
//!
//! A mutator is also handed from thread to thread between its turns, as a task of a pool is.

use std::thread;

use anyhow::{Result, anyhow, ensure};
use orinoco::{AllocError, Cx, Field, Gc, Heap, Root, Trace};

use super::context::{Context, Line};
use super::dice::Dice;
use super::play::{Plain, spread};

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    number: u64,
}

/// A task's roots; they may go from thread to thread.
#[derive(Trace, Default)]
struct Task<'gc> {
    stack: Vec<Gc<'gc, Node<'gc>>>,
}

/// Runs the scenario.
///
/// # Errors
/// The first disagreement, or what the system refused.
pub fn run(context: &Context) -> Result<()> {
    let heap = context.heap()?;
    spread(context, &heap, |mutator, index, line| {
        let mut dice = context.dice(index);
        let mut threads = 0u64;
        while !context.is_over() {
            threads += mutator.run(|m| wave(&heap, m, &mut dice, line))?;
            line.turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        if index == 0 {
            context.note("threads_of_mutator_0", threads);
        }
        Ok(())
    })?;
    ensure!(heap.mutators() == 0, "{} mutators are attached after all have left", heap.mutators());
    Ok(())
}

/// Some threads come and go, while this mutator waits for them or works on.
fn wave(heap: &Heap, m: &mut Plain, dice: &mut Dice, line: &Line) -> Result<u64> {
    let count = 1 + dice.below(8);
    let works: Vec<(u64, u64)> = (0..count).map(|_| (dice.next(), dice.below(400) as u64)).collect();
    let left = thread::scope(|scope| {
        let threads: Vec<_> =
            works.iter().map(|(seed, length)| scope.spawn(move || visit(heap, *seed, *length))).collect();
        if dice.once_in(2) {
            litter(m, 200)?;
            m.safepoint();
        }
        m.park(|| {
            let joined = threads.into_iter().map(|thread| thread.join());
            joined.map(|done| done.map_err(|_| anyhow!("a visiting thread panicked"))?).collect::<Result<Vec<_>>>()
        })
    })?;
    for (root, (seed, length)) in left.iter().zip(&works) {
        let numbers = std::iter::successors(Some(root.get(m)), |node| node.next.get()).map(|node| node.number);
        ensure!(numbers.eq((0..=*length).map(|at| at ^ seed)), "what a thread left behind is not what it made");
        line.checked(*length as usize);
        m.safepoint();
    }
    Ok(count as u64)
}

/// One thread's visit, and what it leaves: a list made in several turns, the last of them on another thread.
fn visit(heap: &Heap, seed: u64, length: u64) -> Result<Root<Node<'static>>> {
    let mut attached = heap.attach(Task::default());
    for from in (0..length).step_by(100) {
        attached.run(|m| {
            for at in from..length.min(from + 100) {
                let (cx, task) = m.split();
                task.stack.push(cx.try_alloc(Node { next: Field::null(), number: at ^ seed })?);
                m.safepoint();
            }
            Ok::<_, AllocError>(())
        })?;
    }
    thread::scope(|scope| scope.spawn(|| attached.run(|m| join_up(m, length ^ seed))).join())
        .map_err(|_| anyhow!("a handed mutator panicked"))?
}

fn join_up(m: &mut orinoco::Mutator<Task<'static>>, last: u64) -> Result<Root<Node<'static>>> {
    let (cx, task) = m.split();
    let mut head = cx.try_alloc(Node { next: Field::null(), number: last })?;
    while let Some(node) = task.stack.pop() {
        node.next.set(cx, Some(head));
        head = node;
    }
    Ok(cx.root(head))
}

fn litter(cx: &Cx, objects: usize) -> Result<()> {
    for number in 0..objects as u64 {
        cx.try_alloc(Node { next: Field::null(), number })?;
    }
    Ok(())
}
