//! Small whole heaps with many threads: for schedulers and sanitizers, which see what models of a protocol leave out.
//!
//! Old objects fill the old generation so far that marking begins at once. Mutators then move nodes about between the
//! slots of a shared table and their own pockets, and collect in every way; a thread that is no mutator drops roots
//! meanwhile. At the end each node is there exactly once.

use crate::Bound::Preemptions;
use crate::protocol;
use orinoco::{Attached, Bytes, Cx, Field, Gc, Heap, HeapConfig, Mutator, Root, Slot, Trace};
use orinoco_collector::model::sync::thread;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

protocol! { "heaps":
    nothing_is_lost_while_four_mutators_collect_and_markers_mark (Preemptions(0)),
    nothing_is_lost_while_everything_moves (Preemptions(0)),
    a_heap_outlives_its_mutators_in_any_order (Preemptions(0)),
}

/// Slots of the table, and nodes in them.
const SLOTS: usize = 6;
const MUTATORS: usize = 4;
const ROUNDS: usize = 5;

/// Marking cycles that came to their end, in all runs of this process.
static CYCLES: AtomicU64 = AtomicU64::new(0);

/// How many marking cycles all runs have ended: without any they have shown little.
pub fn cycles() -> u64 {
    CYCLES.load(Relaxed)
}

#[derive(Trace)]
struct Node<'gc> {
    number: u64,
    /// The number again, to see that what is found is a node.
    check: u64,
    next: Field<'gc, Node<'gc>>,
}

type Place<'gc> = Slot<Option<Gc<'gc, Node<'gc>>>>;
type Pocket = Vec<Gc<'static, Node<'static>>>;

fn node<'gc>(cx: &'gc Cx, number: u64) -> Gc<'gc, Node<'gc>> {
    let next = cx.alloc(Node { number, check: !number, next: Field::null() });
    cx.alloc(Node { number, check: !number, next: Field::new(Some(next)) })
}

/// A node's number, after a look at all of it.
fn number(node: Gc<'_, Node<'_>>) -> u64 {
    let next = node.next.get().expect("each node has another behind it");
    assert!(node.check == !node.number && next.check == !next.number, "what was found is no node");
    assert_eq!(node.number, next.number, "a node has another's node behind it");
    node.number
}

/// A heap whose old generation is large enough to be marked, and the table, which is old.
fn begin(config: HeapConfig) -> (Heap, Root<[Place<'static>]>, Root<[u64]>) {
    let config = config.limit(Bytes::mib(8)).nursery(Bytes::kib(256)).initial_old(Bytes::kib(256)).verify(true);
    let heap = Heap::new(config).expect("the configuration is in range");
    let (table, filling) = heap.enter((), |m: &mut Mutator<()>| {
        let roots = {
            let cx: &Cx = m;
            let table = cx.root(cx.alloc_slice(SLOTS, |i| Place::new(Some(node(cx, i as u64)))));
            (table, cx.root(cx.alloc_copy(&[7u64; 40_000])))
        };
        (0..3).for_each(|_| m.collect_young());
        roots
    });
    (heap, table, filling)
}

/// One mutator's work: nodes change places, in the table and out of it.
fn work(mutator: &mut Attached<Pocket>, table: &Root<[Place<'static>]>, me: usize) {
    mutator.run(|m| {
        for round in 0..ROUNDS {
            {
                let (cx, pocket) = m.split();
                let places = table.get(cx);
                let one = &places[(me * 5 + round * 3) % SLOTS];
                let other = &places[(me + round) % SLOTS];
                let taken = one.swap(cx, pocket.pop());
                // Another object with that number: young, in an old table.
                let young = taken.map(|old| if round % 2 == 0 { node(cx, number(old)) } else { old });
                let displaced = other.swap(cx, young);
                pocket.extend(displaced);
                // Two buffers of the nursery: it is used up again and again.
                let _ = cx.alloc([0u64; 8_000]);
            }
            match (me + round) % 7 {
                0 => m.collect_young(),
                1 if me == 1 => m.collect(),
                2 => m.park(thread::yield_now),
                _ => m.safepoint(),
            }
        }
    });
}

/// Everyone works; then each node is there, in the table or in a pocket.
fn everyone(config: HeapConfig) {
    let (heap, table, filling) = begin(config);
    let table = std::sync::Arc::new(table);
    let others: Vec<_> = (1..MUTATORS)
        .map(|me| {
            let (mut mutator, table) = (heap.attach(Pocket::new()), table.clone());
            thread::spawn(move || {
                work(&mut mutator, &table, me);
                mutator
            })
        })
        .collect();
    let dropper = thread::spawn(move || drop(filling));
    let mut mine = heap.attach(Pocket::new());
    work(&mut mine, &table, 0);
    let mut mutators: Vec<_> = others.into_iter().map(|other| other.join().expect("no mutator panics")).collect();
    dropper.join().expect("a root can be dropped anywhere");
    mutators.push(mine);
    let mut found: Vec<u64> = Vec::new();
    for mutator in &mut mutators {
        mutator.run(|m| found.extend(m.split().1.iter().map(|node| number(*node))));
    }
    heap.enter((), |m: &mut Mutator<()>| {
        m.collect();
        let cx: &Cx = m;
        found.extend(table.get(cx).iter().filter_map(|place| place.get()).map(number));
    });
    CYCLES.fetch_add(heap.statistics().full_collections, Relaxed);
    found.sort_unstable();
    assert_eq!(found, (0..SLOTS as u64).collect::<Vec<_>>(), "a node was lost, or is there twice");
}

fn nothing_is_lost_while_four_mutators_collect_and_markers_mark() {
    everyone(HeapConfig::new().helpers(2));
}

fn nothing_is_lost_while_everything_moves() {
    everyone(HeapConfig::new().helpers(1).zeal(orinoco::Zeal::EVERYTHING));
}

/// Mutators, roots and the heap go, each on a thread of its own.
fn a_heap_outlives_its_mutators_in_any_order() {
    let (heap, table, filling) = begin(HeapConfig::new().helpers(1));
    let threads = [
        thread::spawn({
            let heap = heap.clone();
            move || drop(heap.attach(Pocket::new()))
        }),
        thread::spawn({
            let mut mutator = heap.attach(Pocket::new());
            move || mutator.run(|m| m.collect_young())
        }),
        thread::spawn(move || drop((table, filling))),
    ];
    drop(heap);
    threads.into_iter().for_each(|thread| thread.join().expect("nobody panics"));
}
