//! `orinoco bench`: one shared workload, measured; with `--json`, the one line that the other runtimes print.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use orinoco::{Heap, Zeal};
use serde::Serialize;

use crate::pauses::hiccups::{Meter, copies};
use crate::pauses::report::{Machine, PauseReport};
use crate::pauses::utilization::Interval;
use crate::pauses::watch::Watch;
use crate::workloads::Workload;
use crate::workloads::gaps::{now, process_cpu};
use crate::workloads::heap::{HeapOptions, Stops, Without, open, open_watched};
use crate::workloads::run::{Outcome, Plan};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// How long the machine is listened to before a run whose pauses are reported.
const LISTEN: Duration = Duration::from_secs(1);

/// What to run, and on what heap.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Which program
    #[arg(value_enum)]
    workload: Workload,
    /// How many mutator threads
    threads: u32,
    /// How much work; each workload says in what unit
    size: Option<f64>,
    /// Print one JSON object on one line
    #[arg(long)]
    json: bool,
    /// Limit the heap to this many MiB
    #[arg(long, value_name = "MIB", conflicts_with = "budget")]
    limit: Option<usize>,
    /// Limit the heap to this many times what the workload keeps alive at once
    #[arg(long, value_name = "TIMES")]
    budget: Option<f64>,
    /// The nursery in KiB
    #[arg(long, value_name = "KIB")]
    nursery: Option<usize>,
    /// Threads that help in collections
    #[arg(long)]
    helpers: Option<usize>,
    /// Move every object at every safepoint
    #[arg(long)]
    zeal: bool,
    /// Let the heap walk and check itself before and after every phase of a collection
    #[arg(long)]
    verify: bool,
    /// Let no helper mark while mutators run
    #[arg(long)]
    no_concurrent_marking: bool,
    /// Let no mutator mark in steps
    #[arg(long, alias = "no-incremental")]
    no_incremental_marking: bool,
    /// Let no helper share a young collection
    #[arg(long)]
    no_parallel_scavenge: bool,
    /// Report every kind of stop, what share of its time a mutator is sure of, and the machine's own hiccups; beside
    /// JSON, the tables go to standard error
    #[arg(long)]
    pauses: bool,
}

/// The line that every runtime prints, with the same fields.
#[derive(Serialize)]
struct Line {
    peer: &'static str,
    config: String,
    budget: Option<String>,
    workload: Workload,
    threads: u32,
    size: f64,
    wall_s: f64,
    mut_wait_s: f64,
    mut_cpu_s: f64,
    build_s: f64,
    ops: u64,
    max_stop_ms: f64,
    max_stop_raw_ms: f64,
    stop_total_ms: f64,
    build_max_stop_ms: f64,
    p999_ms: Option<f64>,
    p99_ms: Option<f64>,
    p50_us: Option<f64>,
    checksum: u64,
    proc_wall_s: f64,
    cpu_s: f64,
    max_rss_mib: Option<f64>,
    gc_log_max_pause_ms: f64,
    gc_log_total_pause_ms: f64,
    gc_log_pauses: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pauses: Option<PauseReport>,
}

/// Runs the workload and prints what it came to.
///
/// # Errors
/// If the arguments are out of range, the heap cannot be opened, or the workload does not end.
pub fn run(args: BenchArgs) -> Result<ExitCode> {
    let begun = now();
    let plan = Plan::new(args.workload, args.threads, args.size)?;
    let options = options(&args, &plan)?;
    let line = if args.pauses {
        watched(&args, &plan, &options)?
    } else {
        let heap = open(&options)?;
        let outcome = plan.run(&heap)?;
        line(&args, &plan, &outcome, &Stops::of(&heap), now() - begun)
    };
    if args.json {
        println!("{}", serde_json::to_string(&line)?);
        // One run, for those who read and for programs.
        line.pauses.iter().for_each(|pauses| eprint!("{pauses}"));
    } else {
        print(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// A run whose stops are watched, one by one.
fn watched(args: &BenchArgs, plan: &Plan, options: &HeapOptions) -> Result<Line> {
    let quiet = Meter::for_a_while(LISTEN)?;
    let begun = now();
    let watch = Arc::new(Watch::default());
    let heap: Heap = open_watched(options, watch.clone())?;
    let cap = heap.settings().step_cap;
    let machine = Machine::before(quiet, copies(LISTEN), cap);
    let meter = Meter::start()?;
    let start = watch.time(Instant::now());
    let outcome = plan.run(&heap)?;
    let end = watch.time(Instant::now());
    let machine = machine.during(meter.finish(), cap);
    let mut line = line(args, plan, &outcome, &Stops::of(&heap), now() - begun);
    let counted = heap.statistics().stops;
    // With the heap goes whatever it has not told yet.
    drop(heap);
    let whole = ("the whole run", Interval { start, end });
    let rest = ("after building", Interval { start: (start + outcome.build_ns).min(end), end });
    let parts = if outcome.build_ns > 0 { vec![whole, rest] } else { vec![whole] };
    line.pauses = Some(PauseReport::new(&watch.take(), &parts, &counted, cap, machine));
    Ok(line)
}

fn options(args: &BenchArgs, plan: &Plan) -> Result<HeapOptions> {
    let limit = match (args.limit, args.budget) {
        (Some(mib), _) => Some(mib.saturating_mul(MIB)),
        (None, Some(times)) => {
            ensure!(times >= 1.0 && times.is_finite(), "the budget must be at least 1, the size of what is live");
            Some((plan.live_bytes() * times) as usize)
        }
        (None, None) => None,
    };
    let nursery = args.nursery.map(|kib| kib.saturating_mul(KIB));
    let zeal = if args.zeal { Zeal::EVERYTHING } else { Zeal::OFF };
    let without = Without {
        concurrent_marking: args.no_concurrent_marking,
        incremental_marking: args.no_incremental_marking,
        parallel_scavenge: args.no_parallel_scavenge,
    };
    Ok(HeapOptions { limit, nursery, helpers: args.helpers, zeal, verify: args.verify, without })
}

/// The departures from the default configuration, or that there are none.
fn config(args: &BenchArgs) -> String {
    let departures: Vec<_> = [
        args.limit.map(|mib| format!("limit={mib}MiB")),
        args.nursery.map(|kib| format!("nursery={kib}KiB")),
        args.helpers.map(|helpers| format!("helpers={helpers}")),
        args.zeal.then(|| "zeal".to_owned()),
        args.verify.then(|| "verify".to_owned()),
        args.no_concurrent_marking.then(|| "no-concurrent-marking".to_owned()),
        args.no_incremental_marking.then(|| "no-incremental-marking".to_owned()),
        args.no_parallel_scavenge.then(|| "no-parallel-scavenge".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if departures.is_empty() { "default".to_owned() } else { departures.join(",") }
}

fn line(args: &BenchArgs, plan: &Plan, outcome: &Outcome, stops: &Stops, proc_wall_ns: u64) -> Line {
    let gaps = &outcome.gaps;
    let usual = gaps.quantile_ns(0.5);
    let percentile = |q| plan.workload().profile().even_steps.then(|| gaps.quantile_ns(q));
    let build_stop = outcome.build_gaps.longest_ns() - outcome.build_gaps.quantile_ns(0.5);
    Line {
        peer: "orinoco",
        config: config(args),
        budget: args.budget.map(|times| format!("{times}x")),
        workload: plan.workload(),
        threads: plan.threads(),
        size: plan.size(),
        wall_s: rounded(outcome.wall_ns as f64 / 1e9, 4),
        mut_wait_s: rounded(outcome.waited_ns as f64 / 1e9, 4),
        mut_cpu_s: rounded(outcome.ran_ns as f64 / 1e9, 4),
        build_s: rounded(outcome.build_ns as f64 / 1e9, 4),
        ops: outcome.operations,
        max_stop_ms: rounded((gaps.longest_ns() - usual) / 1e6, 4),
        max_stop_raw_ms: rounded((gaps.longest_raw_ns() - usual) / 1e6, 4),
        stop_total_ms: rounded(gaps.stopped_ns() / 1e6, 2),
        build_max_stop_ms: rounded(build_stop / 1e6, 4),
        p999_ms: percentile(0.999).map(|ns| rounded(ns / 1e6, 5)),
        p99_ms: percentile(0.99).map(|ns| rounded(ns / 1e6, 5)),
        p50_us: percentile(0.5).map(|ns| rounded(ns / 1e3, 3)),
        checksum: outcome.checksum,
        proc_wall_s: rounded(proc_wall_ns as f64 / 1e9, 3),
        cpu_s: rounded(process_cpu() as f64 / 1e9, 3),
        max_rss_mib: peak_resident_kib().map(|kib| rounded(kib as f64 / 1024.0, 1)),
        gc_log_max_pause_ms: rounded(stops.longest.as_secs_f64() * 1e3, 3),
        gc_log_total_pause_ms: rounded(stops.total.as_secs_f64() * 1e3, 1),
        gc_log_pauses: stops.count,
        pauses: None,
    }
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// The most memory that the process ever had resident, where the system tells.
fn peak_resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_ascii_whitespace().next()?.parse().ok()
}

fn print(line: &Line) {
    let or_dash = |value: Option<f64>, unit| value.map_or_else(|| "-".to_owned(), |value| format!("{value} {unit}"));
    println!("operations    {}", line.ops);
    println!("wall          {} s, of which building {} s", line.wall_s, line.build_s);
    println!("cpu           {} s, of which mutators {} s", line.cpu_s, line.mut_cpu_s);
    println!("peak memory   {}", or_dash(line.max_rss_mib, "MiB"));
    println!("longest gap   {} ms, {} ms while building", line.max_stop_ms, line.build_max_stop_ms);
    println!(
        "stops         {}, the longest {} ms, together {} ms",
        line.gc_log_pauses, line.gc_log_max_pause_ms, line.gc_log_total_pause_ms
    );
    println!(
        "an iteration  p50 {}, p99 {}, p99.9 {}",
        or_dash(line.p50_us, "us"),
        or_dash(line.p99_ms, "ms"),
        or_dash(line.p999_ms, "ms")
    );
    println!("checksum      {}", line.checksum);
    if let Some(pauses) = &line.pauses {
        print!("{pauses}");
    }
}
