//! Weak references, ephemerons and finalization registries.
use crate::common::{Node, age, heap, litter, moving_heap, node, root_node, young_heap};
use orinoco::{Cx, FinalizationRegistry, Gc, Lock, Mutator, Root, Slot, Trace, Weak, WeakMap, safepoint};
use std::sync::atomic::{AtomicBool, Ordering};

type Map<'gc> = WeakMap<Node<'gc>, Gc<'gc, Node<'gc>>>;
type Registry<'gc> = FinalizationRegistry<Gc<'gc, Node<'gc>>>;
/// One way of collecting.
type Collect = fn(&mut Mutator<()>);

const EVERY_WAY: [Collect; 3] = [|m| m.collect_young(), |m| m.collect(), |m| m.collect_compact()];

#[test]
fn a_weak_reference_is_cleared_when_its_target_dies_in_every_kind_of_collection() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let (target, weak) = {
                let n = node(m, 1);
                let weak = m.weak(n);
                (m.root(n), m.root(weak))
            };
            collect(m);
            assert_eq!(weak.get(m).upgrade(m).unwrap().v, 1);
            drop(target);
            m.collect();
            assert!(weak.get(m).upgrade(m).is_none());
        });
        heap().enter((), |m| {
            let weak = {
                let weak = m.weak(node(m, 1));
                m.root(weak)
            };
            collect(m);
            assert!(weak.get(m).upgrade(m).is_none(), "a young target dies in any collection");
        });
    }
}

#[test]
fn an_upgraded_target_is_the_object_itself_wherever_it_moved() {
    moving_heap().enter((), |m| {
        let n = node(m, 1);
        let weak = m.weak(n);
        let (n, weak) = safepoint!(m; n, weak);
        assert!(Gc::ptr_eq(weak.upgrade(m).unwrap(), n));
        let (n, weak) = safepoint!(m; n, weak);
        assert!(Gc::ptr_eq(weak.upgrade(m).unwrap(), n));
        let (two, other) = {
            let n = node(m, 2);
            (m.weak(n), m.weak(n))
        };
        assert!(Gc::ptr_eq(two.upgrade(m).unwrap(), other.upgrade(m).unwrap()), "two weak references, one target");
    });
}

#[test]
fn an_old_weak_reference_follows_a_target_of_any_age() {
    heap().enter((), |m| {
        let target = root_node(m, 1);
        let weak = {
            let weak = m.weak(target.get(m));
            m.root(weak)
        };
        for _ in 0..5 {
            litter(m, 1 << 20);
            m.collect_young();
            assert!(Gc::ptr_eq(weak.get(m).upgrade(m).unwrap(), target.get(m)));
        }
        m.collect_compact();
        assert!(Gc::ptr_eq(weak.get(m).upgrade(m).unwrap(), target.get(m)));
        drop(target);
        m.collect();
        assert!(weak.get(m).upgrade(m).is_none());
    });
}

#[test]
fn a_weak_reference_can_be_a_field_a_slot_and_part_of_a_list() {
    #[derive(Trace)]
    struct Watcher<'gc> {
        fixed: Weak<'gc, Node<'gc>>,
        slot: Slot<Option<Weak<'gc, Node<'gc>>>>,
        list: Lock<Vec<Weak<'gc, Node<'gc>>>>,
    }
    heap().enter((), |m| {
        let kept = root_node(m, 1);
        let watcher = {
            let cx: &Cx = m;
            let (kept, lost) = (cx.weak(kept.get(cx)), cx.weak(node(cx, 2)));
            cx.root(cx.alloc(Watcher { fixed: kept, slot: Slot::new(Some(lost)), list: Lock::new(vec![kept, lost]) }))
        };
        age(m);
        m.collect();
        let cx: &Cx = m;
        let watcher = watcher.get(cx);
        assert_eq!(watcher.fixed.upgrade(cx).unwrap().v, 1);
        assert!(watcher.slot.get().unwrap().upgrade(cx).is_none());
        let alive: Vec<bool> = watcher.list.lock(cx).iter().map(|w| w.upgrade(cx).is_some()).collect();
        assert_eq!(alive, [true, false]);
    });
}

#[test]
fn weak_references_of_a_cycle_die_together() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let weaks: Vec<Root<_>> = {
                let cx: &Cx = m;
                let nodes: Vec<_> = (0..5).map(|v| node(cx, v)).collect();
                nodes.iter().zip(nodes.iter().cycle().skip(1)).for_each(|(a, b)| a.next.set(cx, Some(*b)));
                nodes.iter().map(|n| cx.root(cx.weak(*n))).collect()
            };
            collect(m);
            assert!(weaks.iter().all(|w| w.get(m).upgrade(m).is_none()));
        });
    }
}

#[test]
fn what_an_upgrade_returned_lives_to_the_end_of_its_window() {
    let heap = heap();
    let target: Root<Node<'static>> = heap.enter((), |m| root_node(m, 42));
    let weak = heap.enter((), |m| {
        let weak = m.weak(target.get(m));
        m.root(weak)
    });
    let done = AtomicBool::new(false);
    std::thread::scope(|s| {
        let (heap, weak, target, done) = (&heap, &weak, &target, &done);
        s.spawn(move || {
            heap.enter((), |m| {
                for i in 0..300 {
                    target.set(m, node(m, 42));
                    if i % 2 == 0 { m.collect() } else { m.collect_young() }
                }
                done.store(true, Ordering::Relaxed);
            });
        });
        s.spawn(move || {
            heap.enter((), |m| {
                while !done.load(Ordering::Relaxed) {
                    if let Some(n) = weak.get(m).upgrade(m) {
                        for _ in 0..100 {
                            assert_eq!(n.v, 42);
                        }
                    }
                    weak.set(m, m.weak(target.get(m)));
                    m.safepoint();
                }
            });
        });
    });
}

#[test]
fn the_value_of_a_dead_key_dies_and_that_of_a_living_one_lives() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let map = {
                let map = Map::new(m);
                m.root(map)
            };
            let (key, value, lost) = {
                let cx: &Cx = m;
                let (k, dead) = (node(cx, 1), node(cx, 2));
                let (v, lost) = (node(cx, 10), node(cx, 20));
                map.get(cx).insert(cx, k, v);
                map.get(cx).insert(cx, dead, lost);
                (cx.root(k), cx.root(cx.weak(v)), cx.root(cx.weak(lost)))
            };
            collect(m);
            let cx: &Cx = m;
            assert_eq!(map.get(cx).get(cx, key.get(cx)).unwrap().v, 10);
            assert!(Gc::ptr_eq(value.get(cx).upgrade(cx).unwrap(), map.get(cx).get(cx, key.get(cx)).unwrap()));
            assert!(lost.get(cx).upgrade(cx).is_none());
            assert_eq!(map.get(cx).len(cx), 1);
        });
    }
}

#[test]
fn a_chain_of_ephemerons_lives_and_dies_with_its_first_key_in_either_order_of_insertion() {
    for forward in [true, false] {
        for collect in EVERY_WAY {
            heap().enter((), |m| {
                let n = 500;
                let map = {
                    let map = Map::new(m);
                    m.root(map)
                };
                let first = {
                    let cx: &Cx = m;
                    let keys: Vec<_> = (0..n).map(|v| node(cx, v)).collect();
                    let mut links: Vec<_> = keys.windows(2).collect();
                    if !forward {
                        links.reverse();
                    }
                    for link in links {
                        map.get(cx).insert(cx, link[0], link[1]);
                    }
                    cx.root(keys[0])
                };
                collect(m);
                {
                    let cx: &Cx = m;
                    let mut at = first.get(cx);
                    for v in 1..n {
                        at = map.get(cx).get(cx, at).unwrap();
                        assert_eq!(at.v, v);
                    }
                    assert!(map.get(cx).get(cx, at).is_none());
                }
                drop(first);
                m.collect();
                assert!(map.get(m).is_empty(m));
            });
        }
    }
}

#[test]
fn a_chain_of_two_hundred_thousand_ephemerons_is_followed_in_either_order_of_insertion() {
    // A step for each pair of links would be forty thousand million of them: the run's own limit on time would notice.
    let links = 200_000;
    for forward in [true, false] {
        heap().enter((), |m| {
            let map = {
                let map = Map::new(m);
                m.root(map)
            };
            let first = {
                let cx: &Cx = m;
                let keys: Vec<_> = (0..=links).map(|v| node(cx, v)).collect();
                let mut pairs: Vec<_> = keys.windows(2).collect();
                if !forward {
                    pairs.reverse();
                }
                for pair in pairs {
                    map.get(cx).insert(cx, pair[0], pair[1]);
                }
                cx.root(keys[0])
            };
            m.collect_young();
            m.collect();
            assert_eq!(map.get(m).len(m) as u64, links);
            drop(first);
            m.collect();
            assert!(map.get(m).is_empty(m));
        });
    }
}

#[test]
fn a_value_that_refers_to_its_own_key_keeps_neither() {
    heap().enter((), |m| {
        let map = {
            let map = Map::new(m);
            m.root(map)
        };
        {
            let cx: &Cx = m;
            let (key, value) = (node(cx, 1), node(cx, 2));
            value.next.set(cx, Some(key));
            map.get(cx).insert(cx, key, value);
            let own = node(cx, 3);
            map.get(cx).insert(cx, own, own);
        }
        m.collect();
        assert!(map.get(m).is_empty(m));
    });
}

#[test]
fn an_old_map_takes_young_keys_and_values() {
    heap().enter((), |m| {
        let map = {
            let map = Map::new(m);
            m.root(map)
        };
        age(m);
        let mut keys = Vec::new();
        for i in 0..200 {
            {
                let cx: &Cx = m;
                let key = node(cx, i);
                map.get(cx).insert(cx, key, node(cx, i + 1000));
                map.get(cx).insert(cx, node(cx, 7), node(cx, 8));
                keys.push(cx.root(key));
            }
            if i % 5 == 0 {
                m.collect_young();
            }
        }
        m.collect_young();
        let cx: &Cx = m;
        for (key, i) in keys.iter().zip(0..) {
            assert_eq!(map.get(cx).get(cx, key.get(cx)).unwrap().v, i + 1000);
        }
    });
}

#[test]
fn a_map_is_an_ordinary_table_as_long_as_its_keys_live() {
    moving_heap().enter((), |m| {
        let map = {
            let map = WeakMap::<Node<'_>, u64>::new(m);
            m.root(map)
        };
        let keys: Vec<Root<Node<'static>>> = (0..100).map(|v| root_node(m, v)).collect();
        for round in 0..5u64 {
            for (key, v) in keys.iter().zip(0..) {
                let before = map.get(m).insert(m, key.get(m), v + round);
                assert_eq!(before, (round > 0).then(|| v + round - 1).filter(|_| v % 3 != 0 || round == 0));
                m.safepoint();
            }
            for (key, v) in keys.iter().zip(0..) {
                let (map, key) = (map.get(m), key.get(m));
                assert!(map.contains_key(m, key));
                assert_eq!(map.get(m, key), Some(v + round));
                if v % 3 == 0 {
                    assert_eq!(map.remove(m, key), Some(v + round));
                    assert!(!map.contains_key(m, key) && map.remove(m, key).is_none());
                }
            }
            assert_eq!(map.get(m).len(m), 66);
        }
    });
}

#[test]
fn a_map_dies_with_its_values_though_the_keys_live() {
    heap().enter((), |m| {
        let key = root_node(m, 1);
        let weak = {
            let cx: &Cx = m;
            let map = Map::new(cx);
            let value = node(cx, 2);
            map.insert(cx, key.get(cx), value);
            cx.root(cx.weak(value))
        };
        m.collect();
        assert!(weak.get(m).upgrade(m).is_none());
        assert_eq!(key.get(m).v, 1);
    });
}

#[test]
fn a_registry_hands_out_each_record_once_after_its_target_has_died() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let registry = {
                let registry = Registry::new(m);
                m.root(registry)
            };
            let kept: Vec<Root<Node<'static>>> = {
                let cx: &Cx = m;
                let targets: Vec<_> = (0..20).map(|v| node(cx, v)).collect();
                targets.iter().for_each(|t| registry.get(cx).register(cx, *t, node(cx, t.v + 100)));
                targets.iter().filter(|t| t.v % 2 == 0).map(|t| cx.root(*t)).collect()
            };
            assert!(registry.get(m).poll(m).is_none(), "nobody has died yet");
            collect(m);
            let mut found: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|held| held.v).collect();
            found.sort_unstable();
            assert!(found.into_iter().eq((0..20).filter(|v| v % 2 == 1).map(|v| v + 100)));
            m.collect();
            assert!(registry.get(m).poll(m).is_none(), "each record is handed out once");
            drop(kept);
            m.collect();
            assert_eq!(std::iter::from_fn(|| registry.get(m).poll(m)).count(), 10);
        });
    }
}

#[test]
fn a_registry_keeps_what_it_holds_and_not_what_it_watches() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        let (target, held) = {
            let cx: &Cx = m;
            let (target, held) = (node(cx, 1), node(cx, 2));
            registry.get(cx).register(cx, target, held);
            (cx.root(cx.weak(target)), cx.root(cx.weak(held)))
        };
        age(m);
        m.collect();
        assert!(target.get(m).upgrade(m).is_none());
        for _ in 0..3 {
            m.collect();
            m.collect_young();
        }
        assert_eq!(held.get(m).upgrade(m).unwrap().v, 2, "nobody has asked for it yet");
        assert_eq!(registry.get(m).poll(m).unwrap().v, 2);
        m.collect();
        assert!(held.get(m).upgrade(m).is_none());
    });
}

#[test]
fn a_held_value_may_be_the_target_of_another_record() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        {
            let cx: &Cx = m;
            let (a, b, c) = (node(cx, 1), node(cx, 2), node(cx, 3));
            registry.get(cx).register(cx, a, b);
            registry.get(cx).register(cx, b, c);
        }
        m.collect();
        let first: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|n| n.v).collect();
        assert_eq!(first, [2], "the held value lived until it was handed out");
        m.collect();
        let second: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|n| n.v).collect();
        assert_eq!(second, [3]);
    });
}

#[test]
fn a_record_can_be_unregistered_before_its_target_dies_and_not_after() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        let token = root_node(m, 0);
        {
            let cx: &Cx = m;
            let registry = registry.get(cx);
            registry.register_with(cx, node(cx, 1), node(cx, 10), token.get(cx));
            registry.register_with(cx, node(cx, 2), node(cx, 20), token.get(cx));
            registry.register_with(cx, node(cx, 3), node(cx, 30), node(cx, 4));
            assert_eq!(registry.unregister(cx, token.get(cx)), 2);
            assert_eq!(registry.unregister(cx, token.get(cx)), 0, "twice is once");
            registry.register_with(cx, node(cx, 5), node(cx, 50), token.get(cx));
        }
        m.collect();
        assert_eq!(registry.get(m).unregister(m, token.get(m)), 0, "its target is dead: it is handed out");
        let mut found: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|n| n.v).collect();
        found.sort_unstable();
        assert_eq!(found, [30, 50]);
    });
}

#[test]
fn a_token_is_not_kept_alive_and_a_dead_one_unregisters_nothing() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        let target = root_node(m, 1);
        let token = {
            let cx: &Cx = m;
            let token = node(cx, 2);
            registry.get(cx).register_with(cx, target.get(cx), node(cx, 3), token);
            cx.root(cx.weak(token))
        };
        m.collect();
        assert!(token.get(m).upgrade(m).is_none());
        for v in 0..100 {
            let other = node(m, v);
            assert_eq!(registry.get(m).unregister(m, other), 0, "even where the token used to lie");
        }
        drop(target);
        m.collect();
        assert_eq!(registry.get(m).poll(m).unwrap().v, 3);
    });
}

#[test]
fn a_target_may_be_its_own_token() {
    heap().enter((), |m| {
        let registry = {
            let registry = FinalizationRegistry::<u64>::new(m);
            m.root(registry)
        };
        let kept = root_node(m, 1);
        registry.get(m).register_with(m, kept.get(m), 10, kept.get(m));
        {
            let cx: &Cx = m;
            let lost = node(cx, 2);
            registry.get(cx).register_with(cx, lost, 20, lost);
        }
        m.collect();
        assert_eq!(registry.get(m).unregister(m, kept.get(m)), 1);
        assert_eq!(registry.get(m).poll(m), Some(20));
        assert_eq!(registry.get(m).poll(m), None);
    });
}

#[test]
fn a_registry_that_dies_takes_its_records_along() {
    heap().enter((), |m| {
        let target = root_node(m, 1);
        let held = {
            let cx: &Cx = m;
            let registry = Registry::new(cx);
            let held = node(cx, 2);
            registry.register(cx, target.get(cx), held);
            cx.root(cx.weak(held))
        };
        m.collect();
        drop(target);
        m.collect();
        assert!(held.get(m).upgrade(m).is_none());
    });
}

#[test]
fn weak_references_are_cleared_before_a_registry_speaks_of_the_death() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let registry = {
                let registry = FinalizationRegistry::<Weak<'_, Node<'_>>>::new(m);
                m.root(registry)
            };
            {
                let cx: &Cx = m;
                let target = node(cx, 1);
                registry.get(cx).register(cx, target, cx.weak(target));
            }
            collect(m);
            let weak = registry.get(m).poll(m).expect("it has died");
            assert!(weak.upgrade(m).is_none(), "nothing is ever resurrected");
        });
    }
}

#[test]
fn records_survive_a_thousand_collections_and_moves() {
    for heap in [young_heap(), moving_heap()] {
        heap.enter((), |m| {
            let registry = {
                let registry = FinalizationRegistry::<u64>::new(m);
                m.root(registry)
            };
            let kept: Vec<Root<Node<'static>>> = (0..10).map(|v| root_node(m, v)).collect();
            kept.iter().zip(0..).for_each(|(k, v)| registry.get(m).register(m, k.get(m), v));
            for _ in 0..300 {
                m.safepoint();
            }
            assert_eq!(registry.get(m).poll(m), None);
            drop(kept);
            m.collect();
            let mut found: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).collect();
            found.sort_unstable();
            assert!(found.into_iter().eq(0..10));
        });
    }
}

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

#[test]
fn the_moving_average_story_stays_flat() {
    #[derive(Trace)]
    struct Socket<'gc> {
        listeners: Lock<Vec<Gc<'gc, Wrapper<'gc>>>>,
    }
    #[derive(Trace)]
    struct Wrapper<'gc> {
        target: Weak<'gc, Listener<'gc>>,
    }
    #[derive(Trace)]
    struct Listener<'gc> {
        events: Gc<'gc, Lock<Vec<f64>>>,
    }
    #[derive(Trace)]
    struct MovingAvg<'gc> {
        events: Gc<'gc, Lock<Vec<f64>>>,
        _listener: Gc<'gc, Listener<'gc>>,
    }
    fn start<'gc>(
        cx: &'gc Cx,
        socket: Gc<'gc, Socket<'gc>>,
        registry: Gc<'gc, FinalizationRegistry<Gc<'gc, Wrapper<'gc>>>>,
    ) -> Gc<'gc, MovingAvg<'gc>> {
        let events = cx.alloc(Lock::new(vec![]));
        let listener = cx.alloc(Listener { events });
        let wrapper = cx.alloc(Wrapper { target: cx.weak(listener) });
        registry.register(cx, listener, wrapper);
        socket.listeners.lock(cx).push(wrapper);
        cx.alloc(MovingAvg { events, _listener: listener })
    }
    fn message(cx: &Cx, socket: Gc<'_, Socket<'_>>, x: f64) -> usize {
        let listeners = socket.listeners.lock(cx).clone();
        listeners.iter().filter_map(|w| w.target.upgrade(cx)).map(|l| l.events.lock(cx).push(x)).count()
    }
    heap().enter((), |m| {
        let (socket, registry) = {
            let cx: &Cx = m;
            let registry = FinalizationRegistry::<Gc<'_, Wrapper<'_>>>::new(cx);
            (cx.root(cx.alloc(Socket { listeners: Lock::new(vec![]) })), cx.root(registry))
        };
        let mut most = 0;
        for i in 0..10_000 {
            let component = {
                let component = start(m, socket.get(m), registry.get(m));
                m.root(component)
            };
            m.safepoint();
            assert!(message(m, socket.get(m), f64::from(i)) >= 1);
            assert_eq!(component.get(m).events.lock(m).as_slice(), [f64::from(i)]);
            drop(component);
            if i % 100 == 99 {
                m.collect();
                let cx: &Cx = m;
                while let Some(wrapper) = registry.get(cx).poll(cx) {
                    socket.get(cx).listeners.lock(cx).retain(|w| !Gc::ptr_eq(*w, wrapper));
                }
                most = most.max(socket.get(cx).listeners.lock(cx).len());
            }
        }
        assert_eq!(most, 0, "every wrapper was removed");
    });
}
