//! Single operations in loops: what Criterion times and callgrind counts.
//!
//! Each operation comes with its bar, the same loop around the least that the operation must do: an allocation
//! beside [`bump`], a store beside a release store, a poll beside an empty loop. So the difference of two rows is
//! the collector's price. A loop takes its pointers from arrays, lest the compiler work out a barrier's answer
//! once for all.

use std::array;
use std::hint::black_box;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Release};

use clap::ValueEnum;
use orinoco::{Cx, Field, Gc, Mutator, Trace, safepoint};

use crate::workloads::heap::{HeapOptions, open};
use bump::{Bump, Memory};

pub mod bump;

/// Nursery of the heap, and memory of the bump allocator.
pub const NURSERY_BYTES: usize = 1 << 20;
/// Allocations between two polls.
const BATCH: u64 = 64;
/// Hosts and values that the stores go through.
const NODES: usize = 256;
/// A number of repetitions should be a multiple of this one; less than that is left out.
pub const UNIT: u64 = 256;

/// What is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// The loop alone
    Empty,
    /// A cell of two words and a header, from a bare bump allocator
    Bump,
    /// The same cell from the heap, a poll every 64
    Alloc,
    /// The same, with the error path of `try_alloc`
    TryAlloc,
    /// The same, with a poll each time that keeps the list alive
    AllocAndKeep,
    /// A release store of a pointer
    Store,
    /// `Slot::set`, host and value young
    SetYoungYoung,
    /// `Slot::set`, host young, value old
    SetYoungOld,
    /// `Slot::set`, host and value old
    SetOldOld,
    /// `Slot::set`, host old and value young: the slot is remembered
    SetOldYoung,
    /// An acquire load of a pointer
    Load,
    /// `Slot::get`
    Get,
    /// A safepoint with nothing to do
    Poll,
}

#[derive(Trace)]
struct Cell<'gc> {
    next: Option<Gc<'gc, Cell<'gc>>>,
    value: u64,
}

#[derive(Trace)]
struct Node<'gc> {
    link: Field<'gc, Node<'gc>>,
}

/// Nodes that have become old.
#[derive(Trace, Default)]
#[trace(root)]
struct Roots<'gc> {
    old: Vec<Gc<'gc, Node<'gc>>>,
}

type M = Mutator<Roots<'static>>;
/// Something that repeats an operation so many times.
pub type Repeat<'a> = &'a mut dyn FnMut(u64);

impl Operation {
    /// Prepares the operation, lends out what repeats it, and cleans up.
    ///
    /// # Panics
    /// If no heap can be opened.
    pub fn with(self, measure: impl FnOnce(Repeat<'_>)) {
        match self {
            Self::Empty => measure(&mut empty),
            Self::Bump => {
                let memory = Memory::new(NURSERY_BYTES);
                let mut bump = Bump::new(&memory);
                measure(&mut |times| from_bump(&mut bump, times));
            }
            Self::Store | Self::Load => {
                let targets: [usize; NODES] = array::from_fn(|i| i + 1);
                let slots: [AtomicUsize; NODES] = array::from_fn(AtomicUsize::new);
                let slots = slots.each_ref();
                match self {
                    Self::Store => measure(&mut |times| store(&slots, &targets, times)),
                    _ => measure(&mut |times| load(&slots, times)),
                }
            }
            _ => with_mutator(|m| self.on_heap(m, measure)),
        }
    }

    fn on_heap(self, m: &mut M, measure: impl FnOnce(Repeat<'_>)) {
        match self {
            Self::Alloc => measure(&mut |times| alloc(m, times)),
            Self::TryAlloc => measure(&mut |times| try_alloc(m, times)),
            Self::AllocAndKeep => measure(&mut |times| alloc_and_keep(m, times)),
            Self::Poll => measure(&mut |times| poll(m, times)),
            _ => {
                let (cx, roots) = m.split();
                let young: [Gc<'_, Node<'_>>; NODES] = array::from_fn(|_| Node::new(cx));
                let old: [Gc<'_, Node<'_>>; NODES] = array::from_fn(|i| roots.old[i]);
                let (hosts, values) = match self {
                    Self::SetYoungYoung => (young, young),
                    Self::SetYoungOld => (young, old),
                    Self::SetOldYoung => (old, young),
                    _ => (old, old),
                };
                match self {
                    Self::Get => {
                        set(cx, &hosts, &values, UNIT);
                        measure(&mut |times| get(&hosts, times));
                    }
                    _ => measure(&mut |times| set(cx, &hosts, &values, times)),
                }
            }
        }
    }
}

impl<'gc> Node<'gc> {
    fn new(cx: &'gc Cx) -> Gc<'gc, Self> {
        cx.alloc(Self { link: Field::null() })
    }
}

/// A mutator of a new heap, with old nodes in its roots.
fn with_mutator(body: impl FnOnce(&mut M)) {
    let options = HeapOptions { nursery: Some(NURSERY_BYTES), helpers: Some(0), ..HeapOptions::default() };
    let heap = open(&options).expect("a small heap can be opened");
    heap.enter(Roots::default(), |m| {
        {
            let (cx, roots) = m.split();
            roots.old = (0..NODES).map(|_| Node::new(cx)).collect();
        }
        for _ in 0..3 {
            m.collect(); // whatever the rule of promotion is, three collections make an object old
        }
        body(m);
    });
}

#[inline(never)]
fn empty(times: u64) {
    for _ in 0..times {
        black_box(());
    }
}

#[inline(never)]
fn from_bump<'m>(bump: &mut Bump<'m>, times: u64) {
    for _ in 0..times / BATCH {
        let mut list = None;
        for value in 0..BATCH {
            list = Some(bump.alloc(list, value));
        }
        black_box(list);
    }
}

#[inline(never)]
fn alloc(m: &mut M, times: u64) {
    for _ in 0..times / BATCH {
        let cx: &Cx = m;
        let mut list = None;
        for value in 0..BATCH {
            list = Some(cx.alloc(Cell { next: list, value }));
        }
        black_box(list.map(|cell| cell.value));
        m.safepoint();
    }
}

#[inline(never)]
fn try_alloc(m: &mut M, times: u64) {
    for _ in 0..times / BATCH {
        let cx: &Cx = m;
        let mut list = None;
        for value in 0..BATCH {
            let Ok(cell) = cx.try_alloc(Cell { next: list, value }) else { break };
            list = Some(cell);
        }
        black_box(list.map(|cell| cell.value));
        m.safepoint();
    }
}

#[inline(never)]
fn alloc_and_keep(m: &mut M, times: u64) {
    for _ in 0..times / BATCH {
        let mut list = None;
        for value in 0..BATCH {
            let cell = m.alloc(Cell { next: list, value });
            let cell = safepoint!(m; cell);
            list = Some(cell);
        }
    }
}

#[inline(never)]
fn store(slots: &[&AtomicUsize; NODES], values: &[usize; NODES], times: u64) {
    for _ in 0..times / UNIT {
        for (slot, value) in slots.iter().zip(values) {
            slot.store(*value, Release);
            black_box(());
        }
    }
}

#[inline(never)]
fn set<'gc>(cx: &'gc Cx, hosts: &[Gc<'gc, Node<'gc>>; NODES], values: &[Gc<'gc, Node<'gc>>; NODES], times: u64) {
    for _ in 0..times / UNIT {
        for (host, value) in hosts.iter().zip(values) {
            host.link.set(cx, Some(*value));
            black_box(()); // lest this loop be unrolled and its bar not, or the other way round
        }
    }
}

#[inline(never)]
fn load(slots: &[&AtomicUsize; NODES], times: u64) {
    for _ in 0..times / UNIT {
        for slot in slots {
            black_box(slot.load(Acquire));
        }
    }
}

#[inline(never)]
fn get<'gc>(hosts: &[Gc<'gc, Node<'gc>>; NODES], times: u64) {
    for _ in 0..times / UNIT {
        for host in hosts {
            black_box(host.link.get());
        }
    }
}

#[inline(never)]
fn poll(m: &mut M, times: u64) {
    for _ in 0..times {
        m.safepoint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_can_be_prepared_and_repeated() {
        for operation in Operation::value_variants() {
            let mut measured = false;
            operation.with(|repeat| {
                repeat(UNIT);
                repeat(4 * UNIT);
                measured = true;
            });
            assert!(measured, "{operation:?}");
        }
    }

    #[test]
    fn the_loops_do_what_their_names_say() {
        with_mutator(|m| {
            let (cx, roots) = m.split();
            let old: [Gc<'_, Node<'_>>; NODES] = array::from_fn(|i| roots.old[i]);
            let young: [Gc<'_, Node<'_>>; NODES] = array::from_fn(|_| Node::new(cx));
            assert!(old.iter().all(|node| node.link.get().is_none()));
            set(cx, &old, &young, UNIT);
            m.collect();
            let (_, roots) = m.split();
            assert!(roots.old.iter().all(|node| node.link.get().is_some()), "a young value was lost");
        });

        let slots: [AtomicUsize; NODES] = array::from_fn(AtomicUsize::new);
        store(&slots.each_ref(), &[7; NODES], UNIT);
        assert!(slots.iter().all(|slot| slot.load(Acquire) == 7));
    }
}
