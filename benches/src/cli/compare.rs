//! `orinoco compare`: what concurrent marking and parallel scavenging save, side by side, in one build and one run.
//!
//! Each round runs a workload on four heaps that differ by one switch each, in an order that moves on from round to
//! round, so that what else the machine does meets all of them alike. Savings are taken within a round, where the runs
//! lie next to each other, and the median of the rounds is what counts.

use std::fmt::{self, Display, Formatter};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use serde::Serialize;

use crate::cli;
use crate::pauses::costs::{Costs, median, reduction};
use crate::pauses::utilization::Interval;
use crate::pauses::watch::Watch;
use crate::workloads::Workload;
use crate::workloads::heap::{HeapOptions, Without, open_watched};
use crate::workloads::run::Plan;

/// Prints what concurrent marking and parallel scavenging take off mutator threads
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// Which programs
    #[arg(value_enum, default_values = ["splay", "big_live"])]
    workloads: Vec<Workload>,
    /// How many mutator threads
    #[arg(long, default_value_t = 2)]
    threads: u32,
    /// How much work; the default is the workload's own, but a quarter of a GiB for `big_live`
    #[arg(long)]
    size: Option<f64>,
    /// How many rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Threads that help in collections
    #[arg(long)]
    helpers: Option<usize>,
    /// Print one JSON object for each workload, on one line
    #[arg(long)]
    json: bool,
}

/// The heaps of a round.
const SIDES: [(Side, Without); 4] = [
    (Side::Default, Without { concurrent_marking: false, incremental_marking: false, parallel_scavenge: false }),
    (Side::StepsOnly, Without { concurrent_marking: true, incremental_marking: false, parallel_scavenge: false }),
    (Side::OneStop, Without { concurrent_marking: true, incremental_marking: true, parallel_scavenge: false }),
    (Side::ScavengeAlone, Without { concurrent_marking: false, incremental_marking: false, parallel_scavenge: true }),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Everything on.
    Default,
    /// Mutators mark in steps; nobody marks beside them.
    StepsOnly,
    /// A cycle is one stop.
    OneStop,
    /// Whoever leads a scavenge does all of it.
    ScavengeAlone,
}

/// What one run took from mutators, in milliseconds of all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Taken {
    marking_ms: f64,
    steps_ms: f64,
    cycles: f64,
    young_ms: f64,
    scavenges: f64,
    /// What a scavenge's leader spent on a core.
    leader_ms: f64,
    /// The share of those that copied in which others than the leader took part.
    shared: f64,
    wall_ms: f64,
}

/// One workload's comparison.
#[derive(Debug, Serialize)]
struct Comparison {
    workload: Workload,
    threads: u32,
    size: f64,
    rounds: usize,
    /// Medians of all rounds.
    concurrent: Taken,
    steps_only: Taken,
    one_stop: Taken,
    scavenge_alone: Taken,
    /// Of all marking time, and of a cycle's: medians of the rounds' own.
    all_marking_saved_of_steps_only: Option<f64>,
    all_marking_saved_of_one_stop: Option<f64>,
    marking_saved_of_steps_only: Option<f64>,
    marking_saved_of_one_stop: Option<f64>,
    /// Of all young time, and of a scavenge's.
    all_young_saved: Option<f64>,
    young_saved: Option<f64>,
    /// Of a scavenge's leader's time on a core.
    leader_saved: Option<f64>,
}

/// Runs the comparisons and prints them.
///
/// # Errors
/// If the arguments are out of range, a heap cannot be opened, or a workload does not end or ends in another sum.
pub fn run(args: CompareArgs) -> Result<ExitCode> {
    ensure!((1..=1000).contains(&args.rounds), "the number of rounds must lie between 1 and 1000");
    for workload in &args.workloads {
        let size = args.size.or((*workload == Workload::BigLive).then_some(0.25));
        let plan = Plan::new(*workload, args.threads, size)?;
        let comparison = compare(&plan, args.rounds, args.helpers)?;
        let text = if args.json { serde_json::to_string(&comparison)? } else { comparison.to_string() };
        cli::print(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(plan: &Plan, rounds: usize, helpers: Option<usize>) -> Result<Comparison> {
    let mut taken = vec![[Taken::default(); SIDES.len()]; rounds];
    let mut sum = None;
    for (round, taken) in taken.iter_mut().enumerate() {
        for turn in 0..SIDES.len() {
            let side = (round + turn) % SIDES.len();
            let (of_this_run, checksum) = once(plan, SIDES[side].1, helpers)?;
            ensure!(*sum.get_or_insert(checksum) == checksum, "the checksum depends on how the heap collects");
            taken[side] = of_this_run;
        }
    }
    Ok(Comparison::new(plan, &taken))
}

/// One run on a heap of its own, and the checksum.
fn once(plan: &Plan, without: Without, helpers: Option<usize>) -> Result<(Taken, u64)> {
    let watch = Arc::new(Watch::default());
    let heap = open_watched(&HeapOptions { without, helpers, ..HeapOptions::default() }, watch.clone())?;
    let start = watch.time(Instant::now());
    let outcome = plan.run(&heap)?;
    let end = watch.time(Instant::now());
    drop(heap);
    let costs = Costs::of(&watch.take().within(Interval { start, end: end + 1 }), plan.threads());
    Ok((Taken::new(&costs, outcome.wall_ns), outcome.checksum))
}

impl Taken {
    fn new(costs: &Costs, wall_ns: u64) -> Self {
        let ms = |length: Duration| length.as_secs_f64() * 1e3;
        Self {
            marking_ms: ms(costs.marking),
            steps_ms: ms(costs.steps),
            cycles: costs.cycles as f64,
            young_ms: ms(costs.young),
            scavenges: costs.scavenges as f64,
            leader_ms: ms(costs.leading) / costs.led.max(1) as f64,
            shared: costs.shared as f64 / costs.copied.max(1) as f64,
            wall_ms: wall_ns as f64 / 1e6,
        }
    }

    /// Marking time for each cycle: how many there are is a matter of pacing, which the switches change as well.
    fn marking_a_cycle(&self) -> Option<f64> {
        (self.cycles > 0.0).then(|| self.marking_ms / self.cycles)
    }

    fn young_a_scavenge(&self) -> Option<f64> {
        (self.scavenges > 0.0).then(|| self.young_ms / self.scavenges)
    }
}

impl Comparison {
    fn new(plan: &Plan, rounds: &[[Taken; SIDES.len()]]) -> Self {
        let of = |side: Side| rounds.iter().map(move |taken| taken[place(side)]);
        let saved = |with, without, what: fn(&Taken) -> Option<f64>| {
            let pairs = of(with).zip(of(without));
            median(pairs.filter_map(|(with, without)| reduction(what(&with)?, what(&without)?)))
        };
        let middle = |side| {
            let of = |what: fn(&Taken) -> f64| median(of(side).map(|taken| what(&taken))).map_or(0.0, rounded);
            Taken {
                marking_ms: of(|t| t.marking_ms),
                steps_ms: of(|t| t.steps_ms),
                cycles: of(|t| t.cycles),
                young_ms: of(|t| t.young_ms),
                scavenges: of(|t| t.scavenges),
                leader_ms: of(|t| t.leader_ms),
                shared: of(|t| t.shared),
                wall_ms: of(|t| t.wall_ms),
            }
        };
        Self {
            workload: plan.workload(),
            threads: plan.threads(),
            size: plan.size(),
            rounds: rounds.len(),
            concurrent: middle(Side::Default),
            steps_only: middle(Side::StepsOnly),
            one_stop: middle(Side::OneStop),
            scavenge_alone: middle(Side::ScavengeAlone),
            all_marking_saved_of_steps_only: saved(Side::Default, Side::StepsOnly, |t| Some(t.marking_ms)).map(rounded),
            all_marking_saved_of_one_stop: saved(Side::Default, Side::OneStop, |t| Some(t.marking_ms)).map(rounded),
            marking_saved_of_steps_only: saved(Side::Default, Side::StepsOnly, Taken::marking_a_cycle).map(rounded),
            marking_saved_of_one_stop: saved(Side::Default, Side::OneStop, Taken::marking_a_cycle).map(rounded),
            all_young_saved: saved(Side::Default, Side::ScavengeAlone, |t| Some(t.young_ms)).map(rounded),
            young_saved: saved(Side::Default, Side::ScavengeAlone, Taken::young_a_scavenge).map(rounded),
            leader_saved: saved(Side::Default, Side::ScavengeAlone, |t| Some(t.leader_ms)).map(rounded),
        }
    }
}

fn place(side: Side) -> usize {
    SIDES.iter().position(|(of, _)| *of == side).expect("every side has a heap")
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = serde_json::to_value(self.workload).ok();
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
        writeln!(f, "{name} {} {}: median of {} interleaved rounds", self.threads, self.size, self.rounds)?;
        writeln!(
            f,
            "  {:<34}{:>14}{:>14}{:>14}",
            "marking, on mutator threads", "concurrent", "steps only", "one stop"
        )?;
        let sides = [&self.concurrent, &self.steps_only, &self.one_stop];
        line(f, "all, ms", &sides, |t| Some(t.marking_ms))?;
        line(f, "of that in steps, ms", &sides, |t| Some(t.steps_ms))?;
        line(f, "cycles", &sides, |t| Some(t.cycles))?;
        line(f, "a cycle, ms", &sides, Taken::marking_a_cycle)?;
        line(f, "the run, ms", &sides, |t| Some(t.wall_ms))?;
        let percent =
            |saved: Option<f64>| saved.map_or_else(|| "-".to_owned(), |saved| format!("{:.1} %", saved * 1e2));
        for (of, saved) in [
            ("concurrent marking saves", [self.all_marking_saved_of_steps_only, self.all_marking_saved_of_one_stop]),
            ("  of a cycle", [self.marking_saved_of_steps_only, self.marking_saved_of_one_stop]),
        ] {
            writeln!(f, "    {of:<32}{:>14}{:>14}{:>14}", "", percent(saved[0]), percent(saved[1]))?;
        }
        writeln!(f, "  {:<34}{:>14}{:>14}", "young generation, same threads", "parallel", "alone")?;
        let sides = [&self.concurrent, &self.scavenge_alone];
        line(f, "all, ms", &sides, |t| Some(t.young_ms))?;
        line(f, "scavenges", &sides, |t| Some(t.scavenges))?;
        line(f, "a scavenge, ms", &sides, Taken::young_a_scavenge)?;
        line(f, "its leader on a core, ms", &sides, |t| Some(t.leader_ms))?;
        line(f, "share of scavenges with others", &sides, |t| Some(t.shared))?;
        line(f, "the run, ms", &sides, |t| Some(t.wall_ms))?;
        for (of, saved) in [
            ("parallel scavenging saves", self.all_young_saved),
            ("  of a scavenge", self.young_saved),
            ("  of its leader's time on a core", self.leader_saved),
        ] {
            writeln!(f, "    {of:<32}{:>14}{:>14}", "", percent(saved))?;
        }
        Ok(())
    }
}

fn line(f: &mut Formatter<'_>, name: &str, sides: &[&Taken], of: fn(&Taken) -> Option<f64>) -> fmt::Result {
    write!(f, "    {name:<32}")?;
    for side in sides {
        let value = of(side).map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        write!(f, "{value:>14}")?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(Workload::Splay, 2, Some(0.5)).unwrap()
    }

    fn taken(marking_ms: f64, cycles: f64, young_ms: f64, scavenges: f64) -> Taken {
        Taken { marking_ms, cycles, young_ms, scavenges, ..Taken::default() }
    }

    #[test]
    fn savings_are_medians_of_rounds_and_go_by_the_cycle() {
        let round = |concurrent, parallel| {
            [
                taken(concurrent, 2.0, parallel, 10.0),
                taken(100.0, 1.0, 0.0, 0.0),
                taken(50.0, 1.0, 0.0, 0.0),
                taken(0.0, 0.0, 100.0, 20.0),
            ]
        };
        let c = Comparison::new(&plan(), &[round(40.0, 25.0), round(60.0, 40.0), round(190.0, 49.0)]);
        assert_eq!(c.marking_saved_of_steps_only, Some(0.7));
        assert_eq!(c.marking_saved_of_one_stop, Some(0.4));
        assert_eq!(c.young_saved, Some(0.2));
        assert_eq!((c.all_marking_saved_of_steps_only, c.all_young_saved), (Some(0.4), Some(0.6)));
        assert_eq!((c.concurrent.marking_ms, c.concurrent.young_ms), (60.0, 40.0));
        let text = c.to_string();
        assert!(text.contains("splay 2 0.5") && text.contains("70.0 %") && text.contains("20.0 %"), "{text}");
    }

    #[test]
    fn without_a_cycle_nothing_is_claimed() {
        let c = Comparison::new(&plan(), &[[Taken::default(); SIDES.len()]]);
        assert_eq!((c.marking_saved_of_steps_only, c.marking_saved_of_one_stop, c.young_saved), (None, None, None));
    }

    #[test]
    fn each_side_leaves_out_what_it_says() {
        let plan = plan();
        let of = |side| once(&plan, SIDES[place(side)].1, None).unwrap().0;
        let one_stop = of(Side::OneStop);
        assert!(one_stop.cycles > 0.0 && one_stop.marking_ms > 0.0);
        assert_eq!(one_stop.steps_ms, 0.0);
        assert!(of(Side::StepsOnly).steps_ms > 0.0);
        assert!(of(Side::ScavengeAlone).young_ms > 0.0);
    }
}
