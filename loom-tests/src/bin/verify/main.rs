//! `cargo verify quick|full|soak [MINUTES]`: every witness that this machine has, one after another, and what each saw.
//!
//! ```text
//!   quick   in CI, at most 5 minutes on two idle cores
//!   full    by hand before a release, at most an hour
//!   soak    what draws at random, with other seeds each time, until the minutes are over or something is found
//! ```
//!
//! `cargo verify [full] STEP …` runs only the named steps; `cargo verify sweep` keeps what the sweep over all orders says in
//! `loom-tests/sweep.md`, and `cargo verify mutants` what became of changes made by rote in `loom-tests/mutants.md`. What a step prints goes to `target/verify/STEP.log`. A tool that is not there is said to be
//! SKIPPED, with the reason. The last line counts.

#[cfg(not(any(loom, shuttle, gc_tsan, miri)))]
mod mutants;
mod run;
mod steps;
mod sweep;

use run::Outcome;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use steps::{STEPS, Step, Tier};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run::go_to_the_workspace();
    match words.as_slice() {
        ["quick"] => once(Tier::Quick, &chosen(Tier::Quick)),
        ["full"] => once(Tier::Full, &chosen(Tier::Full)),
        ["soak"] => soak(None),
        ["soak", minutes] if minutes.parse::<u64>().is_ok() => soak(minutes.parse().ok()),
        ["sweep"] => sweep::keep(),
        #[cfg(not(any(loom, shuttle, gc_tsan, miri)))]
        ["mutants"] => mutants::keep(),
        ["full", steps @ ..] if known(steps) => once(Tier::Full, &named(steps)),
        steps if known(steps) => once(Tier::Quick, &named(steps)),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: cargo verify quick|full|soak [MINUTES]|sweep|mutants|STEP …");
    STEPS.iter().for_each(|step| eprintln!("  {:<11} {:<6} {}", step.name, step.tier.name(), step.proves));
    ExitCode::from(2)
}

/// Whether these are steps, and at least one.
fn known(words: &[&str]) -> bool {
    !words.is_empty() && words.iter().all(|word| STEPS.iter().any(|step| step.name == *word))
}

fn named(words: &[&str]) -> Vec<&'static Step> {
    STEPS.iter().filter(|step| words.contains(&step.name)).collect()
}

/// The steps of a tier; a higher one has those of the lower.
fn chosen(tier: Tier) -> Vec<&'static Step> {
    STEPS.iter().filter(|step| step.tier <= tier).collect()
}

/// Runs steps, prints what each covered, and counts.
fn once(tier: Tier, steps: &[&Step]) -> ExitCode {
    let begun = Instant::now();
    // Two at a time: most of them build, or end, with one thread at work.
    let outcomes: Vec<Outcome> = run::in_two_lanes(steps.len(), |at| report(steps[at], tier, 1));
    let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| of(outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    println!("\n{} s", begun.elapsed().as_secs());
    println!(
        "{} passed, {failed} failed, {} skipped",
        count(|outcome| matches!(outcome, Outcome::Passed(_))),
        count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    );
    ExitCode::from(u8::from(failed > 0))
}

fn report(step: &Step, tier: Tier, seed: u64) -> Outcome {
    let begun = Instant::now();
    let outcome = (step.run)(tier, seed);
    println!("{:<11} {:>5} s  {outcome}", step.name, begun.elapsed().as_secs());
    outcome
}

/// The steps that draw at random, again and again.
fn soak(minutes: Option<u64>) -> ExitCode {
    let begun = Instant::now();
    let limit = minutes.map_or(Duration::MAX, |minutes| Duration::from_secs(60 * minutes));
    let steps: Vec<&Step> = STEPS.iter().filter(|step| step.draws).collect();
    let mut rounds = 0;
    while begun.elapsed() < limit {
        // A seed that no earlier soak had.
        let seed = std::time::UNIX_EPOCH.elapsed().map_or(rounds, |now| now.as_nanos() as u64);
        for step in &steps {
            if let Outcome::Failed(_) = report(step, Tier::Soak, seed) {
                println!("found in round {} with seed {seed}, after {} s", rounds + 1, begun.elapsed().as_secs());
                return ExitCode::FAILURE;
            }
        }
        rounds += 1;
    }
    println!("{rounds} rounds, nothing found");
    ExitCode::SUCCESS
}
