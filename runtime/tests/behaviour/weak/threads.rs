//! Weak references, tables and registries in the hands of several threads at once.
use super::*;

#[test]
fn threads_register_upgrade_unregister_and_collect_at_once() {
    let heap = heap();
    let registry = heap.enter((), |m| {
        let registry = FinalizationRegistry::<u64>::new(m);
        m.root(registry)
    });
    let map = heap.enter((), |m| {
        let map = Map::new(m);
        m.root(map)
    });
    let rounds = 3000u64;
    let polled = std::thread::scope(|s| {
        let workers: Vec<_> = (0..3u64)
            .map(|t| {
                let (heap, registry, map) = (&heap, &registry, &map);
                s.spawn(move || {
                    heap.enter((), |m| {
                        let mut polled = 0u64;
                        for i in 0..rounds {
                            {
                                let cx: &Cx = m;
                                let (target, token) = (node(cx, i), node(cx, t));
                                let weak = cx.weak(target);
                                registry.get(cx).register_with(cx, target, t * rounds + i, token);
                                map.get(cx).insert(cx, target, token);
                                if i % 3 == 0 {
                                    assert_eq!(registry.get(cx).unregister(cx, token), 1);
                                }
                                assert!(weak.upgrade(cx).is_some_and(|n| Gc::ptr_eq(n, target)));
                                assert!(map.get(cx).get(cx, target).is_some_and(|v| v.v == t));
                                polled += u64::from(registry.get(cx).poll(cx).is_some());
                            }
                            m.safepoint();
                            if i % 200 == t {
                                m.collect_young();
                            }
                            if i % 1000 == t {
                                m.collect();
                            }
                        }
                        polled
                    })
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap()).sum::<u64>()
    });
    heap.enter((), |m| {
        m.collect();
        m.verify();
        let rest = std::iter::from_fn(|| registry.get(m).poll(m)).count() as u64;
        assert_eq!(polled + rest, 3 * rounds / 3 * 2, "each record that was not taken back, once");
        assert!(map.get(m).is_empty(m));
    });
}

/// What has become of a numbered object: each change is made before what it says can be seen.
mod fate {
    pub const HELD: u8 = 1;
    pub const LET_GO: u8 = 2;
    pub const TAKEN_BACK: u8 = 3;
    pub const HANDED_OUT: u8 = 4;
}

#[derive(Trace)]
struct Board<'gc> {
    registry: Gc<'gc, FinalizationRegistry<u64>>,
    map: Gc<'gc, Map<'gc>>,
    set: Gc<'gc, WeakSet<Node<'gc>>>,
    /// Weak references for everybody to look through.
    posted: Lock<Vec<(u64, Weak<'gc, Node<'gc>>)>>,
}

struct Held {
    id: u64,
    target: Root<Node<'static>>,
    token: Root<Node<'static>>,
}

/// One thread's part: so many random steps, with what it holds at the end.
fn play(
    m: &mut Mutator<()>,
    board: &Root<Board<'static>>,
    fates: &[AtomicU8],
    ids: std::ops::Range<u64>,
    rng: &mut Rng,
) {
    let mut held: Vec<Held> = Vec::new();
    let mut seen: Vec<(u64, Root<orinoco::WeakCell<Node<'static>>>)> = Vec::new();
    let fate = |id: u64| &fates[id as usize];
    for id in ids {
        match rng.below(10) {
            // A new object, known to everything weak.
            0..4 => {
                let cx: &Cx = m;
                let (target, token) = (node(cx, id), node(cx, id));
                let b = board.get(cx);
                fate(id).store(fate::HELD, Ordering::SeqCst);
                b.registry.register_with(cx, target, id, token);
                assert!(b.map.insert(cx, target, node(cx, id + 1)).is_none());
                assert!(b.set.insert(cx, target));
                let mut posted = b.posted.lock(cx);
                let entry = (id, cx.weak(target));
                if posted.len() < 100 {
                    posted.push(entry);
                } else {
                    let at = rng.below(100);
                    posted[at] = entry;
                }
                drop(posted);
                held.push(Held { id, target: cx.root(target), token: cx.root(token) });
            }
            // One is let go.
            4 | 5 if !held.is_empty() => {
                let gone = held.swap_remove(rng.below(held.len()));
                fate(gone.id).store(fate::LET_GO, Ordering::SeqCst);
                drop(gone);
            }
            // One is taken back, before or after its death.
            6 if !held.is_empty() => {
                let Held { id, target, token } = held.swap_remove(rng.below(held.len()));
                let late = rng.below(2) == 0;
                fate(id).store(fate::LET_GO, Ordering::SeqCst);
                if late {
                    drop(target);
                    if rng.below(4) == 0 {
                        m.collect();
                    }
                }
                match board.get(m).registry.unregister(m, token.get(m)) {
                    1 => {
                        let before = fate(id).swap(fate::TAKEN_BACK, Ordering::SeqCst);
                        assert_eq!(before, fate::LET_GO, "object {id} was taken back and handed out");
                    }
                    0 => assert!(late, "object {id} lives and has no record"),
                    n => panic!("object {id} had {n} records"),
                }
            }
            // A look at what is posted, once and again in the same turn.
            7 => {
                let cx: &Cx = m;
                let b = board.get(cx);
                let found = {
                    let posted = b.posted.lock(cx);
                    (!posted.is_empty()).then(|| posted[rng.below(posted.len())])
                };
                if let Some((id, weak)) = found
                    && let Some(target) = weak.upgrade(cx)
                {
                    assert_eq!(target.v, id);
                    assert_eq!(b.map.get(cx, target).expect("its key lives").v, id + 1);
                    assert!(b.set.contains(cx, target));
                    seen.push((id, cx.root(weak)));
                }
            }
            // Whoever has died.
            8 => {
                while let Some(id) = board.get(m).registry.poll(m) {
                    let before = fate(id).swap(fate::HANDED_OUT, Ordering::SeqCst);
                    assert_eq!(before, fate::LET_GO, "object {id} is handed out");
                }
            }
            _ => match rng.below(20) {
                0 => m.collect(),
                1 => m.collect_compact(),
                2..8 => m.collect_young(),
                8..12 => {
                    seen.clear();
                    m.end_turn();
                }
                12 => m.park(std::thread::yield_now),
                _ => litter(m, 64 << 10),
            },
        }
        m.safepoint();
        for (id, weak) in &seen {
            assert_eq!(weak.get(m).peek(m).expect("it was seen in this turn").v, *id);
        }
        for Held { id, target, .. } in held.iter().take(3) {
            assert_eq!(board.get(m).map.get(m, target.get(m)).expect("its key is held").v, id + 1);
        }
    }
    held.iter().for_each(|held| fate(held.id).store(fate::LET_GO, Ordering::SeqCst));
}

/// Several threads play on one heap; then everything dies, and every object has had one fate.
fn everyone_plays(config: orinoco::HeapConfig, threads: u64, seed: u64) {
    let steps = crate::common::rounds(1200);
    let heap = orinoco::Heap::new(config).unwrap();
    let board: Root<Board<'static>> = heap.enter((), |m| {
        let cx: &Cx = m;
        let (registry, map, set) = (FinalizationRegistry::new(cx), Map::new(cx), WeakSet::new(cx));
        cx.root(cx.alloc(Board { registry, map, set, posted: Lock::default() }))
    });
    let fates: Vec<AtomicU8> = (0..threads * steps).map(|_| AtomicU8::new(0)).collect();
    std::thread::scope(|s| {
        for t in 0..threads {
            let (heap, board, fates) = (&heap, &board, &fates);
            s.spawn(move || {
                let mut rng = Rng::new(seed.wrapping_mul(31).wrapping_add(t));
                heap.enter((), |m| play(m, board, fates, t * steps..(t + 1) * steps, &mut rng));
            });
        }
    });
    heap.enter((), |m| {
        m.collect();
        m.verify();
        let b = board.get(m);
        while let Some(id) = b.registry.poll(m) {
            let before = fates[id as usize].swap(fate::HANDED_OUT, Ordering::SeqCst);
            assert_eq!(before, fate::LET_GO, "object {id} is handed out at the end");
        }
        assert!(b.map.is_empty(m) && b.set.is_empty(m) && b.registry.is_empty(m));
        assert!(b.posted.lock(m).iter().all(|(_, weak)| weak.peek(m).is_none()));
    });
    let lost: Vec<usize> =
        (0..fates.len()).filter(|id| matches!(fates[*id].load(Ordering::SeqCst), fate::HELD | fate::LET_GO)).collect();
    assert!(lost.is_empty(), "seed {seed}: nobody was told of the deaths of {lost:?}");
}

#[test]
fn random_schedules_of_every_weak_operation_break_no_promise() {
    use orinoco::Bytes;
    let seed = Rng::from_env("random_schedules_of_every_weak_operation_break_no_promise").next();
    let small = || crate::common::config().nursery(Bytes::mib(1)).initial_old(Bytes::mib(1));
    everyone_plays(small().helpers(0), 3, seed);
    everyone_plays(small().helpers(2), 2, seed ^ 1);
    everyone_plays(small().helpers(1).incremental_marking(false).concurrent_marking(false), 2, seed ^ 2);
}

#[test]
fn seeded_schedules_of_every_weak_operation_break_no_promise() {
    for seed in 40..44 {
        everyone_plays(crate::common::config().deterministic(seed), 1, seed);
    }
}
