//! The report on pauses and the comparison of techniques, through the program.

use std::process::{Command, Output};

use serde_json::Value;

fn orinoco(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orinoco")).args(arguments.split(' ')).output().expect("the program starts")
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn kinds(section: &Value) -> Vec<&str> {
    section["stops"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect()
}

#[test]
fn pauses_are_reported_by_kind_and_by_window_as_json_and_as_tables() {
    let output = orinoco("bench splay 2 2 --pauses --json");
    let pauses = &json(&output)["pauses"];
    let (whole, rest) = (&pauses["sections"][0], &pauses["sections"][1]);
    for kind in ["scavenge", "mark start", "mark finish", "all"] {
        assert!(kinds(whole).contains(&kind), "{kind} in {:?}", kinds(whole));
    }
    assert_eq!(pauses["untold"], 0);
    assert!(rest["seconds"].as_f64() < whole["seconds"].as_f64());
    let windows = whole["utilization"].as_array().unwrap();
    assert_eq!(windows.iter().map(|of| &of["window_ms"]).collect::<Vec<_>>(), [1, 2, 5, 10, 20, 50, 100, 200, 1000]);
    let (mmu, bmu) = (windows[4]["mmu"].as_f64().unwrap(), windows[4]["bmu"].as_f64().unwrap());
    assert!((0.0..1.0).contains(&mmu) && bmu <= mmu);
    assert!(pauses["machine"]["hiccups_during"]["count"].as_u64() > Some(0));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("MMU") && text.contains("mark finish"), "{text}");
}

#[test]
fn a_cycle_in_one_stop_has_no_stop_of_another_kind() {
    let line = json(&orinoco("bench splay 2 1 --pauses --json --no-concurrent-marking --no-incremental-marking"));
    assert_eq!(line["config"], "no-concurrent-marking,no-incremental-marking");
    assert_eq!(kinds(&line["pauses"]["sections"][0]), ["scavenge", "full", "all"]);
}

#[test]
fn without_concurrent_marking_and_helpers_mutators_mark_in_steps() {
    let line = json(&orinoco("bench splay 2 2 --pauses --json --no-concurrent-marking --helpers 0"));
    assert!(kinds(&line["pauses"]["sections"][0]).contains(&"step"));
}

#[test]
fn techniques_are_compared_side_by_side() {
    let comparison = json(&orinoco("compare splay --size 1 --rounds 1 --json"));
    assert!(comparison["one_stop"]["cycles"].as_f64() > Some(0.0));
    assert!(comparison["marking_saved_of_one_stop"].is_f64() && comparison["young_saved"].is_f64());
    let text = String::from_utf8(orinoco("compare splay --size 1 --rounds 1").stdout).unwrap();
    assert!(text.contains("steps only") && text.contains("parallel scavenging saves"), "{text}");
    assert!(!orinoco("compare splay --rounds 0").status.success());
}
