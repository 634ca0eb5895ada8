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

/// Entries that collections have looked at while `f` ran.
fn visits(heap: &orinoco::Heap, m: &mut Mutator<()>, f: impl FnOnce(&mut Mutator<()>)) -> u64 {
    let before = heap.statistics().entries_visited;
    f(m);
    heap.statistics().entries_visited - before
}

/// A chain of `links` entries over the tables in turn, its first key, and whether each value is the next key or an
/// ordinary object that refers to it.
fn chain<'gc>(
    cx: &'gc Cx,
    maps: &[Root<Map<'static>>],
    links: u64,
    forward: bool,
    through_objects: bool,
) -> Gc<'gc, Node<'gc>> {
    let keys: Vec<_> = (0..=links).map(|v| node(cx, v)).collect();
    let mut pairs: Vec<_> = keys.windows(2).collect();
    if !forward {
        pairs.reverse();
    }
    for (i, pair) in pairs.into_iter().enumerate() {
        let mut value = pair[1];
        if through_objects {
            // A few ordinary objects between a value and the key that it leads to.
            for _ in 0..3 {
                let between = node(cx, pair[1].v);
                between.next.set(cx, Some(value));
                value = between;
            }
        }
        maps[i % maps.len()].get(cx).insert(cx, pair[0], value);
    }
    keys[0]
}

#[test]
fn the_work_is_linear_in_the_length_of_a_chain_whatever_its_order_and_across_tables() {
    // A hundred thousand links: to look through all tables again for each would be ten thousand million visits.
    let links = if crate::common::zealous() { 1_000 } else { 100_000 };
    for (tables, forward, through_objects) in [(1, true, false), (7, false, true), (1000, false, false)] {
        let heap = heap();
        heap.enter((), |m| {
            let maps: Vec<Root<Map<'static>>> = (0..tables)
                .map(|_| {
                    let map = Map::new(m);
                    m.root(map)
                })
                .collect();
            let first = {
                let first = chain(m, &maps, links, forward, through_objects);
                m.root(first)
            };
            for collect in EVERY_WAY {
                // A whole collection looks at each entry, and at most once more when its key is reached; and so again in
                // the scavenge that comes with it.
                let visited = visits(&heap, m, collect);
                assert!(visited <= 4 * links, "{visited} visits of {links} entries");
                assert_eq!(maps.iter().map(|map| map.get(m).len(m) as u64).sum::<u64>(), links);
            }
            drop(first);
            let visited = visits(&heap, m, |m| m.collect());
            assert!(visited <= 4 * links, "{visited} visits of {links} entries");
            assert!(maps.iter().all(|map| map.get(m).is_empty(m)));
        });
    }
}

#[test]
fn chains_are_followed_by_markers_beside_the_program() {
    use orinoco::{Bytes, Heap, HeapConfig};
    const LINKS: u64 = 1_000;
    for (helpers, forward, tables) in [(0, false, 3), (2, true, 1)] {
        let config = HeapConfig::new()
            .helpers(helpers)
            .verify(true)
            .initial_old(Bytes::mib(1))
            .nursery(Bytes::mib(1))
            .limit(Bytes::mib(256));
        let heap = Heap::new(config).unwrap();
        heap.enter((), |m| {
            let maps: Vec<Root<Map<'static>>> = (0..tables)
                .map(|_| {
                    let map = Map::new(m);
                    m.root(map)
                })
                .collect();
            let (live, dead) = {
                let cx: &Cx = m;
                let live = chain(cx, &maps, LINKS, forward, true);
                let dead = chain(cx, &maps, LINKS, forward, true);
                (cx.root(live), cx.root(cx.weak(dead)))
            };
            age(m);
            let mut list = Vec::new();
            let full = heap.statistics().full_collections;
            while heap.statistics().full_collections < full + 1 {
                list.push(root_node(m, 1));
                if list.len() > 3_000 {
                    list.clear();
                }
                litter(m, 16 << 10);
                list.push({
                    // More old objects, so that cycles begin.
                    let array = m.alloc_slice(300, |_| node(m, 1));
                    m.root(array[0])
                });
                m.safepoint();
            }
            assert!(dead.get(m).peek(m).is_none(), "helpers: {helpers}");
            assert_eq!(maps.iter().map(|map| map.get(m).len(m) as u64).sum::<u64>(), LINKS);
            let cx: &Cx = m;
            let (mut at, mut number) = (live.get(cx), 0);
            while at.v < LINKS {
                let value = maps.iter().find_map(|map| map.get(cx).get(cx, at)).expect("the chain is whole");
                at = std::iter::successors(Some(value), |n| n.next.get()).last().unwrap();
                number += 1;
            }
            assert_eq!(number, LINKS);
        });
    }
}

#[test]
fn an_entry_dies_with_its_key_though_its_table_was_young_when_marking_began() {
    use orinoco::{Bytes, Heap, HeapConfig};
    let config = HeapConfig::new().helpers(0).verify(true).initial_old(Bytes::mib(1)).nursery(Bytes::mib(1));
    let heap = Heap::new(config).unwrap();
    heap.enter((), |m| {
        let keys: Vec<Root<Node<'static>>> = (0..100).map(|v| root_node(m, v)).collect();
        age(m);
        let mut tables: Vec<Root<Map<'static>>> = Vec::new();
        let mut list = Vec::new();
        let cycles = heap.statistics().full_collections + 2;
        while heap.statistics().full_collections < cycles {
            // Tables of every age at every moment of a cycle, each with an old key of its own and one that they share.
            {
                let cx: &Cx = m;
                let table = Map::new(cx);
                table.insert(cx, keys[list.len() % 100].get(cx), node(cx, 5));
                table.insert(cx, node(cx, 6), node(cx, 7));
                if tables.len() < 200 {
                    tables.push(cx.root(table));
                } else {
                    let at = list.len() % 200;
                    tables[at] = cx.root(table);
                }
            }
            list.push(root_node(m, 1));
            litter(m, 32 << 10);
            let old = m.alloc_slice(300, |_| node(m, 1));
            list.push(m.root(old[0]));
            m.safepoint();
        }
        m.collect();
        for table in &tables {
            assert_eq!(table.get(m).len(m), 1);
        }
        drop(keys);
        m.collect();
        assert!(tables.iter().all(|table| table.get(m).is_empty(m)));
    });
}

#[test]
fn a_key_of_many_tables_shows_all_of_its_values() {
    heap().enter((), |m| {
        let maps: Vec<Root<Map<'static>>> = (0..500)
            .map(|_| {
                let map = Map::new(m);
                m.root(map)
            })
            .collect();
        let (gate, map) = {
            // The key is reached late: through a value of another table.
            let cx: &Cx = m;
            let (gate, key) = (node(cx, 0), node(cx, 1));
            for (v, map) in maps.iter().enumerate() {
                map.get(cx).insert(cx, key, node(cx, v as u64));
            }
            let map = Map::new(cx);
            map.insert(cx, gate, key);
            (cx.root(gate), cx.root(map))
        };
        for collect in EVERY_WAY {
            collect(m);
            let cx: &Cx = m;
            let key = map.get(cx).get(cx, gate.get(cx)).unwrap();
            for (v, map) in maps.iter().enumerate() {
                assert_eq!(map.get(cx).get(cx, key).unwrap().v, v as u64);
            }
        }
        drop(gate);
        m.collect();
        assert!(maps.iter().all(|map| map.get(m).is_empty(m)));
    });
}

#[test]
fn a_young_collection_looks_at_what_holds_something_young_and_at_nothing_else() {
    let heap = crate::common::heap();
    if crate::common::zealous() {
        return;
    }
    heap.enter((), |m| {
        let map = {
            let map = Map::new(m);
            m.root(map)
        };
        let keys: Vec<Root<Node<'static>>> = (0..10_000).map(|v| root_node(m, v)).collect();
        for key in &keys {
            map.get(m).insert(m, key.get(m), node(m, key.get(m).v + 1));
        }
        age(m);
        assert_eq!(visits(&heap, m, |m| m.collect_young()), 0, "everything is old");
        map.get(m).insert(m, keys[3].get(m), node(m, 1));
        let young: Vec<_> = (0..5).map(|v| root_node(m, v)).collect();
        young.iter().for_each(|key| _ = map.get(m).insert(m, key.get(m), node(m, 9)));
        map.get(m).insert(m, node(m, 6), node(m, 7));
        let visited = visits(&heap, m, |m| m.collect_young());
        assert!((7..=14).contains(&visited), "{visited} visits for seven entries");
        assert_eq!(map.get(m).len(m), 10_005);
        assert!(keys.iter().all(|key| map.get(m).get(m, key.get(m)).is_some()));
    });
}
