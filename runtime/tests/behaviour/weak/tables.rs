//! Weak maps as tables: keyed by identity, wherever the keys move.
use super::*;

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
        assert!(weak.get(m).peek(m).is_none());
        assert_eq!(key.get(m).v, 1);
    });
}

#[test]
fn a_table_gives_back_the_memory_of_entries_that_have_died() {
    heap().enter((), |m| {
        let map = {
            let map = Map::new(m);
            m.root(map)
        };
        let kept: Vec<Root<Node<'static>>> = (0..100).map(|v| root_node(m, v)).collect();
        let lost: Vec<Root<Node<'static>>> = (0..20_000).map(|v| root_node(m, v)).collect();
        for key in kept.iter().chain(&lost) {
            map.get(m).insert(m, key.get(m), node(m, key.get(m).v));
        }
        assert!(map.get(m).capacity(m) >= 20_100);
        age(m);
        drop(lost);
        m.collect();
        assert_eq!(map.get(m).len(m), 100);
        // Whoever changes the table next thins it out.
        let fresh = root_node(m, 7);
        map.get(m).insert(m, fresh.get(m), fresh.get(m));
        assert!(map.get(m).capacity(m) < 1_000, "{} places for 101 entries", map.get(m).capacity(m));
        m.collect_young();
        m.collect_compact();
        for key in &kept {
            assert_eq!(map.get(m).get(m, key.get(m)).unwrap().v, key.get(m).v);
        }
        assert_eq!(map.get(m).get(m, fresh.get(m)).unwrap().v, 7);
    });
}

#[test]
fn a_weak_set_knows_the_living_and_keeps_none_of_them() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let set = {
                let set = WeakSet::<Node<'_>>::new(m);
                m.root(set)
            };
            let kept = root_node(m, 1);
            {
                let cx: &Cx = m;
                let set = set.get(cx);
                assert!(set.insert(cx, kept.get(cx)));
                assert!(!set.insert(cx, kept.get(cx)), "twice is once");
                assert_eq!(set.try_insert(cx, node(cx, 2)), Ok(true));
                let third = node(cx, 3);
                assert!(set.insert(cx, third) && set.remove(cx, third) && !set.remove(cx, third));
                assert_eq!(set.len(cx), 2);
            }
            collect(m);
            let cx: &Cx = m;
            let set = set.get(cx);
            assert!(set.contains(cx, kept.get(cx)) && !set.contains(cx, node(cx, 2)));
            assert_eq!(set.len(cx), 1);
            assert!(!set.is_empty(cx));
        });
    }
}

#[test]
fn the_forms_that_may_decline_work_as_the_others_do() {
    heap().enter((), |m| {
        let cx: &Cx = m;
        let (key, value) = (node(cx, 1), node(cx, 2));
        let weak = cx.try_weak(key).unwrap();
        assert!(Gc::ptr_eq(weak.peek(cx).unwrap(), key));
        let map = Map::try_new(cx).unwrap();
        assert!(map.try_insert(cx, key, value).unwrap().is_none());
        assert!(Gc::ptr_eq(map.try_insert(cx, key, key).unwrap().unwrap(), value));
        let registry = Registry::try_new(cx).unwrap();
        registry.try_register(cx, key, value).unwrap();
        registry.try_register_with(cx, key, value, key).unwrap();
        assert_eq!((registry.len(cx), registry.unregister(cx, key), registry.len(cx)), (2, 1, 1));
        assert!(WeakSet::<Node<'_>>::try_new(cx).unwrap().is_empty(cx));
    });
}

#[test]
fn weak_allocations_are_refused_at_the_limit_and_the_heap_goes_on() {
    use orinoco::{AllocError, Bytes, Heap, HeapConfig};
    let heap = Heap::new(HeapConfig::new().limit(Bytes::mib(8)).nursery(Bytes::mib(1)).helpers(0)).unwrap();
    heap.enter((), |m| {
        let refused = {
            let cx: &Cx = m;
            let target = node(cx, 1);
            std::iter::from_fn(|| Some(cx.try_weak(target))).find_map(Result::err)
        };
        assert_eq!(refused, Some(AllocError::LimitReached));
        assert!(Map::try_new(m).is_err() || Registry::try_new(m).is_err() || m.try_weak(node(m, 1)).is_ok());
        m.collect();
        assert!(m.try_weak(node(m, 1)).is_ok());
    });
}
