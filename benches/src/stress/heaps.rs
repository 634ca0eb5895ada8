//! Heaps that are made and dropped all the time, several at once, in the middle of whatever they were doing.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use anyhow::{Result, anyhow, ensure};
use orinoco::{Bytes, Cx, Field, Gc, Heap, Root, Trace};

use super::context::{Context, Line};
use super::dice::Dice;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    number: u64,
}

/// Runs the scenario: each of the context's lines is a thread that makes heap after heap.
///
/// # Errors
/// The first disagreement, or what the system refused.
pub fn run(context: &Context) -> Result<()> {
    thread::scope(|scope| {
        let threads: Vec<_> = context
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| {
                scope.spawn(move || {
                    let mut dice = context.dice(index);
                    while !context.is_over() {
                        one(context, &mut dice, line).inspect_err(|_| context.stop())?;
                        line.turns.fetch_add(1, Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let mut joined = threads.into_iter().map(|thread| thread.join());
        joined.try_for_each(|done| done.map_err(|_| anyhow!("a thread with a heap panicked"))?)
    })
}

/// One heap's life. It ends with handles still alive, and with marking, sweeping or nothing under way.
fn one(context: &Context, dice: &mut Dice, line: &Line) -> Result<()> {
    let config = context.config().limit(Bytes::mib(32)).nursery(Bytes::kib(512)).initial_old(Bytes::mib(1));
    let heap = Heap::new(config.helpers(dice.below(3)))?;
    let lists = 1 + dice.below(60) as u64;
    let kept = heap.enter((), |m| {
        let mut kept: Vec<Root<Node<'static>>> = Vec::new();
        for list in 0..lists {
            kept.push(m.root(build(m, list, 400)?));
            m.safepoint();
            if dice.once_in(4) {
                kept.swap_remove(dice.below(kept.len()));
            }
        }
        for root in &kept {
            let first = root.get(m).number;
            let numbers = std::iter::successors(Some(root.get(m)), |node| node.next.get()).map(|node| node.number);
            ensure!(numbers.eq((0..400).map(|_| first)), "a list of a short-lived heap is broken");
            line.checked(400);
        }
        Ok(kept)
    })?;
    drop(heap);
    // After its heap a handle can still be dropped, and nothing else.
    drop(kept);
    Ok(())
}

fn build<'gc>(cx: &'gc Cx, number: u64, length: usize) -> Result<Gc<'gc, Node<'gc>>> {
    let mut head = cx.try_alloc(Node { next: Field::null(), number })?;
    for _ in 1..length {
        head = cx.try_alloc(Node { next: Field::new(Some(head)), number })?;
    }
    Ok(head)
}
