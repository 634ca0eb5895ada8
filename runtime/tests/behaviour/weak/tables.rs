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
