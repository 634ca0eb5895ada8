//! The program itself: what it prints, and how it ends.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::{
    bundled,
    made::{small, write},
};

fn orinoco(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orinoco")).args(arguments).output().unwrap()
}

fn replay(file: &Path, arguments: &[&str]) -> Output {
    let file = file.to_str().unwrap();
    orinoco(&[&["replay", file, "--limit", "512", "--rounds", "1", "--litter", "1"], arguments].concat())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_replay_prints_one_json_object_with_the_agreed_fields() {
    let output = replay(&bundled(), &["--threads", "2", "--json"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figures = [("nodes", 60_819), ("edges", 231_816), ("reachable_nodes", 60_739), ("threads", 2)];
    for (field, figure) in figures.into_iter().chain([("reachable_self_bytes", 2_742_927)]) {
        assert_eq!(report[field], figure, "{field}");
    }
    assert!(report["scavenges"].is_u64() && report["full_collections"].as_u64() > Some(0));
    assert!(report["max_pause_ms"].as_f64().is_some_and(f64::is_finite));
    assert_eq!(report["verified"], true);
}

#[test]
fn a_replay_prints_a_table_of_pauses() {
    let output = replay(&bundled(), &[]);
    let table = text(&output.stdout);
    for word in
        ["scavenge", "full", "p50", "p99", "max", "copied", "promoted", "freed", "the oracle agrees", "verified"]
    {
        assert!(table.contains(word), "{word}:\n{table}");
    }
    assert!(output.status.success());
}

#[test]
fn a_wrong_oracle_ends_with_failure() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x.heapsnapshot");
    fs::write(&file, small().text()).unwrap();
    for (nodes, code) in [(2, 0), (3, 1)] {
        let oracle = format!("{{\"reachable\":{{\"ephemeron\":{{\"nodes\":{nodes},\"bytes\":40}}}}}}");
        fs::write(directory.path().join("x.oracle.json"), oracle).unwrap();
        let output = replay(&file, &["--json"]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["verified"], code == 0);
    }
    fs::write(directory.path().join("x.oracle.json"), "[]").unwrap();
    one_clear_line(&replay(&file, &[]), "not an oracle");
}

fn one_clear_line(output: &Output, word: &str) {
    let line = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(text(&output.stdout), "");
    assert!(line.starts_with("orinoco: ") && line.contains(word) && !line.contains("panicked"), "{line}");
    assert_eq!(line.matches('\n').count(), 1, "{line}");
    assert!(line.ends_with('\n'));
}

#[test]
fn a_bad_snapshot_gives_one_clear_line() {
    let directory = tempfile::tempdir().unwrap();
    one_clear_line(&replay(directory.path(), &[]), "is a directory");
    let missing = replay(&directory.path().join("none"), &[]);
    one_clear_line(&missing, "No such file");
    assert_eq!(text(&missing.stderr).matches("No such file").count(), 1, "what happened is said once");
    let whole = small().json();
    let with = |path: &str, value: Value| {
        let mut snapshot = whole.clone();
        *snapshot.pointer_mut(path).unwrap() = value;
        write(&snapshot)
    };
    let cases = [
        (String::new(), "empty"),
        ("plainly\nno snapshot".to_owned(), "not JSON"),
        (write(&whole)[..200].to_owned(), "truncated"),
        (with("/nodes/3", "sixteen\nbytes".into()), "not a heap snapshot"),
        (with("/snapshot/node_count", u64::MAX.into()), "promised"),
        (with("/snapshot/node_count", 4_000_000_000u64.into()), "promised"),
        (with("/edges/2", 600.into()), "leads to offset 600"),
        (with("/nodes/3", (1u64 << 50).into()), "limited"),
    ];
    for (content, word) in cases {
        let file = directory.path().join("bad.heapsnapshot");
        fs::write(&file, content).unwrap();
        one_clear_line(&replay(&file, &["--json"]), word);
    }
}

#[test]
fn absurd_counts_need_no_memory() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("absurd.heapsnapshot");
    let mut snapshot = small().json();
    *snapshot.pointer_mut("/snapshot/node_count").unwrap() = 4_000_000_000u64.into();
    fs::write(&file, write(&snapshot)).unwrap();
    // 256 MiB of address space would not hold a thousandth of what is promised.
    let program = env!("CARGO_BIN_EXE_orinoco");
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 262144 && exec \"$0\" replay \"$1\"", program, file.to_str().unwrap()])
        .output()
        .unwrap();
    one_clear_line(&output, "4000000000 nodes are promised, 2 are there");
}

#[test]
fn a_choice_out_of_range_is_refused() {
    for wrong in [["--threads", "0"], ["--threads", "many"], ["--cut", "1"], ["--cut", "1:2000"]] {
        let output = replay(&bundled(), &wrong);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(wrong[0]), "{output:?}");
    }
    let output = orinoco(&["replay", bundled().to_str().unwrap(), "--nursery", "1"]);
    one_clear_line(&output, "nursery");
    let output = orinoco(&["replay", bundled().to_str().unwrap(), "--limit", "4"]);
    one_clear_line(&output, "--limit");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_orinoco"))
        .args(["replay", bundled().to_str().unwrap(), "--rounds", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!text(&output.stderr).contains("panicked"), "{output:?}");
}

#[test]
fn a_snapshot_may_be_packed_or_plain() {
    let directory = tempfile::tempdir().unwrap();
    let plain = small().text();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain.as_bytes()).unwrap();
    let packed = [gzip.finish().unwrap(), zstd::encode_all(plain.as_bytes(), 3).unwrap(), plain.into_bytes()];
    for content in packed {
        let file = directory.path().join("x.heapsnapshot");
        fs::write(&file, content).unwrap();
        let output = replay(&file, &["--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["reachable_nodes"], &report["verified"]), (&2.into(), &true.into()));
    }
}
