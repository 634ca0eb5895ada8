//! A whole heap under its verifier; and, in a build where bugs can be planted, each that no model can reach.
//! The bugs are planted by `cargo planted`.
#![cfg(not(loom))]

use loom_tests::heap::{Work, run};

/// Safepoints of a run: some dozens of collections, each with two walks of the heap.
const ROUNDS: u64 = 400;

#[test]
fn lists_that_change_places_while_marking_goes_on_are_all_there() {
    let cycles = run(Work::Slots, ROUNDS, 1);
    assert!(cycles > 1, "marking went on {cycles} times");
}

#[test]
fn lists_that_go_in_and_out_of_locks_while_marking_goes_on_are_all_there() {
    let cycles = run(Work::Locks, ROUNDS, 1);
    assert!(cycles > 1, "marking went on {cycles} times");
}

#[test]
fn lists_that_change_places_while_every_old_region_is_emptied_are_all_there() {
    let cycles = run(Work::Moves, ROUNDS, 1);
    assert!(cycles > 1, "marking went on {cycles} times");
}

#[test]
fn what_tables_keep_and_turns_have_seen_is_there_while_marking_goes_on() {
    let cycles = run(Work::Weak, ROUNDS, 1);
    assert!(cycles > 1, "marking went on {cycles} times");
}

#[cfg(gc_mutants)]
mod planted {
    use orinoco_collector::model::planted::Site;
    use std::process::Command;

    /// Whether the heap came through, and what it said.
    fn run(work: &str, site: Site) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_heap"))
            .args([work, "8000", &format!("{site:?}")])
            .env("RUST_BACKTRACE", "0")
            .output()
            .expect("the heap's binary stands beside this test");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn dies(work: &str, site: Site, why: &str) {
        let (passed, words) = run(work, site);
        assert!(!passed, "{site:?} survived {work}");
        assert!(words.contains(why), "{site:?} died in {work} of something else: {words}");
    }

    #[test]
    fn barrier_forgets_young() {
        dies("slots", Site::barrier_forgets_young, "V3");
    }

    #[test]
    fn barrier_forgets_shade() {
        dies("slots", Site::barrier_forgets_shade, "V5");
    }

    /// A lock that was taken is shown to the marker by the remembered set alone.
    #[test]
    fn lock_is_not_listed() {
        dies("locks", Site::lock_is_not_listed, "V");
    }

    #[test]
    fn marker_forgets_hosts() {
        dies("moves", Site::marker_forgets_hosts, "V6");
    }

    #[test]
    fn promotion_forgets_hosts() {
        dies("moves", Site::promotion_forgets_hosts, "V6");
    }

    /// What the models see in a toy, the verifier sees in a heap.
    #[test]
    fn barrier_forgets_candidates() {
        dies("moves", Site::barrier_forgets_candidates, "V6");
    }

    #[test]
    fn stale_hosts_are_visited() {
        dies("moves", Site::stale_hosts_are_visited, "");
    }

    #[test]
    fn table_is_filled_unshaded() {
        dies("weak", Site::table_is_filled_unshaded, "V5");
    }

    #[test]
    fn table_forgets_young() {
        dies("weak", Site::table_forgets_young, "V3");
    }

    #[test]
    fn black_table_is_forgotten() {
        dies("weak", Site::black_table_is_forgotten, "V2");
    }

    #[test]
    fn turn_keeps_nothing() {
        dies("weak", Site::turn_keeps_nothing, "gone in the same turn");
    }

    #[test]
    fn marker_ignores_stop() {
        dies("slots", Site::marker_ignores_stop, "a gate is opened when its last phase is over");
    }
}
