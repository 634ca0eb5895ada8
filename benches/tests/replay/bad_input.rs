//! Every snapshot that is not one is refused with words of its own: never a panic, never memory on the word of a file.

use std::io::{self, Read};

use orinoco_benches::{
    replay::{ReplayError, replay},
    snapshot::{Flaw, Snapshot, SnapshotError, open},
};
use serde_json::{Value, json};

use crate::{
    made::{Made, read, small, write},
    options,
};

/// The small snapshot with something put elsewhere, or, as null, taken out.
fn with(path: &str, value: Value) -> Value {
    let mut snapshot = small().json();
    match snapshot.pointer_mut(path) {
        Some(place) => *place = value,
        None => panic!("no {path}"),
    }
    snapshot
}

fn without(section: &str) -> Value {
    let mut snapshot = small().json();
    snapshot.as_object_mut().expect("an object").remove(section).expect("it was there");
    snapshot
}

fn flaw(snapshot: &Value) -> Flaw {
    match read(snapshot) {
        Err(SnapshotError::Flaw { flaw, .. }) => flaw,
        other => panic!("{other:?}"),
    }
}

fn refusal(text: &[u8]) -> SnapshotError {
    let error = Snapshot::read(text).expect_err("it is no snapshot");
    let words = error.to_string();
    assert!(!words.is_empty() && !words.contains('\n'), "{words:?}");
    error
}

#[test]
fn the_small_snapshot_itself_is_sound() {
    let snapshot = small().read();
    assert_eq!((snapshot.node_count(), snapshot.edge_count()), (2, 1));
}

#[test]
fn an_empty_file_is_called_empty() {
    assert!(matches!(refusal(b""), SnapshotError::Empty));
}

#[test]
fn a_file_cut_anywhere_is_called_truncated() {
    let text = small().text();
    for end in 1..text.len() {
        let error = refusal(&text.as_bytes()[..end]);
        assert!(matches!(error, SnapshotError::Truncated(_)), "{end}: {error}");
    }
}

#[test]
fn a_packed_file_cut_short_is_refused_as_well() {
    let text = small().text();
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let mut gzip = Vec::new();
    flate2::bufread::GzEncoder::new(text.as_bytes(), flate2::Compression::fast()).read_to_end(&mut gzip).unwrap();
    for packed in [zstd, gzip] {
        Snapshot::read(&packed[..]).expect("whole, it is sound");
        for end in 4..packed.len() {
            let error = refusal(&packed[..end]);
            assert!(matches!(error, SnapshotError::Truncated(_)), "{end}: {error}");
        }
    }
}

#[test]
fn packed_nonsense_is_refused() {
    let text = small().text();
    for byte in 5..40 {
        let mut packed = zstd::encode_all(text.as_bytes(), 3).unwrap();
        packed[byte] ^= 0x55;
        if let Err(error) = Snapshot::read(&packed[..]) {
            assert!(!error.to_string().contains('\n'));
        }
    }
    assert!(matches!(refusal(b"\x28\xB5\x2F\xFDnonsense"), SnapshotError::Read(_) | SnapshotError::Truncated(_)));
    assert!(matches!(refusal(b"\x1F\x8Bnonsense"), SnapshotError::Read(_) | SnapshotError::Truncated(_)));
}

#[test]
fn what_is_not_json_is_called_so() {
    for text in ["nonsense", "{,}", "\u{0}\u{0}\u{0}\u{0}", "<html></html>", "{\"snapshot\":{]", "%PDF-1.7"] {
        let error = refusal(text.as_bytes());
        assert!(matches!(error, SnapshotError::NotJson(_)), "{text:?}: {error}");
    }
}

#[test]
fn more_after_the_end_is_refused() {
    let error = refusal(format!("{} x", small().text()).as_bytes());
    assert!(matches!(error, SnapshotError::NotJson(_)), "{error}");
}

#[test]
fn json_of_another_shape_is_no_snapshot() {
    let shapes = ["[]", "3", "\"text\"", "null", "true", "[1, 2, 3]"];
    for text in shapes {
        let error = refusal(text.as_bytes());
        assert!(matches!(error, SnapshotError::Shape(_)), "{text:?}: {error}");
    }
    assert!(matches!(refusal(b"{}"), SnapshotError::Flaw { flaw: Flaw::Missing("snapshot"), .. }));
}

#[test]
fn a_value_of_a_wrong_type_is_refused_where_it_stands() {
    let wrong = [
        ("/snapshot", json!([])),
        ("/snapshot/meta", json!("meta")),
        ("/snapshot/meta/node_fields", json!({})),
        ("/snapshot/meta/node_types", json!([1])),
        ("/snapshot/node_count", json!("2")),
        ("/snapshot/node_count", json!(-2)),
        ("/snapshot/node_count", json!(2.5)),
        ("/snapshot/edge_count", json!(null)),
        ("/nodes", json!("nodes")),
        ("/nodes", json!({})),
        ("/nodes/3", json!("16")),
        ("/nodes/3", json!(-16)),
        ("/nodes/3", json!(1.5)),
        ("/nodes/3", json!([16])),
        ("/edges", json!(7)),
        ("/edges/2", json!(true)),
        ("/strings", json!("strings")),
        ("/strings/0", json!(0)),
        ("/strings/0", json!(["<dummy>"])),
    ];
    for (path, value) in wrong {
        let snapshot = with(path, value);
        let error = refusal(write(&snapshot).as_bytes());
        assert!(matches!(error, SnapshotError::Shape(_)), "{path}: {error}");
    }
}

#[test]
fn every_section_is_needed_and_once() {
    assert_eq!(flaw(&without("nodes")), Flaw::Order { section: "edges", needs: "nodes" });
    assert_eq!(flaw(&without("snapshot")), Flaw::Order { section: "nodes", needs: "snapshot" });
    assert_eq!(flaw(&without("edges")), Flaw::Missing("edges"));
    assert_eq!(flaw(&without("strings")), Flaw::Missing("strings"));
    let text = small().text();
    let twice = text.replace("\"trace_tree\"", "\"strings\":[],\"trace_tree\"");
    assert!(matches!(refusal(twice.as_bytes()), SnapshotError::Flaw { flaw: Flaw::Twice("strings"), .. }));
}

#[test]
fn a_description_without_a_needed_field_is_refused() {
    let fields = json!(["type", "name", "id", "edge_count", "a", "b"]);
    let missing = flaw(&with("/snapshot/meta/node_fields", fields));
    assert_eq!(missing, Flaw::NoField { list: "node_fields", field: "self_size" });
    let missing = flaw(&with("/snapshot/meta/edge_fields", json!(["type", "name_or_index", "to"])));
    assert_eq!(missing, Flaw::NoField { list: "edge_fields", field: "to_node" });
    assert_eq!(flaw(&with("/snapshot/meta/edge_types", json!(["string"]))), Flaw::NoTypes("edge_types"));
    assert_eq!(flaw(&with("/snapshot/meta/node_types", json!([]))), Flaw::NoTypes("node_types"));
    let many: Vec<String> = (0..1000).map(|n| format!("f{n}")).collect();
    assert!(matches!(flaw(&with("/snapshot/meta/edge_fields", json!(many))), Flaw::TooManyFields { .. }));
}

#[test]
fn an_absurd_count_is_refused_before_anything_is_allocated() {
    let huge = u64::MAX;
    let most = u64::from(u32::MAX) - 1;
    for (what, path) in [("nodes", "/snapshot/node_count"), ("edges", "/snapshot/edge_count")] {
        assert_eq!(flaw(&with(path, json!(huge))), Flaw::Absurd { what, count: huge, most });
    }
    // As many as are ever read, promised by a file of one line: found out when the line ends.
    let promised = most;
    assert_eq!(
        flaw(&with("/snapshot/node_count", json!(promised))),
        Flaw::TooFew { what: "nodes", promised, found: 2 }
    );
    assert_eq!(flaw(&with("/snapshot/edge_count", json!(promised))), Flaw::EdgeSum { promised, found: 1 });
}

#[test]
fn counts_and_arrays_must_agree() {
    assert_eq!(flaw(&with("/snapshot/node_count", json!(3))), Flaw::TooFew { what: "nodes", promised: 3, found: 2 });
    assert_eq!(flaw(&with("/snapshot/node_count", json!(1))), Flaw::TooMany { what: "nodes", promised: 1 });
    assert_eq!(flaw(&with("/snapshot/edge_count", json!(0))), Flaw::EdgeSum { promised: 0, found: 1 });
    assert_eq!(flaw(&with("/snapshot/edge_count", json!(2))), Flaw::EdgeSum { promised: 2, found: 1 });
    assert_eq!(flaw(&with("/nodes/4", json!(huge_but_valid()))), Flaw::EdgeSum { promised: 1, found: u64::MAX });
    assert_eq!(flaw(&with("/edges", json!([]))), Flaw::TooFew { what: "edges", promised: 1, found: 0 });
    assert_eq!(flaw(&with("/edges", json!([2, 1, 6, 2, 1, 6]))), Flaw::TooMany { what: "edges", promised: 1 });
}

fn huge_but_valid() -> u64 {
    u64::MAX
}

#[test]
fn an_array_that_ends_inside_a_row_is_refused() {
    assert_eq!(flaw(&with("/nodes", json!([3, 0, 1, 16, 1, 0, 3]))), Flaw::Ragged { what: "nodes", index: 1 });
    assert_eq!(flaw(&with("/edges", json!([2, 1]))), Flaw::Ragged { what: "edges", index: 0 });
}

#[test]
fn an_edge_must_lead_to_the_beginning_of_a_node() {
    assert_eq!(flaw(&with("/edges/2", json!(12))), Flaw::EdgeOutOfRange { edge: 0, to: 12, end: 12 });
    let to = u64::MAX - u64::MAX % 6;
    assert_eq!(flaw(&with("/edges/2", json!(to))), Flaw::EdgeOutOfRange { edge: 0, to, end: 12 });
    assert_eq!(flaw(&with("/edges/2", json!(7))), Flaw::EdgeInsideNode { edge: 0, to: 7, width: 6 });
}

#[test]
fn types_and_names_must_be_known() {
    assert_eq!(flaw(&with("/nodes/0", json!(4))), Flaw::UnknownType { what: "node", index: 0, kind: 4, count: 4 });
    assert_eq!(flaw(&with("/edges/0", json!(7))), Flaw::UnknownType { what: "edge", index: 0, kind: 7, count: 7 });
    for string in [2, u64::from(u32::MAX), u64::MAX] {
        let edge = flaw(&with("/edges/1", json!(string)));
        assert_eq!(edge, Flaw::StringOutOfRange { what: "edge", index: 0, string, count: 2 });
        let node = flaw(&with("/nodes/7", json!(string)));
        assert_eq!(node, Flaw::StringOutOfRange { what: "node", index: 1, string, count: 2 });
    }
}

#[test]
fn a_graph_without_a_node_has_no_root() {
    assert_eq!(flaw(&Made::default().json()), Flaw::NoRoot);
}

#[test]
fn sizes_that_no_heap_holds_are_refused_before_a_heap_is_made() {
    for size in [1 << 40, u64::MAX / 2, u64::MAX - 16] {
        let snapshot = read(&with("/nodes/9", json!(size))).expect("every figure agrees");
        let refused = replay(&snapshot, None, &options(1), |_| panic!("nothing may begin"));
        assert!(matches!(refused, Err(ReplayError::TooLarge { .. })), "{size}: {refused:?}");
    }
    assert_eq!(flaw(&with("/nodes/9", json!(u64::MAX))), Flaw::SizeSum);
}

#[test]
fn a_string_without_an_end_is_given_up() {
    let head = small().text().replace("\"<dummy>\"", "\"");
    let endless = head.strip_suffix(",\"e0\"]}").expect("it ends in the name").as_bytes().chain(io::repeat(b'x'));
    let error = Snapshot::read(endless).expect_err("it never ends");
    assert!(matches!(error, SnapshotError::Read(_)), "{error}");
}

#[test]
fn a_description_without_an_end_is_given_up() {
    let endless = b"{\"snapshot\":{\"meta\":{\"node_fields\":[".chain(io::repeat(b' '));
    let error = Snapshot::read(endless).expect_err("it never ends");
    assert!(matches!(error, SnapshotError::Read(_)), "{error}");
}

#[test]
fn deep_nesting_is_no_trouble_where_it_is_skipped_and_refused_where_it_is_read() {
    let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
    let skipped = small().text().replace("[1,[2,[3]]]", &deep);
    assert!(skipped.len() > deep.len());
    Snapshot::read(skipped.as_bytes()).expect("the depth is nobody's business");
    let read = small().text().replace("\"nodes\":[", &format!("\"nodes\":{deep}"));
    refusal(read.as_bytes());
}

#[test]
fn a_directory_and_a_missing_file_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(open(directory.path()), Err(SnapshotError::Directory { .. })));
    let missing = open(&directory.path().join("none"));
    assert!(matches!(missing, Err(SnapshotError::Open { .. })), "{missing:?}");
}

/// What the fuzzer of `loom-tests/fuzz` found worth keeping.
#[test]
fn kept_inputs_are_snapshots_or_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../loom-tests/fuzz/corpus/snapshot");
    let (mut sound, mut refused) = (0, 0);
    for file in std::fs::read_dir(folder).expect("the corpus is there") {
        let bytes = std::fs::read(file.expect("readable").path()).expect("readable");
        match Snapshot::read(&*bytes) {
            Ok(snapshot) => {
                let count = snapshot.node_count();
                assert!((0..count).all(|node| snapshot.edges(node).all(|(_, to, _)| to < count)));
                sound += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(sound >= 5 && refused >= 5, "{sound} sound, {refused} refused");
}
