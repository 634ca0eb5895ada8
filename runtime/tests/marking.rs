//! Whole marking cycles beside a program that keeps changing the graph, under every combination of switches.
//!
//! Verification is on: before a cycle ends, an independent trace must find every reachable old object marked (V5).
#![forbid(unsafe_code)]
use orinoco::{Bytes, Cx, Field, Gc, Heap, HeapConfig, Lock, Trace, Weak};

#[derive(Trace)]
struct Node<'gc> {
    id: u64,
    next: Field<'gc, Node<'gc>>,
    weak: Field<'gc, Watch<'gc>>,
    kids: Lock<Vec<Gc<'gc, Node<'gc>>>>,
    _ballast: [u64; 12],
}

#[derive(Trace)]
struct Watch<'gc> {
    target: Weak<'gc, Node<'gc>>,
}

#[derive(Trace, Default)]
#[trace(root)]
struct Table<'gc> {
    nodes: Vec<Gc<'gc, Node<'gc>>>,
}

fn node<'gc>(cx: &'gc Cx, id: u64) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node { id, next: Field::null(), weak: Field::null(), kids: Lock::new(Vec::new()), _ballast: [id; 12] })
}

fn lcg(x: &mut u64) -> usize {
    *x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*x >> 33) as usize
}

/// Churns a table of nodes until `cycles` marking cycles have ended; every node knows its neighbour, and watches it.
fn churn(config: HeapConfig, cycles: u64, seed: u64) {
    const NODES: usize = 3_000;
    let heap = Heap::new(config.verify(true).initial_old(Bytes::mib(1)).nursery(Bytes::mib(1))).unwrap();
    let mut x = seed;
    heap.enter(Table::default(), |m| {
        {
            let (cx, table) = m.split();
            table.nodes = (0..NODES as u64).map(|id| node(cx, id)).collect();
        }
        let mut rounds = 0;
        while heap.statistics().full_collections < cycles {
            rounds += 1;
            assert!(rounds < 20_000, "seed {seed}: marking never ends");
            let (cx, table) = m.split();
            for _ in 0..300 {
                let (i, j, k) = (lcg(&mut x) % NODES, lcg(&mut x) % NODES, lcg(&mut x) % NODES);
                let fresh = node(cx, table.nodes[i].id);
                let neighbour = table.nodes[j];
                if lcg(&mut x).is_multiple_of(2) {
                    // Otherwise everything that ever was would be somebody's neighbour's neighbour.
                    neighbour.next.set(cx, None);
                    neighbour.kids.lock(cx).clear();
                }
                fresh.next.set(cx, Some(neighbour));
                fresh.weak.set(cx, Some(cx.alloc(Watch { target: cx.weak(neighbour) })));
                let mut kids = table.nodes[k].kids.lock(cx);
                kids.clear();
                kids.push(neighbour);
                drop(kids);
                table.nodes[i] = fresh;
            }
            for _ in 0..50 {
                let n = table.nodes[lcg(&mut x) % NODES];
                if let (Some(next), Some(watch)) = (n.next.get(), n.weak.get()) {
                    let seen = watch.target.upgrade(cx);
                    assert!(
                        seen.is_some_and(|s| Gc::ptr_eq(s, next)),
                        "seed {seed}, round {rounds}: a weak reference to a live object was cleared"
                    );
                }
                let kids = n.kids.lock(cx);
                assert!(kids.iter().all(|k| (k.id as usize) < NODES && k._ballast == [k.id; 12]));
            }
            m.end_turn();
            m.safepoint();
        }
    });
}

/// A weak reference from an old cell, or a young one, to a young object used to be cleared by the stop that ends a
/// marking cycle: the marker leaves young objects alone, and took them for dead because it had not marked them.
#[test]
fn a_weak_reference_to_a_young_object_outlives_the_end_of_a_marking_cycle() {
    churn(HeapConfig::new().helpers(0), 3, 1);
}

#[test]
fn nothing_live_is_lost_while_helpers_mark() {
    churn(HeapConfig::new().helpers(2), 4, 2);
}

#[test]
fn nothing_live_is_lost_while_helpers_mark_and_mutators_take_no_steps() {
    churn(HeapConfig::new().helpers(1).incremental_marking(false), 4, 3);
}

#[test]
fn nothing_live_is_lost_when_only_mutators_mark() {
    churn(HeapConfig::new().helpers(1).concurrent_marking(false), 4, 4);
}

#[test]
fn nothing_live_is_lost_in_one_stop() {
    churn(HeapConfig::new().helpers(1).concurrent_marking(false).incremental_marking(false), 4, 5);
}

#[test]
fn nothing_live_is_lost_when_scavenges_are_not_shared() {
    churn(HeapConfig::new().helpers(2).parallel_scavenge(false), 4, 6);
}

#[test]
fn a_collection_asked_for_in_the_midst_of_marking_ends_the_cycle_first() {
    let heap = Heap::new(HeapConfig::new().helpers(0).verify(true).initial_old(Bytes::mib(1)).nursery(Bytes::mib(1)));
    let heap = heap.unwrap();
    heap.enter(Table::default(), |m| {
        for round in 0..200 {
            {
                let (cx, table) = m.split();
                (0..200).for_each(|i| table.nodes.push(node(cx, round * 200 + i)));
            }
            m.safepoint();
            if round % 37 == 5 {
                m.collect();
            }
            if round % 61 == 7 {
                m.collect_compact();
            }
        }
        let (_, table) = m.split();
        assert!(table.nodes.iter().enumerate().all(|(i, n)| n.id == i as u64));
    });
}

/// The kinds and tallies of every collection, in order.
#[derive(Default)]
struct Diary(std::sync::Mutex<Vec<String>>);

impl orinoco::Observer for Diary {
    fn event(&self, event: &orinoco::Event) {
        if let orinoco::Event::Pause(r) = event {
            let line =
                format!("{:?} {:?} {} {} {} {}", r.kind, r.cause, r.old_before, r.old_after, r.copied, r.promoted);
            self.0.lock().unwrap().push(line);
        }
    }
}

#[test]
fn one_seed_replays_the_same_collections_and_another_does_not() {
    let diary = |seed| {
        let diary = std::sync::Arc::new(Diary::default());
        churn(HeapConfig::new().deterministic(seed).observer(diary.clone()), 3, 7);
        std::mem::take(&mut *diary.0.lock().unwrap())
    };
    let first = diary(11);
    assert!(first.iter().any(|line| line.starts_with("MarkStart")), "the seed began no marking");
    assert_eq!(first, diary(11));
    assert_ne!(first, diary(12));
}

#[test]
fn nothing_live_is_lost_under_any_of_many_seeds() {
    for seed in 100..104 {
        churn(HeapConfig::new().deterministic(seed), 2, seed);
    }
}

/// Without steps and without helpers a marking that was asked for once began, and never ended.
#[test]
fn a_collection_that_is_begun_ends_whoever_may_mark() {
    for (helpers, concurrent, incremental) in [(0, true, true), (0, true, false), (1, false, true), (1, false, false)] {
        let config = HeapConfig::new().nursery(Bytes::mib(1)).verify(true);
        let config = config.helpers(helpers).concurrent_marking(concurrent).incremental_marking(incremental);
        let heap = Heap::new(config).unwrap();
        heap.enter((), |m| {
            m.begin_collection();
            for _ in 0..10_000 {
                if heap.statistics().full_collections > 0 {
                    return;
                }
                for _ in 0..1000 {
                    m.alloc([0u64; 7]);
                }
                m.safepoint();
            }
            panic!("helpers {helpers}, concurrent {concurrent}, steps {incremental}: {:?}", heap.statistics());
        });
    }
}
