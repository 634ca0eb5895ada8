//! `orinoco stress`: scenarios that try to break the heap, one after another; 0 only if none did.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;
use orinoco::Zeal;

use crate::stress::context::Options;
use crate::stress::run::{self, Outcome};
use crate::stress::{SCENARIOS, Scenario, by_name};

/// Tortures the heap, and says exactly what went wrong and how to see it again
#[derive(Args, Debug)]
#[command(after_help = scenarios())]
pub struct StressArgs {
    /// Which scenarios; all of them if none is named
    scenarios: Vec<String>,
    /// Decides everything that is left to chance; from the clock if not given
    #[arg(long)]
    seed: Option<u64>,
    /// How long all scenarios together go on
    #[arg(long, value_name = "MINUTES", default_value_t = 0.5)]
    minutes: f64,
    /// Mutator threads
    #[arg(long, default_value_t = 2)]
    mutators: usize,
    /// Threads that help in collections
    #[arg(long)]
    helpers: Option<usize>,
    /// Zeal, in words: young:3, full, everything, alternating, alloc:64, marking, step, promote, labs, nursery, delays,
    /// poison, forbid; or all. The environment's ORINOCO_ZEAL if not given
    #[arg(long, value_name = "WORDS", num_args = 0..=1, default_missing_value = "all", require_equals = true)]
    zeal: Option<Zeal>,
    /// Let the heap walk and check itself before and after every collection
    #[arg(long)]
    verify: bool,
    /// Run as a failure said: one mutator, and the seed decides when the heap collects
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seed", "mutators"])]
    replay: Option<u64>,
    /// Print one JSON object for each scenario, on one line
    #[arg(long)]
    json: bool,
}

fn scenarios() -> String {
    let lines: Vec<_> = SCENARIOS.iter().map(|s| format!("  {:<14}{}", s.name, s.shows)).collect();
    format!("Scenarios:\n{}", lines.join("\n"))
}

/// Runs the command. The exit code says whether everything held.
///
/// # Errors
/// If an argument is out of range.
pub fn run(args: StressArgs) -> Result<ExitCode> {
    let chosen = args.chosen()?;
    let options = args.options(chosen.len())?;
    let mut all_passed = true;
    for scenario in chosen {
        let outcome = run::run(scenario, &options);
        all_passed &= outcome.passed;
        super::print(&if args.json { serde_json::to_string(&outcome)? } else { line(&outcome, &args) })?;
    }
    Ok(if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl StressArgs {
    fn chosen(&self) -> Result<Vec<&'static Scenario>> {
        if self.scenarios.is_empty() {
            return Ok(SCENARIOS.iter().collect());
        }
        let one = |name: &String| match by_name(name) {
            Some(scenario) => Ok(scenario),
            None => bail!("there is no scenario {name:?}; `orinoco stress --help` lists them"),
        };
        self.scenarios.iter().map(one).collect()
    }
    fn options(&self, scenarios: usize) -> Result<Options> {
        ensure!(self.minutes > 0.0 && self.minutes <= 1e6, "the minutes must be above 0 and at most a million");
        ensure!((1..=1024).contains(&self.mutators), "the number of mutators must lie between 1 and 1024");
        let clock = || std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64);
        Ok(Options {
            seed: self.replay.or(self.seed).unwrap_or_else(clock),
            time: Duration::from_secs_f64(self.minutes * 60.0 / scenarios as f64),
            mutators: if self.replay.is_some() { 1 } else { self.mutators },
            helpers: self.helpers,
            zeal: self.zeal.map_or_else(Zeal::from_env, Ok)?,
            verify: self.verify,
            deterministic: self.replay.is_some(),
        })
    }
}

fn line(outcome: &Outcome, args: &StressArgs) -> String {
    let fields: String = outcome.fields.iter().map(|(name, value)| format!(", {name} {value}")).collect();
    let mut text = format!(
        "{} {:<14} {:>6.1} s, {} turns, {} checks, {} scavenges, {} full, {} MiB, longest stop {} ms{fields}",
        if outcome.passed { "ok  " } else { "FAIL" },
        outcome.scenario,
        outcome.seconds,
        outcome.turns,
        outcome.checks,
        outcome.scavenges,
        outcome.full_collections + outcome.evacuations,
        outcome.mib,
        outcome.longest_stop_ms,
    );
    if let Some(failure) = &outcome.failure {
        let verify = if args.verify { " --verify" } else { "" };
        text += &format!(
            "\n     {failure}\n     again: orinoco stress {} --seed {} --mutators {}{verify}",
            outcome.scenario, outcome.seed, outcome.mutators
        );
    }
    text
}
