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
