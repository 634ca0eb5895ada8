//! The stress program as a program: what it ends with, and what it leaves.

use std::path::Path;
use std::process::{Command, Output};

fn stress(arguments: &[&str], report: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orinoco"))
        .arg("stress")
        .args(arguments)
        .arg("--report")
        .arg(report)
        .env_remove("ORINOCO_ZEAL")
        .output()
        .expect("the program stands beside this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_holds_ends_with_0_and_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("deeper/report.html");
    let output = stress(&["trees", "cache", "--minutes", "0.02", "--verify", "--seed", "3", "--json"], &report);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    let outcomes: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect();
    assert_eq!(outcomes.len(), 2);
    for outcome in outcomes {
        assert_eq!(outcome["passed"], true);
        assert_eq!(outcome["seed"], 3);
        assert!(outcome["turns"].as_u64() > Some(0) && outcome["checks"].as_u64() > Some(0), "{outcome}");
    }
    let page = std::fs::read_to_string(report).expect("the report is written");
    assert!(page.contains("2 scenarios held") && page.contains("<svg"), "{page}");
}

/// A scenario runs in a child, which was not told where to draw.
#[test]
fn a_picture_is_drawn_where_it_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let plots = folder.path().to_str().expect("a name in Unicode");
    let output = stress(&["spike", "--minutes", "0.05", "--plots", plots], &folder.path().join("report.html"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let picture = std::fs::read_to_string(folder.path().join("spike.svg")).expect("the picture is drawn");
    assert!(picture.contains("<svg"), "{picture}");
}

/// A process that ends itself takes nobody with it; what it said and how to see it again are told.
#[test]
fn what_ends_its_process_is_a_failure_with_its_words_and_a_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.html");
    let output = stress(&["graph", "trees", "--minutes", "0.05", "--faults", "pause:3", "--seed", "5"], &report);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    assert_eq!(told.matches("FAIL").count(), 2, "{told}");
    assert!(told.contains("a fault was asked for in pause 3 (it ended itself)"), "{told}");
    let again = told.lines().find_map(|line| line.trim().strip_prefix("again: orinoco ")).expect("a command");
    assert!(again.contains("--seed=5") && again.contains("--faults=pause:3"), "{again}");
    let once_more: Vec<&str> = again.split_whitespace().skip(1).collect();
    assert_eq!(stress(&once_more, &report).status.code(), Some(1), "the command leads there again");
    let page = std::fs::read_to_string(report).expect("the report is written");
    assert!(page.contains("suspect") || page.contains("regions "), "the page that the process left is in the report");
}

#[test]
fn a_seed_leads_one_mutator_to_the_same_failure_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.html");
    let turns = || {
        let arguments = ["everything", "--replay", "11", "--faults", "pause:9", "--minutes", "0.2", "--json"];
        let output = stress(&arguments, &report);
        assert_eq!(output.status.code(), Some(1));
        let outcome: serde_json::Value = serde_json::from_str(text(&output.stdout).trim()).expect("an object");
        let said = outcome["said"].as_str().expect("the page").to_owned();
        let regions = said.lines().find(|line| line.starts_with("  regions")).expect("a line of the page");
        let doing = said.lines().find(|line| line.starts_with("  doing")).expect("a line of the page");
        format!("{doing}{regions}")
    };
    assert_eq!(turns(), turns());
}

#[test]
fn ctrl_c_ends_cleanly_with_the_report_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.html");
    let child = Command::new(env!("CARGO_BIN_EXE_orinoco"))
        .args(["stress", "lists", "queue", "--minutes", "10", "--report"])
        .arg(&report)
        .stdout(std::process::Stdio::piped())
        .process_group_of_its_own()
        .spawn()
        .expect("the program stands beside this test");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let group = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process_group(group, rustix::process::Signal::INT).expect("the group is there");
    let output = child.wait_with_output().expect("it ends");
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("before Ctrl-C, 0 failed"), "{told}");
    assert!(std::fs::read_to_string(&report).expect("the report is written").contains("1 scenarios held"));
}

trait OwnGroup {
    fn process_group_of_its_own(&mut self) -> &mut Self;
}
impl OwnGroup for Command {
    fn process_group_of_its_own(&mut self) -> &mut Self {
        std::os::unix::process::CommandExt::process_group(self, 0)
    }
}

#[test]
fn bad_words_are_told_in_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.html");
    for (arguments, words) in [
        (&["no-such-scenario"][..], "no-such-scenario"),
        (&["trees", "--minutes", "0"], "minutes"),
        (&["trees", "--mutators", "0"], "mutators"),
        (&["trees", "--zeal=fulll"], "fulll"),
        (&["trees", "--faults", "memory"], "memory:k"),
        (&["trees", "--plant", "barrier_forgets_young"], "gc_mutants"),
    ] {
        let output = stress(arguments, &report);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(words), "{arguments:?}: {}", text(&output.stderr));
    }
}
