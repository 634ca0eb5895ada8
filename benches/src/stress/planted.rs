//! Whether the stress program finds bugs: each is planted, and a minute is given to find it.
//!
//! ```text
//!   site ─▶ everything, all kinds of collections     ─not found▶ a graph, marked by its mutators
//!        ─▶ arrays, marked in single steps             ─not found▶ everything, so too
//!        ─▶ everything, survivors stay where they are  ─not found▶ everything, verified    ─not found▶ survived
//! ```
//!
//! Only in a build where bugs can be planted: `cargo stress-planted` makes it, runs this and stores the table.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use orinoco_collector::planted::{Mutant, Site};

use super::child::run_in_child;

/// The bugs to find: those of the algorithms, which no model has, and some of the protocols.
///
/// `loser_keeps_its_space` is not among them: in a heap the loser's copy is a whole object that is dead, so what is lost is
/// room until its region is emptied; a model counts it.
pub const BUGS: &[Site] = &[
    Site::barrier_forgets_young,
    Site::barrier_forgets_shade,
    Site::lock_is_not_listed,
    Site::birth_forgets_its_references,
    Site::shaded_are_not_handed_over,
    Site::marker_ignores_stop,
    Site::promotion_forgets_its_young,
    Site::remembered_place_is_dropped,
    Site::range_forgets_young,
    Site::range_forgets_shade,
    Site::weak_keeps_the_dead,
    Site::forwarding_is_stale,
    Site::roots_skip_a_chunk,
    Site::frames_are_skipped,
    Site::lab_tail_is_lost,
    Site::overflow_tail_is_lost,
    Site::sweep_looks_one_late,
    Site::sweep_leaves_marks,
    Site::slice_ends_early,
    Site::ephemeron_value_is_skipped,
    Site::registry_forgets_held,
    Site::dead_are_buried_twice,
    Site::promoted_stays_white,
    Site::unswept_gaps_are_reused,
    Site::purge_keeps_the_dead,
    Site::hash_is_left_behind,
    Site::large_is_freed_black,
    Site::retained_are_not_scanned,
];

/// What is tried, in this order, and for how many seconds: a minute together.
///
/// Marking without helpers, and in single steps, goes on for long, so that much is stored behind the marker's back.
const TRIALS: &[(&str, &str, f64)] = &[
    ("everything", "--verify --zeal=alternating:9,marking,poison,forbid", 14.0),
    ("graph", "--verify --zeal=young:30,marking,poison --helpers=0", 6.0),
    ("arrays", "--verify --zeal=young:30,marking,step,poison", 10.0),
    ("everything", "--verify --zeal=young:30,marking,step,poison", 8.0),
    ("everything", "--verify --zeal=young:30,retain,poison", 6.0),
    ("everything", "--verify", 16.0),
];

/// Plants a bug in this process.
///
/// # Errors
/// If there is no such bug, or none can be planted in this build.
pub fn plant(name: &str) -> Result<()> {
    let mutant = Mutant::by_name(name).with_context(|| format!("there is no bug {name:?}"))?;
    #[cfg(gc_mutants)]
    orinoco_collector::planted::arm(Some(mutant));
    ensure!(cfg!(gc_mutants), "{mutant} can be planted in a build with --cfg gc_mutants only: cargo stress-planted");
    Ok(())
}

/// Plants each in turn; the table, and how many were not found. `told` is shown each row.
///
/// # Errors
/// When no child can be started, or this is no build to plant bugs in.
pub fn hunt(seed: u64, mut told: impl FnMut(&str)) -> Result<(String, usize)> {
    ensure!(cfg!(gc_mutants), "bugs can be planted in a build with --cfg gc_mutants only: cargo stress-planted");
    let mut table = String::from(HEADER);
    let mut survivors = 0;
    for site in BUGS {
        let began = Instant::now();
        let row = match find(*site, seed)? {
            Some((trial, words)) => {
                let seconds = began.elapsed().as_secs_f64();
                format!("| `{site:?}` | {seconds:.1} s | `{trial}` | {} |", words.replace('|', "/"))
            }
            None => {
                survivors += 1;
                format!("| `{site:?}` | | not found in a minute | |")
            }
        };
        told(&row);
        let _ = writeln!(table, "{row}");
    }
    let _ = writeln!(table, "\n{} planted, {survivors} not found.", BUGS.len());
    Ok((table, survivors))
}

const HEADER: &str = "# Planted bugs, and what found them

Each bug is planted in the shipping algorithms (`collector/src/planted.rs` says what it is) and `orinoco stress` gets a
minute with two mutators, whatever else the machine does. `cargo stress-planted` makes this table again.

| bug | found after | by | in these words |
| --- | --- | --- | --- |
";

/// The trial that found it, and what that said.
fn find(site: Site, seed: u64) -> Result<Option<(String, String)>> {
    for (scenario, trial, seconds) in TRIALS {
        let mut arguments: Vec<String> = trial.split_whitespace().map(str::to_owned).collect();
        arguments.extend([
            "--minutes".to_owned(),
            format!("{}", seconds / 60.0),
            "--seed".to_owned(),
            seed.to_string(),
        ]);
        arguments.extend(["--plant".to_owned(), format!("{site:?}")]);
        let outcome = run_in_child(scenario, &arguments, |_| {})?;
        if !outcome.passed {
            let words: String = outcome.failure.unwrap_or_default().chars().take(160).collect();
            return Ok(Some((format!("{scenario} {trial}"), without_addresses(&words))));
        }
    }
    Ok(None)
}

/// Addresses differ from run to run, and say nothing.
fn without_addresses(words: &str) -> String {
    let mut text = String::new();
    let mut rest = words;
    while let Some(at) = rest.find("0x") {
        text += &rest[..at];
        text += "0x…";
        rest = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_ships_plants_nothing() {
        if cfg!(gc_mutants) {
            return;
        }
        assert!(plant("barrier_forgets_young").unwrap_err().to_string().contains("gc_mutants"));
        assert!(plant("no_such_bug").is_err());
        assert!(hunt(0, |_| {}).is_err());
    }

    #[test]
    fn addresses_are_left_out() {
        assert_eq!(without_addresses("old 0x7f00aa refers to 0x12, a"), "old 0x… refers to 0x…, a");
    }
}
