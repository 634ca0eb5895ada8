//! Ephemerons: a value lives while its key and its map do, along chains of any length.
use super::*;

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
            assert!(Gc::ptr_eq(value.get(cx).peek(cx).unwrap(), map.get(cx).get(cx, key.get(cx)).unwrap()));
            assert!(lost.get(cx).peek(cx).is_none());
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
