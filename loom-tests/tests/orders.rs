//! The orders, read from the source: each that is stronger than `Relaxed`, and each fence, stands in the table of what can be
//! weakened, says whom it is for, and names the model that guards it. There is no other way to write one.

use loom_tests::scenarios;
use orinoco_collector::model::planted::ORDERS;
use std::fs;
use std::path::{Path, PathBuf};

/// How far above an order its comment may end.
const NEAR: usize = 8;

/// It has a phase of such a name, and no atomic word whose order it could be.
const NAMES_A_PHASE: &str = "collector/src/event.rs";

/// Every source file of both crates outside the shim and the table, with its path from the workspace's root, line by line
/// up to the tests.
fn sources() -> Vec<(String, Vec<String>)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("the sources are there").map(|e| e.expect("readable").path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                found.push(entry);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned();
    let mut files = Vec::new();
    ["collector/src", "runtime/src"].iter().for_each(|part| walk(&root.join(part), &mut files));
    let named = |file: &PathBuf| file.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
    let text = |file: &PathBuf| fs::read_to_string(file).expect("readable");
    let lines = |file: &PathBuf| {
        text(file)
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(") || !line.contains("test"))
            .map(str::to_owned)
            .collect()
    };
    let sources: Vec<_> = files.iter().map(|file| (named(file), lines(file))).collect();
    assert!(sources.len() > 60, "only {} files found", sources.len());
    sources.into_iter().filter(|(path, _)| !path.contains("/sync/") && !path.ends_with("/planted.rs")).collect()
}

fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or("")
}

/// The words of a line.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Whether a line takes an order from the table.
fn uses_the_table(line: &str) -> bool {
    let code = code(line);
    code.match_indices("ord::").any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// How many orders stronger than `Relaxed` are written out in a line.
fn written_out(line: &str) -> usize {
    // `Phase::Release` is a phase.
    let line = code(line).replace("Phase::Release", "");
    words(&line).filter(|word| matches!(*word, "Acquire" | "Release" | "AcqRel" | "SeqCst" | "fence")).count()
}

#[test]
fn an_order_is_written_through_the_table() {
    for (path, lines) in sources() {
        if path == NAMES_A_PHASE {
            assert!(!lines.iter().any(|line| code(line).contains("Atomic")), "{path} has atomics now");
            continue;
        }
        let found: Vec<_> = lines.iter().filter(|line| written_out(line) > 0).collect();
        assert!(found.is_empty(), "{path} writes out orders that no model can weaken: {found:#?}");
    }
}

#[test]
fn an_order_says_whom_it_is_for() {
    for (path, lines) in sources() {
        for (n, _) in lines.iter().enumerate().filter(|(_, line)| uses_the_table(line)) {
            // Inside `if bug::… { … }` stands the mistake, not the protocol.
            let near = &lines[n.saturating_sub(NEAR)..n];
            let planted = near.iter().rev().take(4).any(|line| line.contains("bug::"));
            let said = near.iter().any(|line| {
                let comment = line.trim_start();
                comment.starts_with("//") && words(comment).any(|word| matches!(word, "Acquire" | "Release" | "AcqRel"))
            });
            assert!(planted || said, "{path}:{}: an order without its reason", n + 1);
        }
    }
}

#[test]
fn a_room_with_orders_names_the_models_that_guard_it() {
    let known: Vec<_> = scenarios::all().iter().map(|scenario| scenario.name).collect();
    for (path, lines) in sources() {
        let named: Vec<&str> = lines
            .iter()
            .filter(|line| line.trim_start().starts_with("//"))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .filter(|name| {
                name.split_once("::").is_some_and(|(protocol, name)| {
                    known.iter().any(|scenario| scenario.starts_with(&format!("{protocol}::"))) && name.contains('_')
                })
            })
            .collect();
        for name in &named {
            assert!(known.contains(name), "{path} names the model {name}, which there is not");
        }
        assert!(
            !lines.iter().any(|line| uses_the_table(line)) || !named.is_empty(),
            "{path} has orders and names no model"
        );
    }
}

#[test]
fn every_order_in_the_table_is_used() {
    let text: String = sources().into_iter().flat_map(|(_, lines)| lines).collect::<Vec<_>>().join("\n");
    for (order, _) in ORDERS {
        assert!(text.contains(&format!("ord::{order:?}()")), "{order:?} is used nowhere");
    }
}
