//! Scenarios under shuttle: as many threads as one likes, in interleavings that a seed draws.
//!
//! Half of the runs are scheduled at random and half by priorities with a few changes of them (PCT; Burckhardt et al.,
//! ASPLOS 2010): either finds what the other misses. A run that fails leaves its schedule in `target/verify`, and
//! `schedules replay SCENARIO FILE` runs it again; a whole heap looks at the clock now and then, so it may need the seed.

use crate::Scenario;
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

/// Changes of priority in a run by priorities: a bug of depth n needs n - 1.
const DEPTH: usize = 4;

fn config() -> Config {
    let mut config = Config::new();
    // A pause is deep, and a whole heap takes many steps.
    config.stack_size = 1 << 20;
    config.max_steps = MaxSteps::FailAfter(50_000_000);
    config.failure_persistence = FailurePersistence::File(Some("target/verify".into()));
    config.silence_warnings = true;
    config
}

fn run(scheduler: impl Scheduler + 'static, scenario: Scenario) {
    Runner::new(scheduler, config()).run(scenario.body);
}

/// Runs a scenario `runs` times; returns how often it ran.
pub fn check(scenario: Scenario, runs: usize, seed: u64) -> u64 {
    run(RandomScheduler::new_from_seed(seed, runs / 2), scenario);
    // A scenario may have one thread that does not wait for another, for which there are no priorities to change.
    run(PctScheduler::new_from_seed(seed, DEPTH, runs.div_ceil(2)), scenario);
    runs as u64
}

/// Runs one again, as its schedule says.
pub fn replay(scenario: Scenario, schedule: &std::path::Path) {
    let scheduler = ReplayScheduler::new_from_file(schedule).expect("the schedule can be read");
    run(scheduler, scenario);
}
