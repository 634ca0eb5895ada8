//! The comparison has teeth: each way in which a heap could be wrong is brought about by hand, and must be told.

use orinoco::{Gc, Root};

use super::{
    HeapOptions, RHYTHM,
    graph::{Directory, Node},
    model::Model,
    stage::Stage,
    team::Runner,
};
use crate::snapshot::Snapshot;

/// ```text
///   0 ──▶ 1 ──▶ 2 ┄┄▶ 3        2 knows 3 and 4; 1 keeps 3; nothing keeps 4
///   │     └────────▶ 3
///   └──▶ 5: a table, with an entry from key 2 to value 6
/// ```
const GRAPH: &str = r#"{"snapshot":{"meta":{
    "node_fields":["type","name","id","self_size","edge_count"],
    "node_types":[["object"],"string","number","number","number"],
    "edge_fields":["type","name_or_index","to_node"],
    "edge_types":[["property","internal","weak"],"string_or_number","node"]},
    "node_count":7,"edge_count":8},
    "nodes":[0,0,1,8,2, 0,0,3,16,2, 0,0,5,24,3, 0,0,7,32,0, 0,0,9,40,0, 0,0,11,48,1, 0,0,13,56,0],
    "edges":[0,0,5, 0,0,25, 0,0,10, 0,0,15, 2,0,15, 2,0,20, 1,1,30, 1,1,30],
    "strings":["","1 / part of key (K @5) -> value (V @13) pair in WeakMap (table @11)"]}"#;

/// Builds the graph, lets `harm` do its work, and tells what the comparison says first.
fn told(harm: impl FnOnce(&mut Runner, &Model, &Root<Directory<'static>>)) -> String {
    let model = Model::new(&Snapshot::read(GRAPH.as_bytes()).expect("the graph is sound"), None);
    let reach = model.reach_all();
    assert_eq!((reach.nodes, reach.bytes), (6, 8 + 16 + 24 + 32 + 48 + 56));
    let heap = HeapOptions { limit: Some(64 << 20), ..HeapOptions::default() }.build().expect("a heap");
    let mut stage = Stage::build(&heap, &model, &reach, 1, RHYTHM).expect("room for seven nodes");
    let lookup = stage.compare(&reach).expect("room for comparing");
    assert_eq!(stage.findings.first, None, "unharmed it agrees");
    stage.team.one(|m| harm(m, &model, &lookup));
    drop(lookup);
    stage.compare(&reach).expect("room for comparing");
    assert_eq!(stage.findings.disagreements == 0, stage.findings.first.is_none());
    stage.findings.first.unwrap_or_default()
}

#[test]
fn an_unharmed_graph_is_found_whole() {
    assert_eq!(told(|_, _, _| {}), "");
}

#[test]
fn an_edge_that_is_lost_is_told() {
    let words = told(|m, _, nodes| {
        let (cx, _) = m.split();
        Node::fields(nodes.get(cx).get(1).unwrap())[0].set(cx, None);
    });
    assert_eq!(words, "edge 0 of node 1 is empty, not 2");
}

#[test]
fn an_edge_that_leads_elsewhere_is_told() {
    let words = told(|m, _, nodes| {
        let (cx, _) = m.split();
        let nodes = nodes.get(cx);
        Node::fields(nodes.get(1).unwrap())[0].set(cx, nodes.get(3));
    });
    assert_eq!(words, "edge 0 of node 1 leads to node 3, not 2");
}

#[test]
fn two_objects_for_one_node_are_told() {
    let words = told(|m, model, nodes| {
        let (cx, _) = m.split();
        let twin = Node::alloc(cx, model, 3).unwrap();
        Node::fields(nodes.get(cx).get(1).unwrap())[1].set(cx, Some(twin));
    });
    // The weak edge still leads to the first of them, which the walk does not meet.
    assert_eq!(words, "weak edge 0 of node 2, to 3, leads to None");
}

#[test]
fn two_reachable_objects_for_one_node_are_told() {
    let words = told(|m, model, nodes| {
        let (cx, _) = m.split();
        let twin = Node::alloc(cx, model, 1).unwrap();
        let first = nodes.get(cx).get(1).unwrap();
        for (field, of) in Node::fields(twin).iter().zip(Node::fields(first)) {
            field.set(cx, of.get());
        }
        Node::fields(first)[1].set(cx, Some(twin));
    });
    assert!(words.contains("leads to node 1, not 3"), "{words}");
}

#[test]
fn a_weak_edge_that_is_cleared_too_early_is_told() {
    let words = told(|m, _, nodes| {
        let (cx, _) = m.split();
        Node::weak_fields(nodes.get(cx).get(2).unwrap())[0].set(cx, None);
    });
    assert_eq!(words, "weak edge 0 of node 2, to 3, leads to None");
}

#[test]
fn a_weak_edge_that_keeps_its_target_is_told() {
    let mut held = None;
    let words = told(|m, model, nodes| {
        let (cx, _) = m.split();
        let kept = Node::alloc(cx, model, 4).unwrap();
        held = Some(cx.root(kept));
        Node::weak_fields(nodes.get(cx).get(2).unwrap())[1].set(cx, Some(cx.weak(kept)));
    });
    assert_eq!(words, "weak edge 1 of node 2, to 4, leads to Some(4)");
}

#[test]
fn an_entry_that_is_lost_is_told() {
    let words = told(|m, model, nodes| {
        let (cx, _) = m.split();
        let nodes = nodes.get(cx);
        let bare = Node::alloc(cx, model, 5).unwrap();
        Node::fields(nodes.get(0).unwrap())[1].set(cx, Some(bare));
    });
    assert_eq!(words, "the entry of key 2 in table 5 is gone");
}

#[test]
fn an_entry_too_many_is_told() {
    let words = told(|m, _, nodes| {
        let (cx, _) = m.split();
        let nodes = nodes.get(cx);
        let table = nodes.get(5).unwrap().table.unwrap();
        let values = table.get(cx, nodes.get(2).unwrap()).unwrap();
        table.insert(cx, nodes.get(3).unwrap(), values);
    });
    assert_eq!(words, "table 5 has 2 entries, not 1");
}

#[test]
fn what_should_have_died_and_lives_is_told() {
    let mut held = None;
    let words = told(|m, _, nodes| {
        let (cx, vm) = m.split();
        let doomed = nodes.get(cx).get(3).unwrap();
        vm.doomed.push(cx.weak(doomed));
        held = Some(cx.root(doomed));
    });
    assert_eq!(words, "1 objects that nothing keeps survive a full collection");
}

#[test]
fn bytes_that_were_overwritten_are_told() {
    let words = told(|m, model, nodes| {
        let (cx, _) = m.split();
        let nodes = nodes.get(cx);
        let [one, three] = [1, 3].map(|n| nodes.get(n).unwrap());
        let forged = Node::forge(cx, model, 3, Gc::get(one).payload).unwrap();
        Node::fields(one)[1].set(cx, Some(forged));
        assert!(!Gc::ptr_eq(forged, three));
    });
    assert_eq!(words, "the bytes of node 3 are not its own");
}
