//! Each planted bug must make its model fail, for the reason named here; and each order that is said to be spare must be.
//!
//! An order is weakened in every way there is. `Relaxed` in its place must kill each of the models listed for it; half of an
//! `AcqRel` must kill one of them.
//!
//! A model that fails may abort its process, so each runs in a child of its own.
#![cfg(loom)]

use loom_tests::scenarios;
use orinoco_collector::model::planted::{Mutant, ORDERS, SITES, Site};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

/// What loom says of two accesses to plain memory that nothing keeps apart.
const RACE: &str = "Causality violation";
/// What loom says when everyone waits.
const DEADLOCK: &str = "deadlock";

/// What a model of marking says when something is lost.
const WHITE: &str = "can be reached and was not marked";

/// What a model of evacuation says when somebody was forgotten.
const STALE: &str = "leads to where the object was";

/// A site, the model that dies of it, and what it says then.
const KILLS: &[(Site, &str, &str)] = &[
    (Site::forward_probe, "forwarding::the_loser_sees_the_winners_copy", RACE),
    (Site::forward_publish, "forwarding::the_loser_sees_the_winners_copy", RACE),
    (Site::forward_lost, "forwarding::the_loser_sees_the_winners_copy", RACE),
    (Site::forward_lost, "forwarding::a_copy_and_a_retreat_agree", RACE),
    (Site::forward_without_claim, "forwarding::the_loser_sees_the_winners_copy", "one copy becomes the object"),
    (Site::retain_without_claim, "forwarding::what_stays_is_scanned_by_one", RACE),
    (Site::loser_keeps_its_space, "forwarding::the_losers_space_is_given_back", "a copy that is no object"),
    (Site::mark_without_claim, "marking::two_bits_of_one_word_are_both_set", "a neighbour's mark was lost"),
    (Site::mark_without_claim, "marking::one_object_is_pushed_once", "pushed exactly once"),
    (Site::clear_without_claim, "marking::clearing_a_range_spares_a_mark_beside_it", "undo each other"),
    (Site::slot_publish, "barrier::what_is_followed_is_written", RACE),
    (Site::slot_follow, "barrier::what_is_followed_is_written", RACE),
    (Site::slot_exchange, "barrier::what_is_exchanged_is_written", RACE),
    (Site::slot_exchange, "barrier::what_is_claimed_is_written", RACE),
    (Site::slot_follow, "barrier::what_is_claimed_is_written", RACE),
    (Site::barrier_forgets_shade, "barrier::what_moves_behind_the_marker_is_shaded", WHITE),
    (Site::barrier_forgets_shade, "barrier::two_writers_of_one_slot_leave_nothing_white", WHITE),
    (Site::barrier_forgets_shade, "cycle::nothing_that_can_be_reached_stays_white", WHITE),
    (Site::barrier_looks_at_its_host, "barrier::a_host_that_looks_white_is_no_excuse", WHITE),
    (Site::birth_forgets_its_references, "barrier::what_is_born_black_has_shown_its_references", WHITE),
    (Site::marker_ignores_stop, "jobs::a_stop_has_no_marker", RACE),
    (Site::marker_leaves_with_its_work, "jobs::what_markers_held_is_on_the_list", "hidden in a marker"),
    (Site::lock_take, "lock::a_marker_and_holders_take_turns", RACE),
    (Site::lock_take, "lock::two_holders_take_turns", RACE),
    (Site::lock_give, "lock::a_marker_and_holders_take_turns", RACE),
    (Site::lock_look, "lock::a_marker_and_holders_take_turns", RACE),
    (Site::lock_looked, "lock::a_marker_and_holders_take_turns", RACE),
    (Site::marker_looks_into_held_locks, "lock::a_marker_and_holders_take_turns", RACE),
    (Site::entry_waits_unchecked, "weak::a_value_is_shown_when_its_key_is_reached", WHITE),
    (Site::entry_waits_unchecked, "weak::two_markers_of_two_tables_leave_nothing_white", WHITE),
    (Site::reached_key_wakes_nobody, "weak::a_value_is_shown_when_its_key_is_reached", WHITE),
    (Site::reached_key_wakes_nobody, "weak::a_chain_is_followed_whoever_reaches_what", WHITE),
    (Site::weak_look_ignores_marks, "weak::a_target_dies_for_all_at_once", "one weak reference says dead"),
    (Site::sweep_begins_before_clearing_ends, "weak::what_is_not_cleared_is_not_swept", RACE),
    (Site::park, "jobs::a_marker_sees_what_was_stored_before_the_stop", RACE),
    (Site::ask, "jobs::a_marker_sees_what_was_stored_before_the_stop", RACE),
    (Site::gate_open, "jobs::a_marker_sees_what_was_stored_before_the_stop", RACE),
    (Site::gate_enter, "jobs::a_marker_sees_what_was_stored_before_the_stop", RACE),
    (Site::shaded_are_not_handed_over, "cycle::nothing_that_can_be_reached_stays_white", WHITE),
    (Site::turning_on_misses_a_mutator, "cycle::nothing_that_can_be_reached_stays_white", WHITE),
    (Site::turning_off_misses_a_mutator, "cycle::nobody_shades_for_a_cycle_that_is_over", "a cycle that is over"),
    (Site::termination_offer, "termination::everyone_sees_everything_at_the_end", RACE),
    (Site::termination_over, "termination::everyone_sees_everything_at_the_end", RACE),
    (Site::termination_take_before_reenter, "termination::no_work_is_left_at_the_end", RACE),
    (Site::termination_revive, "termination::a_phase_that_is_over_stays_over", RACE),
    (Site::publish_forgets_the_hot_segment, "worklist::work_hidden_in_a_mutator_is_found_in_the_stop", "hidden"),
    (Site::dropped_view_loses_its_work, "worklist::a_view_that_goes_leaves_its_work", "exactly once"),
    (Site::worklist_hint_outside_the_lock, "worklist::every_entry_is_taken_once", "exactly once"),
    (Site::published_read, "published::a_reader_sees_a_whole_version", RACE),
    (Site::slot_publish, "roots::what_a_root_holds_is_written", RACE),
    (Site::slot_follow, "roots::what_a_root_holds_is_written", RACE),
    (Site::root_touched, "roots::a_root_dropped_in_a_stop_is_swept_once", "swept exactly once"),
    (Site::root_swept, "roots::a_root_dropped_in_a_stop_is_swept_once", "swept exactly once"),
    (Site::root_raises_its_flag_first, "roots::a_root_dropped_in_a_stop_is_swept_once", "swept exactly once"),
    (Site::root_is_moved_by_a_store, "roots::a_root_dropped_in_a_stop_is_not_resurrected", "a dropped root is back"),
    (Site::barrier_forgets_candidates, "evacuation::what_is_stored_while_marking_is_updated", STALE),
    (Site::hosts_are_not_handed_over, "evacuation::what_two_markers_found_is_updated", STALE),
    (Site::stale_hosts_are_visited, "evacuation::a_host_that_moved_is_not_visited_where_it_was", RACE),
    (Site::pins_come_late, "evacuation::what_is_pinned_is_held_before_anybody_copies", "what is pinned has moved"),
    (Site::sweep_claim_is_a_look, "sweeping::two_sweepers_sweep_two_regions", "swept twice"),
    (Site::sweep_begins_before_the_purge, "sweeping::what_refers_into_the_dead_goes_before_they_are_swept", RACE),
    (
        Site::candidates_gaps_are_handed_out,
        "sweeping::a_candidates_gaps_are_nobodys_until_it_is_given_up",
        "a gap of a candidate was handed out",
    ),
    (Site::promotion_forgets_its_young, "scavenge::two_workers_leave_one_copy_of_each_object", "and nobody knows"),
    (Site::loser_keeps_its_space, "scavenge::two_workers_leave_one_copy_of_each_object", "a copy that is no object"),
    (Site::forward_publish, "scavenge::two_workers_leave_one_copy_of_each_object", RACE),
    (Site::forward_without_claim, "scavenge::two_workers_leave_one_copy_of_each_object", "lead to two"),
    (Site::gate_leave, "scavenge::two_workers_leave_one_copy_of_each_object", RACE),
    (Site::gate_open, "gate::a_guest_sees_what_was_prepared", RACE),
    (Site::gate_enter, "gate::a_guest_sees_what_was_prepared", RACE),
    (Site::gate_leave, "gate::the_leader_sees_what_its_guests_did", RACE),
    (Site::gate_empty, "gate::the_leader_sees_what_its_guests_did", RACE),
    (Site::gate_enter_unchecked, "gate::the_leader_sees_what_its_guests_did", RACE),
    (Site::hand_works_outside_the_gate, "hands::nobody_is_at_work_when_a_stop_ends", RACE),
    (Site::gate_notify_before_leaving, "gate::the_leader_sees_what_its_guests_did", DEADLOCK),
    (Site::park, "safepoint::a_stop_sees_what_a_parked_mutator_did", RACE),
    (Site::ask, "safepoint::a_stop_sees_what_a_parked_mutator_did", RACE),
    (Site::release, "safepoint::a_mutator_that_resumes_sees_what_the_stop_did", RACE),
    (Site::unpark, "safepoint::a_mutator_that_resumes_sees_what_the_stop_did", RACE),
    (Site::unpark_without_claim, "safepoint::a_stop_and_a_return_do_not_both_proceed", "runs in a stopped world"),
    (Site::unpark_ignores_ask, "safepoint::a_buffer_retired_in_a_stop_is_not_used_again", RACE),
    (Site::attach_in_a_stop, "safepoint::a_newcomer_waits_or_is_stopped", "runs in a stopped world"),
    (Site::attach_copies_the_phase_early, "safepoint::a_newcomer_has_the_phase_that_is", "a phase that is over"),
    (Site::detach_in_a_stop, "safepoint::nobody_leaves_in_a_stop", "left the stop that had asked it"),
    (Site::stop_overtakes_the_waking, "safepoint::two_stops_in_a_row_let_a_mutator_run_between", "nobody asks before"),
];

/// A site whose weakening changes nothing, the model that must pass with it, and why the order is written all the same.
const SPARE: &[(Site, &str, &str)] = &[(
    Site::published_replace,
    "published::a_reader_sees_a_whole_version",
    "the fence in the epoch's pin stands between the writes that a model sees and the swap; the move into the box, which \
     comes after it, is no modelled access, and is what the order is for",
)];

/// Sites in rooms that read real memory, which no model has: tests of their names in `heap.rs` are their witnesses.
const ON_REAL_THREADS: &[Site] = &[
    Site::barrier_forgets_young,
    Site::barrier_forgets_shade,
    Site::lock_is_not_listed,
    Site::marker_ignores_stop,
    Site::marker_forgets_hosts,
    Site::promotion_forgets_hosts,
    Site::table_is_filled_unshaded,
    Site::table_forgets_young,
    Site::black_table_is_forgotten,
    Site::turn_keeps_nothing,
];

/// What the stress program found of the sites in the algorithms above the protocols, when, and in which words.
const UNDER_STRESS: &str = include_str!("../../benches/results/planted.md");

/// Whether the model passed, and what it printed.
fn run(scenario: &str, mutant: Mutant) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_model"))
        .args([scenario, &mutant.to_string()])
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the model's binary stands beside this test");
    let words = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    (output.status.success(), words)
}

/// One mutant, and the models that it is tried in, with the words of each: the first that dies ends it.
type Trial = (Mutant, Vec<(&'static str, &'static str)>);

/// Every listed kill, and every half of an order in the models of the whole.
fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = KILLS.iter().map(|kill| (kill.0.mutants()[0], vec![(kill.1, kill.2)])).collect();
    for (order, _) in ORDERS {
        let models: Vec<_> = KILLS.iter().filter(|kill| kill.0 == *order).map(|kill| (kill.1, kill.2)).collect();
        if !models.is_empty() {
            trials.extend(order.mutants().into_iter().skip(1).map(|half| (half, models.clone())));
        }
    }
    trials
}

/// Tries a mutant; says what is wrong if it lives, or dies of something else.
fn die((mutant, models): &Trial) -> Result<(), String> {
    for (scenario, why) in models {
        let begun = Instant::now();
        let (passed, words) = run(scenario, *mutant);
        let end = if passed { "survived" } else { "died" };
        println!("MUTANT {mutant} in {scenario}: {end} after {:.2?}", begun.elapsed());
        match (passed, words.contains(why)) {
            (true, _) => {}
            (false, true) => return Ok(()),
            (false, false) => return Err(format!("{mutant} died in {scenario} of something else: {words}")),
        }
    }
    Err(format!("{mutant} survived {models:?}"))
}

#[test]
fn every_site_is_listed() {
    for &site in SITES {
        let listed = KILLS.iter().any(|kill| kill.0 == site)
            || SPARE.iter().any(|spare| spare.0 == site)
            || ON_REAL_THREADS.contains(&site)
            || UNDER_STRESS.contains(&format!("| `{site:?}` |"));
        assert!(listed, "{site:?} is in no list");
    }
}

/// The sweep over all orders leaves none out: each dies in a model when it is weakened, or is said to be spare.
#[test]
fn every_order_is_weakened_in_a_model() {
    for &(order, _) in ORDERS {
        let swept = KILLS.iter().any(|kill| kill.0 == order) || SPARE.iter().any(|spare| spare.0 == order);
        assert!(swept, "{order:?} is weakened in no model");
    }
}

#[test]
fn every_site_on_real_threads_has_its_test() {
    let source = include_str!("heap.rs");
    for site in ON_REAL_THREADS {
        assert!(source.contains(&format!("fn {site:?}()")), "{site:?} has no test in heap.rs");
    }
}

#[test]
fn the_stress_program_found_all_that_it_was_given() {
    let rows: Vec<&str> = UNDER_STRESS.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() >= 20, "only {} bugs were planted", rows.len());
    let found = |row: &&str| row.split('|').nth(2).is_some_and(|after| after.trim().ends_with(" s"));
    assert!(rows.iter().all(found), "a bug that the stress program did not find: {rows:#?}");
}

#[test]
fn every_scenario_is_a_test() {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    for scenario in scenarios::all() {
        let (protocol, name) = scenario.name.split_once("::").expect("a name is protocol::what_holds");
        let source = std::fs::read_to_string(format!("{tests}/{protocol}.rs")).expect("a protocol has its test file");
        assert!(source.contains(&format!("    {name},\n")), "{} is in no test file", scenario.name);
    }
}

#[test]
fn planted_bugs_are_found() {
    let (trials, survivors) = (trials(), Mutex::new(Vec::new()));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let worker = || {
        while let Some(trial) = trials.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            if let Err(verdict) = die(trial) {
                survivors.lock().expect("no worker panics").push(verdict);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(worker);
        scope.spawn(worker);
    });
    let survivors = survivors.into_inner().expect("no worker panics");
    println!("MUTANTS {} planted, {} survived", trials.len(), survivors.len());
    assert!(survivors.is_empty(), "{survivors:#?}");
}

#[test]
fn spare_orders_are_spare() {
    for (site, scenario, why) in SPARE {
        for mutant in site.mutants() {
            assert!(run(scenario, mutant).0, "{mutant} matters after all ({why})");
        }
    }
}
