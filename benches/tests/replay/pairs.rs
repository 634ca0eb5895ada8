//! What a pair's value hangs on, told by the snapshot's reader and by the heap.

use orinoco_benches::snapshot::Pair;

use crate::{
    made::{Made, write},
    options, run,
};

/// A root; a table, a key and a value, of which the root keeps the first two when asked.
fn table_key_value(keeps_table: bool, keeps_key: bool) -> Made {
    let mut made = Made::default();
    let [root, table, key, value] = [1, 10, 100, 1000].map(|size| made.node(size));
    for (kept, node) in [(keeps_table, table), (keeps_key, key)] {
        if kept {
            made.edge(root, "property", node);
        }
    }
    made.pair(table, key, value);
    made
}

#[test]
fn a_value_is_kept_by_table_and_key_together() {
    for (table, key, bytes) in [(true, true, 1111), (true, false, 11), (false, true, 101), (false, false, 1)] {
        let report = run(&table_key_value(table, key).read(), None, &options(1));
        assert_eq!(report.reachable_self_bytes, bytes, "table {table}, key {key}");
        assert!(report.verified, "{report}");
    }
}

#[test]
fn two_halves_make_one_pair() {
    let snapshot = table_key_value(true, true).read();
    assert_eq!(snapshot.pairs(), [Pair { table: 1, key: 2, value: 3 }]);
    assert_eq!(snapshot.edge_count(), 4);
}

#[test]
fn one_half_is_a_pair_as_well() {
    for from in [1, 2] {
        let mut made = table_key_value(true, false);
        made.nodes[1].edges.clear();
        made.nodes[2].edges.clear();
        made.half(from, 1, 2, 3);
        let report = run(&made.read(), None, &options(1));
        assert_eq!((report.weak_map_entries, report.reachable_self_bytes), (1, 11), "half at {from}");
        assert!(report.verified, "{report}");
    }
}

#[test]
fn an_edge_that_is_merely_called_a_half_stays_an_edge() {
    // Its ends are not the ones that it names.
    let mut made = table_key_value(true, false);
    made.nodes[1].edges.clear();
    made.nodes[2].edges.clear();
    made.half(1, 0, 2, 3);
    let snapshot = made.read();
    assert_eq!(snapshot.pairs(), []);
    assert_eq!(run(&snapshot, None, &options(1)).reachable_self_bytes, 1011);
    // The key that it names does not exist.
    let text = write(&table_key_value(true, true).json()).replace("(Key @5)", "(Key @99)");
    let snapshot = orinoco_benches::snapshot::Snapshot::read(text.as_bytes()).unwrap();
    assert_eq!(snapshot.pairs(), []);
}

#[test]
fn a_weak_edge_with_the_name_of_a_half_keeps_nothing() {
    let mut made = table_key_value(true, true);
    for node in [1, 2] {
        made.nodes[node].edges[0].0 = "weak";
    }
    let snapshot = made.read();
    assert_eq!(snapshot.pairs(), []);
    assert_eq!(run(&snapshot, None, &options(1)).reachable_self_bytes, 111);
}

#[test]
fn chains_of_pairs_hold_link_by_link() {
    // Each value is the next key; the second chain has a gap in the middle.
    let mut made = Made::default();
    let root = made.node(0);
    let table = made.node(0);
    made.edge(root, "element", table);
    for gap in [None, Some(50)] {
        let mut key = made.node(1);
        made.edge(root, "element", key);
        for link in 0..100 {
            let value = made.node(1);
            if gap != Some(link) {
                made.pair(table, key, value);
            }
            key = value;
        }
    }
    let report = run(&made.read(), None, &options(2));
    assert_eq!(report.reachable_nodes, 2 + 101 + 51);
    assert!(report.verified, "{report}");
}

#[test]
fn a_key_that_only_its_own_value_keeps_is_dead() {
    let mut made = table_key_value(true, false);
    made.edge(3, "property", 2);
    let report = run(&made.read(), None, &options(1));
    assert_eq!(report.reachable_nodes, 2);
    assert!(report.verified, "{report}");
}

#[test]
fn a_table_may_be_its_own_key_and_have_several_values_for_one_key() {
    let mut made = Made::default();
    let [root, table, one, other] = [1, 10, 100, 1000].map(|size| made.node(size));
    made.edge(root, "property", table);
    made.pair(table, table, one);
    made.pair(table, table, other);
    let report = run(&made.read(), None, &options(1));
    assert_eq!((report.weak_map_entries, report.reachable_self_bytes), (1, 1111));
    assert!(report.verified, "{report}");
}

#[test]
fn half_a_character_in_a_name_is_read() {
    let text = write(&table_key_value(true, true).json()).replace("Key @", "\\ud83d\\n @");
    let snapshot = orinoco_benches::snapshot::Snapshot::read(text.as_bytes()).unwrap();
    assert_eq!(snapshot.pairs().len(), 1);
}
