//! `orinoco replay`: a V8 heap snapshot, built, churned and checked on the heap.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum, value_parser};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    replay::{Cut, HeapOptions, Options, Progress, ZealKind, replay},
    snapshot::{self, Oracle, Snapshot},
};

/// Builds a V8 heap snapshot's graph on the heap, churns it, and checks that exactly what is reachable survives.
#[derive(Args)]
pub struct ReplayArgs {
    /// A .heapsnapshot file, plain, gzip or Zstandard. X.oracle.json beside it is compared with.
    file: PathBuf,
    /// Mutator threads
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    threads: u16,
    /// Rounds of churn
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Seed of the churn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Cut edges first: of a thousand about PERMILLE, chosen by SEED
    #[arg(long, value_name = "SEED:PERMILLE")]
    cut: Option<Cut>,
    /// Collect at every safepoint: what is young, or everything
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "everything", require_equals = true)]
    zeal: Option<ZealArg>,
    /// Let a seed decide when the heap collects, and how far each of its phases advances
    #[arg(long, value_name = "SEED")]
    deterministic: Option<u64>,
    /// Let the heap walk and check itself before and after every phase of a collection
    #[arg(long)]
    verify: bool,
    /// Threads that help in collections
    #[arg(long)]
    helpers: Option<usize>,
    /// The heap's limit in MiB; by default 4096, or half the machine's memory when that is less
    #[arg(long, value_name = "MIB")]
    limit: Option<usize>,
    /// The nursery in KiB
    #[arg(long, value_name = "KIB")]
    nursery: Option<usize>,
    /// Litter in each half of a round, in MiB
    #[arg(long, value_name = "MIB")]
    litter: Option<usize>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ZealArg {
    Young,
    Everything,
}

/// Runs the command. The exit code says whether everything agreed.
pub fn run(args: ReplayArgs) -> Result<ExitCode> {
    let bar = ProgressBar::no_length();
    let snapshot = read(&args.file, &bar)?;
    let oracle = match Oracle::path_beside(&args.file).filter(|path| path.exists()) {
        Some(path) => Some(Oracle::read(&path)?),
        None => None,
    };
    bar.reset();
    bar.set_length(args.rounds + 2);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}")?);
    let report = replay(&snapshot, oracle.as_ref(), &args.options(), |progress| match progress {
        Progress::Building => bar.set_message("building"),
        Progress::Comparing => {
            bar.inc(1);
            bar.set_message("comparing");
        }
        Progress::Round(number) => {
            bar.inc(1);
            bar.set_message(format!("round {number}"));
        }
    })
    .with_context(|| args.file.display().to_string());
    bar.finish_and_clear();
    let report = report?;
    let outcome = if args.json { serde_json::to_string(&report)? } else { report.to_string() };
    super::print(&outcome)?;
    Ok(if report.verified { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(path: &std::path::Path, bar: &ProgressBar) -> Result<Snapshot> {
    let file = snapshot::open(path)?;
    bar.set_length(file.metadata().map_or(0, |m| m.len()));
    bar.set_style(ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} reading {elapsed}")?);
    let snapshot = Snapshot::read(bar.wrap_read(file)).with_context(|| path.display().to_string());
    if snapshot.is_err() {
        bar.finish_and_clear();
    }
    snapshot
}

impl ReplayArgs {
    fn options(&self) -> Options {
        Options {
            threads: usize::from(self.threads),
            rounds: self.rounds,
            seed: self.seed,
            cut: self.cut,
            litter: self.litter.map(|mib| mib.saturating_mul(1 << 20)),
            heap: HeapOptions {
                limit: self.limit.map(|mib| mib.saturating_mul(1 << 20)),
                nursery: self.nursery.map(|kib| kib.saturating_mul(1 << 10)),
                helpers: self.helpers,
                zeal: self.zeal.map(|zeal| match zeal {
                    ZealArg::Young => ZealKind::Young,
                    ZealArg::Everything => ZealKind::Everything,
                }),
                seed: self.deterministic,
                verify: self.verify,
            },
        }
    }
}
