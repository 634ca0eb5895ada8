//! The report on a run's pauses: for the whole run, and for what came after the live data were built.

use std::fmt::{self, Display, Formatter};
use std::thread;
use std::time::Duration;

use orinoco::{Forced, StopKind, StopSummary};
use serde::Serialize;

use super::distribution::{BOUNDS_US, Distribution, ms};
use super::utilization::{Interval, Timeline, least};
use super::watch::Seen;

/// Windows of the utilization table, in milliseconds.
const WINDOWS_MS: [u64; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 1000];

/// What a run's stops were like.
#[derive(Debug, Serialize)]
pub struct PauseReport {
    /// What no stop should exceed.
    pub cap_ms: f64,
    /// Stops that the heap counted, and could not tell of: nobody listened for too long.
    pub untold: u64,
    /// What the machine did.
    pub machine: Machine,
    /// Parts of the run.
    pub sections: Vec<Section>,
}

/// The machine's own part.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Cores that the process may use.
    pub cores: usize,
    /// The system's load just before the run, over a minute.
    pub load: Option<f64>,
    /// How late a sleeping thread woke before the run.
    pub hiccups_before: Distribution,
    /// How long a copy of 2 MiB took before the run, time on a core: a fixed piece of work on the clock of the pauses.
    pub copies_before: Distribution,
    /// How late it woke during the run, among the run's own threads.
    pub hiccups_during: Distribution,
}

/// One part of a run.
#[derive(Debug, Serialize)]
pub struct Section {
    /// Which.
    pub name: &'static str,
    /// How long it took.
    pub seconds: f64,
    /// What mutators felt: one entry for each mutator of each stop, from the request to going on.
    pub stops: Vec<Row>,
    /// What the collector did in the pauses: one entry for each.
    pub pauses: Vec<Row>,
    /// The same, as time of the leader on a core; and steps, each as its mutator's.
    pub pauses_cpu: Vec<Row>,
    /// Pauses and steps that did not leave mutators half of the time, because they allocate faster than that allows.
    pub forced_by_allocation: u64,
    /// Those that did not because of the limit.
    pub forced_by_limit: u64,
    /// What is left to mutators.
    pub utilization: Vec<Utilization>,
}

/// The stops of one kind, or all.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Which kind.
    pub kind: &'static str,
    /// How long.
    #[serde(flatten)]
    pub lengths: Distribution,
}

/// What the mutator that is worst off is left with; `None` where the part is shorter than the window.
#[derive(Debug, Serialize)]
pub struct Utilization {
    /// The window.
    pub window_ms: u64,
    /// In the worst window of this length.
    pub mmu: Option<f64>,
    /// In the worst window of this length or more.
    pub bmu: Option<f64>,
    /// MMU, if each pause took no longer than its leader spent on a core.
    pub mmu_of_work: Option<f64>,
    /// BMU, likewise.
    pub bmu_of_work: Option<f64>,
}

impl Machine {
    /// The machine as it is before a run; what happened during the run is filled in by [`Machine::during`].
    pub fn before(late: Vec<Duration>, copies: Vec<Duration>, cap: Duration) -> Self {
        let [load, _, _] = load_average().map_or([None; 3], |all| all.map(Some));
        Self {
            cores: thread::available_parallelism().map_or(1, |cores| cores.get()),
            load,
            hiccups_before: Distribution::new(late, cap),
            copies_before: Distribution::new(copies, cap),
            hiccups_during: Distribution::default(),
        }
    }

    /// Adds how late a sleeping thread woke during the run.
    #[must_use]
    pub fn during(self, late: Vec<Duration>, cap: Duration) -> Self {
        Self { hiccups_during: Distribution::new(late, cap), ..self }
    }
}

/// The system's load over one, five and fifteen minutes, where it tells.
fn load_average() -> Option<[f64; 3]> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let mut numbers = text.split_ascii_whitespace().map_while(|word| word.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}

impl PauseReport {
    /// The report on `seen`, in `parts` of the run; `counted` is what the heap itself has counted.
    pub fn new(
        seen: &Seen,
        parts: &[(&'static str, Interval)],
        counted: &[(StopKind, StopSummary)],
        cap: Duration,
        machine: Machine,
    ) -> Self {
        let counted: u64 = counted.iter().map(|(_, stops)| stops.count).sum();
        Self {
            cap_ms: ms(cap),
            untold: counted.saturating_sub(seen.stops.len() as u64),
            machine,
            sections: parts.iter().map(|(name, span)| Section::new(name, *span, seen, cap)).collect(),
        }
    }
}

impl Section {
    fn new(name: &'static str, span: Interval, seen: &Seen, cap: Duration) -> Self {
        let (felt, work) = (seen.timelines(span), seen.timelines_of_work(span));
        let seen = seen.within(span);
        let stops = seen.stops.iter().map(|stop| (stop.kind, Duration::from_nanos(stop.when.length())));
        let pauses = seen.pauses.iter().map(|pause| (pause.kind, pause.cpu));
        let steps = seen.stops.iter().filter_map(|stop| Some((stop.kind, stop.cpu?)));
        let reasons = || seen.pauses.iter().map(|p| p.forced).chain(seen.stops.iter().map(|stop| stop.forced));
        let forced = |why| reasons().filter(|reason| *reason == Some(why)).count() as u64;
        Self {
            name,
            seconds: ms(Duration::from_nanos(span.length())) / 1e3,
            stops: rows(&stops.collect::<Vec<_>>(), cap),
            pauses: rows(&seen.pauses.iter().map(|pause| (pause.kind, pause.wall)).collect::<Vec<_>>(), cap),
            pauses_cpu: rows(&pauses.chain(steps).collect::<Vec<_>>(), cap),
            forced_by_allocation: forced(Forced::Allocation),
            forced_by_limit: forced(Forced::Limit),
            utilization: WINDOWS_MS.iter().map(|window| Utilization::new(*window, span, &felt, &work)).collect(),
        }
    }
}

impl Utilization {
    fn new(window_ms: u64, span: Interval, felt: &[Timeline], work: &[Timeline]) -> Self {
        let window = window_ms * 1_000_000;
        // Without a stop there is no timeline, and nothing was taken from anybody.
        let of = |least: Option<f64>| least.or((felt.is_empty() && window <= span.length()).then_some(1.0));
        let rounded = |share: f64| (share * 1e4).round() / 1e4;
        Self {
            window_ms,
            mmu: of(least(felt, |timeline| timeline.minimum(window))).map(rounded),
            bmu: of(least(felt, |timeline| timeline.bounded_minimum(window))).map(rounded),
            mmu_of_work: of(least(work, |timeline| timeline.minimum(window))).map(rounded),
            bmu_of_work: of(least(work, |timeline| timeline.bounded_minimum(window))).map(rounded),
        }
    }
}

/// A row for each kind that occurred, and one for all of them.
fn rows(lengths: &[(StopKind, Duration)], cap: Duration) -> Vec<Row> {
    let of = |kind| lengths.iter().filter(move |(of, _)| *of == kind).map(|(_, length)| *length);
    let kinds = StopKind::ALL.into_iter().filter(|kind| of(*kind).next().is_some());
    let mut rows: Vec<_> =
        kinds.map(|kind| Row { kind: kind.name(), lengths: Distribution::new(of(kind), cap) }).collect();
    rows.push(Row { kind: "all", lengths: Distribution::new(lengths.iter().map(|(_, length)| *length), cap) });
    rows
}

impl Display for PauseReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for section in &self.sections {
            writeln!(f, "\n{}, {:.1} s; lengths in ms, cap {} ms", section.name, section.seconds, self.cap_ms)?;
            table(f, "stops, as each mutator felt them", &section.stops)?;
            table(f, "pauses, the collector's part", &section.pauses)?;
            table(f, "pauses and steps, time on a core", &section.pauses_cpu)?;
            histogram(f, "stops by length", &section.stops)?;
            utilization(f, &section.utilization)?;
            writeln!(
                f,
                "  pauses and steps before mutators had had half of the time: {} by allocation, {} by the limit",
                section.forced_by_allocation, section.forced_by_limit
            )?;
        }
        let machine = &self.machine;
        let load = machine.load.map_or_else(|| "-".to_owned(), |load| load.to_string());
        writeln!(
            f,
            "\nthe machine: {} cores, load {load} before the run; how late a sleeping thread woke",
            machine.cores
        )?;
        heading(f, "")?;
        row(f, "before", &machine.hiccups_before)?;
        row(f, "during", &machine.hiccups_during)?;
        heading(f, "how long a copy of 2 MiB took on a core")?;
        row(f, "before", &machine.copies_before)?;
        if self.untold > 0 {
            writeln!(f, "\n{} stops were forgotten before they were told of, and are missing above", self.untold)?;
        }
        Ok(())
    }
}

fn heading(f: &mut Formatter<'_>, title: &str) -> fmt::Result {
    writeln!(
        f,
        "  {title:<38}{:>8}{:>9}{:>9}{:>9}{:>9}{:>10}{:>6}{:>9}",
        "count", "p50", "p99", "p99.9", "max", "total", "over", "by up to"
    )
}

fn row(f: &mut Formatter<'_>, name: &str, d: &Distribution) -> fmt::Result {
    writeln!(
        f,
        "    {name:<36}{:>8}{:>9.3}{:>9.3}{:>9.3}{:>9.3}{:>10.1}{:>6}{:>9.3}",
        d.count, d.p50_ms, d.p99_ms, d.p999_ms, d.max_ms, d.total_ms, d.over_cap, d.overrun_max_ms
    )
}

fn table(f: &mut Formatter<'_>, title: &str, rows: &[Row]) -> fmt::Result {
    heading(f, title)?;
    rows.iter().try_for_each(|of| row(f, of.kind, &of.lengths))
}

fn histogram(f: &mut Formatter<'_>, title: &str, rows: &[Row]) -> fmt::Result {
    write!(f, "  {title:<20}")?;
    for bound in BOUNDS_US {
        write!(f, "{:>8}", format!("≤{}", bound as f64 / 1e3))?;
    }
    writeln!(f, "{:>8}", "more")?;
    for row in rows {
        write!(f, "    {:<18}", row.kind)?;
        row.lengths.histogram.iter().try_for_each(|count| write!(f, "{count:>8}"))?;
        writeln!(f)?;
    }
    Ok(())
}

fn utilization(f: &mut Formatter<'_>, all: &[Utilization]) -> fmt::Result {
    let line = |f: &mut Formatter<'_>, name: &str, of: &dyn Fn(&Utilization) -> String| {
        write!(f, "  {name:<22}")?;
        all.iter().try_for_each(|window| write!(f, "{:>8}", of(window)))?;
        writeln!(f)
    };
    let percent = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 1e2));
    line(f, "window, ms", &|of| of.window_ms.to_string())?;
    line(f, "  MMU", &|of| percent(of.mmu))?;
    line(f, "  BMU", &|of| percent(of.bmu))?;
    line(f, "  MMU, leaders' work", &|of| percent(of.mmu_of_work))?;
    line(f, "  BMU, leaders' work", &|of| percent(of.bmu_of_work))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pauses::watch::Stop;

    const CAP: Duration = Duration::from_millis(10);
    const MS: u64 = 1_000_000;

    fn report(stops: &[(StopKind, u64, u64)], counted: u64) -> PauseReport {
        let thread = thread::current().id();
        let stop = |(kind, start, end): &(StopKind, u64, u64)| Stop {
            kind: *kind,
            thread,
            when: Interval { start: start * MS, end: end * MS },
            cpu: (*kind == StopKind::Step).then_some(Duration::from_micros(500)),
            forced: None,
        };
        let seen = Seen { stops: stops.iter().map(stop).collect(), pauses: Vec::new() };
        let counted = [(StopKind::Young, StopSummary { count: counted, ..StopSummary::default() })];
        let parts = [
            ("whole run", Interval { start: 0, end: 150 * MS }),
            ("second half", Interval { start: 75 * MS, end: 150 * MS }),
        ];
        PauseReport::new(&seen, &parts, &counted, CAP, Machine::before(Vec::new(), Vec::new(), CAP))
    }

    #[test]
    fn stops_are_sorted_by_kind_and_by_part() {
        let report = report(&[(StopKind::Young, 10, 22), (StopKind::Step, 80, 81), (StopKind::Young, 90, 91)], 3);
        let kinds = |section: &Section| {
            section.stops.iter().map(|row| (row.kind, row.lengths.count, row.lengths.over_cap)).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&report.sections[0]), [("scavenge", 2, 1), ("step", 1, 0), ("all", 3, 1)]);
        let work = &report.sections[1].pauses_cpu[0];
        assert_eq!((work.kind, work.lengths.max_ms), ("step", 0.5), "a step counts with its time on a core");
        assert_eq!(kinds(&report.sections[1]), [("scavenge", 1, 0), ("step", 1, 0), ("all", 2, 0)]);
        assert_eq!(report.untold, 0);
        let mmu = |section: &Section, window| {
            section.utilization.iter().find(|of| of.window_ms == window).map(|of| (of.mmu, of.bmu))
        };
        assert_eq!(mmu(&report.sections[0], 20), Some((Some(0.4), Some(0.4))));
        assert_eq!(mmu(&report.sections[1], 20), Some((Some(0.9), Some(0.9))));
        assert_eq!(mmu(&report.sections[0], 200), Some((None, None)));
    }

    #[test]
    fn a_run_without_stops_leaves_everything_to_the_mutators() {
        let report = report(&[], 0);
        let of: Vec<_> = report.sections[0].utilization.iter().map(|of| of.mmu).collect();
        assert_eq!(of, [1.0; 7].map(Some).into_iter().chain([None; 2]).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_missing_is_said_in_the_text() {
        let complete = report(&[(StopKind::Young, 10, 11)], 1);
        assert!(!complete.to_string().contains("forgotten"));
        let missing = report(&[(StopKind::Young, 10, 11)], 4);
        assert!(missing.to_string().contains("3 stops were forgotten"));
    }

    #[test]
    fn the_text_names_every_table() {
        let text = report(&[(StopKind::Young, 10, 11)], 1).to_string();
        for part in ["whole run", "second half", "scavenge", "MMU", "BMU", "≤0.1", "leaders' work", "the machine"] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
    }
}
