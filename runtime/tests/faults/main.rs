//! What goes wrong around a heap, what is promised then, and the test that it holds.
//!
//! | fault | promise | test |
//! | --- | --- | --- |
//! | memory refused at the k-th request | allocation is refused with `OutOfMemory`, or works; nothing is lost; with memory again it works | `memory_refused_at_any_request_is_an_error_and_loses_nothing` |
//! | memory refused now and then | nothing but refusals | `memory_refused_now_and_then_costs_refusals_only` |
//! | address space refused | `HeapError::Reservation` | `address_space_refused_is_a_typed_error` |
//! | helper threads refused | `HeapError::Helpers`; without helpers the heap works | `helpers_refused_are_a_typed_error_and_none_are_needed` |
//! | a mutator that never polls | the watchdog names it; whoever waits goes on when it polls | `a_mutator_that_never_polls_is_named` |
//! | the same, `abort_when_stalled` | the process ends, and says who | `a_stalled_process_ends_if_it_is_to` |
//! | a lock that is not given | the watchdog names who waits and who holds it | `who_waits_for_a_lock_and_who_holds_it_are_named` |
//! | a panic in a pause (a mistake of ours) | the process ends after the message: the heap is half moved | `a_panic_in_a_pause_ends_the_process_and_says_why` |
//! | a helper dies in a pause | it can only by a panic, for no user code runs in it: the process ends after the message | `a_helper_that_dies_in_a_pause_ends_the_process_and_says_why` |
//! | a panic in `Drop` | unwinds out of the safepoint; the others are dropped | `a_drop_that_panics_does_not_keep_others_from_being_dropped` |
//! | a panic in a finalizer's callback | unwinds out of `run_finalizers`; the others are called by the next | `a_callback_that_throws_does_not_lose_the_others` |
//! | a panic in an observer | unwinds out of the safepoint; the heap is whole | `an_observer_that_panics_leaves_the_heap_whole_and_running` |
//! | a panic in a turn | the mutator is parked and can run again | `a_turn_that_panics_leaves_a_mutator_that_can_run_again` |
//! | a panic under a lock | the lock is given, its stores count | `a_panic_under_a_lock_releases_it_and_its_stores_count` |
//! | the limit, reached anywhere | `LimitReached`; what is held is whole | `a_limit_reached_anywhere_loses_nothing` |
//! | signals, many | nobody notices | `a_storm_of_signals_changes_nothing` |
//! | the clock on the wall jumps | nobody looks at it | `nothing_reads_the_clock_on_the_wall` |
//! | `fork` in a child that only execs | parent and child go on | `a_process_with_a_heap_can_start_others` |
//!
//! Where the process may end, or its limits are lowered, the test runs itself again in a child (see [`in_child`]).
#[path = "../common/mod.rs"]
mod common;
mod memory;
mod stalls;
mod system;

use std::process::{Command, Output};

/// Set in the child to the name of the test that is to do its dangerous part.
const CHILD: &str = "ORINOCO_FAULT_CHILD";

/// In the child: does `danger` and ends the process. In the test: runs it in a child and says what came of that.
fn in_child(test: &str, danger: impl FnOnce()) -> Output {
    if std::env::var_os(CHILD).is_some_and(|name| name == test) {
        danger();
        std::process::exit(0);
    }
    Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("a child can be started")
}

/// What a child said, for a failure's message.
fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// Each promise of the table names a test that exists.
#[test]
fn every_row_has_its_test() {
    let mut sources = String::new();
    for folder in ["faults", "behaviour", "behaviour/weak"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
        for file in std::fs::read_dir(folder).expect("the tests are there") {
            let path = file.expect("readable").path();
            if path.is_file() {
                sources += &std::fs::read_to_string(path).expect("readable");
            }
        }
    }
    let table = include_str!("main.rs");
    let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("//! | ") && l.ends_with("` |")).collect();
    assert!(rows.len() >= 18, "{} rows", rows.len());
    for row in rows {
        let name = row.trim_end_matches("` |").rsplit('`').next().expect("the last column is a name");
        assert!(sources.contains(&format!("fn {name}()")), "{name} is no test");
    }
}
