//! `orinoco stress`: scenarios that try to break the heap, one after another; 0 only if none did.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use orinoco::{Faults, Zeal};

use crate::stress::child::{Pulse, inside, run_in_child};
use crate::stress::context::{Context, Options};
use crate::stress::run::Outcome;
use crate::stress::{SCENARIOS, Scenario, by_name, html, planted, stops};

/// Tortures the heap, and says exactly what went wrong and how to see it again
#[derive(Args, Clone, Debug)]
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
    /// Zeal, in words: young:3, full, everything, alternating, alloc:64, marking, step, compact, promote, retain, labs,
    /// nursery, delays, poison, forbid; or all. The environment's ORINOCO_ZEAL if not given
    #[arg(long, value_name = "WORDS", num_args = 0..=1, default_missing_value = "all", require_equals = true)]
    zeal: Option<Zeal>,
    /// Let the heap walk and check itself before and after every collection
    #[arg(long)]
    verify: bool,
    /// What the system is to refuse, in words: memory:K, memory-every:N; pause:K makes the K-th pause panic,
    /// helper:K the K-th who helps in one
    #[arg(long, value_name = "WORDS", default_value = "")]
    faults: Faults,
    /// Run as a failure said: one mutator, and the seed decides when the heap collects
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seed", "mutators"])]
    replay: Option<u64>,
    /// Draw the pictures of scenarios that have one into this folder
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    /// Print one JSON object for each scenario, on one line
    #[arg(long)]
    json: bool,
    /// Where the report goes: a page of HTML
    #[arg(long, value_name = "FILE", default_value = "target/stress.html")]
    report: PathBuf,
    /// Plant bugs instead, see whether they are found, and write the table to a file
    #[arg(long, value_name = "FILE")]
    planted: Option<PathBuf>,
    /// Plant one bug
    #[arg(long, value_name = "BUG")]
    plant: Option<String>,
    /// The child that runs one scenario
    #[arg(long, hide = true)]
    inside: bool,
}

/// Whether Ctrl-C was pressed. The children get it too, and come to their ends.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn scenarios() -> String {
    let lines: Vec<_> = SCENARIOS.iter().map(|s| format!("  {:<14}{}", s.name, s.shows)).collect();
    format!("Scenarios:\n{}", lines.join("\n"))
}

/// Runs the command. The exit code says whether everything held.
///
/// # Errors
/// If an argument is out of range, no child can be started, or a report cannot be written.
pub fn run(args: StressArgs) -> Result<ExitCode> {
    let chosen = args.chosen()?;
    let options = args.options(chosen.len())?;
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed))?;
    if let Some(bug) = &args.plant {
        planted::plant(bug)?;
    }
    if args.inside {
        let context = Context::new(options).until(|| INTERRUPTED.load(Relaxed));
        let all = chosen.into_iter().all(|scenario| inside(scenario, &context));
        return Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Some(file) = &args.planted {
        let (table, survivors) = planted::hunt(options.seed, |row| println!("{row}"))?;
        std::fs::write(file, table).with_context(|| file.display().to_string())?;
        return Ok(if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut outcomes = Vec::new();
    for scenario in chosen {
        if INTERRUPTED.load(Relaxed) {
            break;
        }
        let again = args.again(scenario.name, &options);
        let outcome = watch(scenario, &args.inside_arguments(&options), args.json)?;
        super::print(&if args.json { serde_json::to_string(&outcome)? } else { line(&outcome, &again) })?;
        outcomes.push((outcome, again));
    }
    let title = std::env::args().collect::<Vec<_>>().join(" ");
    if let Some(folder) = args.report.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::write(&args.report, html::page(&title, &outcomes)).with_context(|| args.report.display().to_string())?;
    let failed = outcomes.iter().filter(|(outcome, _)| !outcome.passed).count();
    if !args.json {
        let how = if INTERRUPTED.load(Relaxed) { " before Ctrl-C" } else { "" };
        super::print(&format!(
            "{} scenarios{how}, {failed} failed; report in {}",
            outcomes.len(),
            args.report.display()
        ))?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
            faults: self.faults,
            plots: self.plots.clone(),
            deterministic: self.replay.is_some(),
        })
    }
    /// What makes a heap as this one is made, in words.
    fn heap_arguments(&self, options: &Options) -> Vec<String> {
        let mut all = vec![format!("--zeal={}", options.zeal)];
        if self.verify {
            all.push("--verify".to_owned());
        }
        if let Some(helpers) = self.helpers {
            all.push(format!("--helpers={helpers}"));
        }
        if self.faults != Faults::default() {
            all.push(format!("--faults={}", self.faults));
        }
        if let Some(bug) = &self.plant {
            all.push(format!("--plant={bug}"));
        }
        match self.replay {
            Some(seed) => all.push(format!("--replay={seed}")),
            None => all.extend([format!("--seed={}", options.seed), format!("--mutators={}", self.mutators)]),
        }
        all
    }
    fn inside_arguments(&self, options: &Options) -> Vec<String> {
        let mut all = self.heap_arguments(options);
        all.push(format!("--minutes={}", options.time.as_secs_f64() / 60.0));
        all.extend(options.plots.iter().map(|folder| format!("--plots={}", folder.display())));
        all
    }
    /// How a failure can be seen again.
    fn again(&self, scenario: &str, options: &Options) -> String {
        format!("orinoco stress {scenario} {} --minutes {}", self.heap_arguments(options).join(" "), self.minutes)
    }
}

/// Runs one scenario in a child: a bar a mutator and the stops on a terminal, a line now and then elsewhere.
fn watch(scenario: &Scenario, arguments: &[String], quiet: bool) -> Result<Outcome> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {prefix:<12} {elapsed} {msg}")?);
    bar.set_prefix(scenario.name);
    let mut before = Pulse::default();
    let mut beats = 0u32;
    let outcome = run_in_child(scenario.name, arguments, |pulse| {
        let text = progress(&before, pulse);
        bar.tick();
        bar.set_message(text.clone());
        beats += 1;
        if bar.is_hidden() && !quiet && beats.is_multiple_of(120) {
            eprintln!("{:<12} {text}", scenario.name);
        }
        before = pulse.clone();
    });
    bar.finish_and_clear();
    outcome
}

/// What a pulse says: a number for each mutator, rates, and how long they stood still.
fn progress(before: &Pulse, now: &Pulse) -> String {
    const SHOWN: usize = 16;
    let turn = |(at, turns): (usize, &u64)| turns - before.turns.get(at).copied().unwrap_or(0);
    let each: Vec<String> = now.turns.iter().enumerate().take(SHOWN).map(turn).map(|turns| turns.to_string()).collect();
    let checks = now.checks.saturating_sub(before.checks);
    let stops: u64 = now.stops.iter().sum();
    format!(
        "turns {} · {checks} checks · {stops} stops {} · {} MiB",
        each.join(" "),
        stops::row(&now.stops),
        now.rss_mib
    )
}

fn line(outcome: &Outcome, again: &str) -> String {
    let shown = outcome.fields.iter().filter(|(name, _)| *name != "said");
    let fields: String = shown.map(|(name, value)| format!(", {name} {value}")).collect();
    let mut text = format!(
        "{} {:<14} {:>6.1} s, {} turns, {} checks, {} scavenges, {} full, {} moving, {} MiB, longest stop {} ms {}{fields}",
        if outcome.passed { "ok  " } else { "FAIL" },
        outcome.scenario,
        outcome.seconds,
        outcome.turns,
        outcome.checks,
        outcome.scavenges,
        outcome.full_collections,
        outcome.evacuations,
        outcome.mib,
        outcome.longest_stop_ms,
        stops::row(&outcome.stops),
    );
    if let Some(failure) = &outcome.failure {
        text += &format!("\n     {failure}\n     again: {again}");
    }
    text
}
