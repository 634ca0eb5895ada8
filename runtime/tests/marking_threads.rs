//! Marking cycles beside many threads that share one graph: weak edges, locks, large arrays and scavenges in between.
//!
//! Verification is on: after every finishing stop an independent trace must find every reachable old object marked, and
//! before and after every collection the whole heap is walked.
#![forbid(unsafe_code)]
use orinoco::{Bytes, Cx, Field, Gc, Heap, HeapConfig, Lock, Root, Slot, Trace, Weak};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Trace)]
struct Cell<'gc> {
    key: u64,
    left: Field<'gc, Cell<'gc>>,
    right: Field<'gc, Cell<'gc>>,
    seen: AtomicU64,
}

#[derive(Trace)]
struct Shared<'gc> {
    /// Large: it has regions of its own, and is born old.
    wide: Gc<'gc, [Slot<Option<Gc<'gc, Cell<'gc>>>>]>,
    recent: Lock<Vec<Gc<'gc, Cell<'gc>>>>,
    watched: Lock<Vec<(Gc<'gc, Cell<'gc>>, Weak<'gc, Cell<'gc>>)>>,
}

const WIDE: usize = 40_000;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

fn cell<'gc>(cx: &'gc Cx, key: u64) -> Gc<'gc, Cell<'gc>> {
    cx.alloc(Cell { key, left: Field::null(), right: Field::null(), seen: AtomicU64::new(0) })
}

/// One thread's turn between two safepoints.
fn turn<'gc>(cx: &'gc Cx, shared: Gc<'gc, Shared<'gc>>, random: &mut Random) {
    for _ in 0..64 {
        let (i, j) = (random.below(WIDE), random.below(WIDE));
        let fresh = cell(cx, i as u64);
        fresh.left.set(cx, shared.wide[j].get());
        if let Some(old) = shared.wide[i].get() {
            assert_eq!(old.key, i as u64, "a slot of the wide array holds another's cell");
            fresh.right.set(cx, old.left.get());
            old.left.clear();
            old.seen.fetch_add(1, Relaxed);
        }
        shared.wide[i].set(cx, Some(fresh));
        if random.below(4) == 0 {
            let mut recent = shared.recent.lock(cx);
            if recent.len() > 500 {
                recent.clear();
            }
            recent.push(fresh);
        }
        if random.below(16) == 0 {
            let mut watched = shared.watched.lock(cx);
            if watched.len() > 200 {
                watched.truncate(20);
            }
            watched.push((fresh, cx.weak(fresh)));
        }
    }
    let watched = shared.watched.lock(cx);
    for (strong, weak) in watched.iter() {
        let seen = weak.upgrade(cx).expect("what is watched is held beside it");
        assert!(Gc::ptr_eq(seen, *strong));
    }
}

fn run(config: HeapConfig, threads: usize, cycles: u64, seed: u64) {
    let heap = Heap::new(config.verify(true).initial_old(Bytes::mib(2)).nursery(Bytes::mib(1))).unwrap();
    let shared: Root<Shared<'static>> = heap.enter((), |m| {
        let wide = m.alloc_slice(WIDE, |_| Slot::new(None));
        m.root(m.alloc(Shared { wide, recent: Lock::new(Vec::new()), watched: Lock::new(Vec::new()) }))
    });
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (heap, shared) = (&heap, &shared);
            scope.spawn(move || {
                let mut random = Random(seed * 1000 + thread as u64);
                heap.enter((), |m| {
                    let mut turns = 0;
                    while heap.statistics().full_collections < cycles {
                        turns += 1;
                        assert!(turns < 100_000, "seed {seed}: marking never ends");
                        turn(m, shared.get(m), &mut random);
                        if turns % 3 == 0 {
                            m.end_turn();
                        }
                        m.safepoint();
                        if turns % 50 == 0 {
                            m.park(std::thread::yield_now);
                        }
                    }
                });
            });
        }
    });
    heap.enter((), |m| {
        m.collect();
        let shared = shared.get(m);
        for (i, slot) in shared.wide.iter().enumerate() {
            assert!(slot.get().is_none_or(|c| c.key == i as u64));
        }
    });
}

#[test]
fn four_threads_lose_nothing_while_helpers_mark() {
    run(HeapConfig::new().helpers(2), 4, 3, 1);
}

#[test]
fn two_threads_lose_nothing_without_helpers() {
    run(HeapConfig::new().helpers(0), 2, 3, 2);
}

#[test]
fn four_threads_lose_nothing_when_every_collection_is_one_stop() {
    run(HeapConfig::new().helpers(1).concurrent_marking(false).incremental_marking(false), 4, 3, 3);
}
