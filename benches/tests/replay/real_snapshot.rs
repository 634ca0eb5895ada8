//! The bundled snapshot of a page, against the figures that others found in it.

use std::{fs::File, io::BufReader};

use fixedbitset::FixedBitSet;
use orinoco_benches::{
    replay::{Cut, HeapOptions, Model, Options, OracleVerdict},
    snapshot::{EdgeClass, Oracle, Snapshot, open},
};
use serde_json::Value;

use crate::{bundled, options, run, unchecked, zealous};

fn snapshot() -> Snapshot {
    Snapshot::read(open(&bundled()).unwrap()).unwrap()
}

fn oracle() -> Oracle {
    Oracle::read(&Oracle::path_beside(&bundled()).unwrap()).unwrap()
}

fn oracle_json() -> Value {
    serde_json::from_reader(BufReader::new(File::open(Oracle::path_beside(&bundled()).unwrap()).unwrap())).unwrap()
}

fn agrees_with_the_oracle(options: &Options) {
    let (oracle, report) = (oracle(), run(&snapshot(), Some(&oracle()), options));
    assert_eq!((report.reachable_nodes, report.reachable_self_bytes), (oracle.nodes, oracle.bytes));
    assert_eq!(report.oracle, OracleVerdict::Agrees);
    assert!(report.verified, "{report}");
    let figures = &report.figures;
    assert!(figures.full_collections > 2 * options.rounds && figures.scavenges > 0, "{report}");
}

#[test]
fn one_thread_agrees_with_the_oracle() {
    agrees_with_the_oracle(&unchecked(1));
}

#[test]
fn two_threads_agree_with_the_oracle() {
    agrees_with_the_oracle(&unchecked(2));
}

#[test]
fn four_threads_agree_with_the_oracle() {
    agrees_with_the_oracle(&unchecked(4));
}

#[test]
fn with_everything_moving_at_every_safepoint_it_agrees_as_well() {
    let zealous = zealous(2);
    agrees_with_the_oracle(&Options { rounds: 1, heap: HeapOptions { verify: false, ..zealous.heap }, ..zealous });
}

#[test]
fn with_the_heap_checking_itself_it_agrees_as_well() {
    agrees_with_the_oracle(&Options { rounds: 1, litter: Some(64 << 10), ..options(2) });
}

#[test]
fn what_was_cut_off_dies_and_nothing_else() {
    // Figures of a traversal by another program.
    for (cut, nodes, bytes) in [("7:30", 56_995, 2_582_951), ("1:300", 33_970, 1_725_782), ("9:1000", 1, 0)] {
        let options = Options { cut: Some(cut.parse::<Cut>().unwrap()), rounds: 1, ..unchecked(2) };
        let report = run(&snapshot(), Some(&oracle()), &options);
        assert_eq!((report.reachable_nodes, report.reachable_self_bytes), (nodes, bytes), "{cut}");
        assert!(report.deaths_checked >= report.nodes - nodes);
        assert!(report.verified, "{report}");
    }
}

#[test]
fn counts_are_the_oracles() {
    let (snapshot, oracle) = (snapshot(), oracle_json());
    assert_eq!(oracle["node_count"], snapshot.node_count());
    assert_eq!(oracle["edge_count"], snapshot.edge_count());
    let weak = (0..snapshot.node_count()).flat_map(|n| snapshot.edges(n)).filter(|e| e.2 == EdgeClass::Weak).count();
    assert_eq!(oracle["edge_types"]["weak"], weak);
    let [_, _, entries] = Model::new(&snapshot, None).counts();
    assert_eq!(oracle["reachable"]["ephemeron"]["pairs_including_holes"], entries);
}

#[test]
fn the_model_foresees_what_dropping_a_node_frees() {
    let (model, oracle) = (Model::new(&snapshot(), None), oracle_json());
    let mut drops = 0;
    for case in oracle["what_if"]["cuts"].as_array().unwrap().iter().filter(|case| case["cut"]["op"] == "drop") {
        let mut dropped = FixedBitSet::with_capacity(model.nodes() as usize);
        dropped.insert(case["cut"]["ordinal"].as_u64().unwrap() as usize);
        let (reach, expected) = (model.reach(&dropped), &case["ephemeron"]);
        assert_eq!(expected["nodes"], reach.nodes, "{case}");
        assert_eq!(expected["bytes"], reach.bytes, "{case}");
        assert_eq!(expected["bitmap_sha256"], reach.digest(), "{case}");
        let dangling = (0..model.nodes()).filter(|n| reach.has(*n)).flat_map(|n| model.weak(n));
        assert_eq!(expected["weak_edges_to_clear"], dangling.filter(|to| !reach.has(**to)).count(), "{case}");
        drops += 1;
    }
    assert!(drops > 0);
}

#[test]
fn an_oracle_that_is_wrong_is_contradicted() {
    let right = oracle();
    for wrong in [
        Oracle { nodes: right.nodes + 1, ..right.clone() },
        Oracle { bytes: right.bytes - 1, ..right.clone() },
        Oracle { bitmap_sha256: Some("0".repeat(64)), ..right },
    ] {
        let report = run(&snapshot(), Some(&wrong), &Options { rounds: 0, ..unchecked(1) });
        assert_eq!((report.oracle, report.verified), (OracleVerdict::Disagrees, false));
    }
}
