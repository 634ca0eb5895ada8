//! One line a collection, to be read beside V8's `--trace-gc`.
//!
//! ```text
//! [orinoco     812 ms] Scavenge 61.3 → 60.9 MiB, 0.84 ms, cpu 0.81 (trace 0.71, free 0.09), copied 512.0 KiB, promoted 1.2 MiB, 2 workers: nursery full
//! ```
use crate::collector::{Cause, CollectionKind, CollectionReport, Forced};
use crate::event::{Event, Observer};
use crate::stall::Stall;
use crate::sync::Mutex;
use std::io::Write;
use std::time::{Duration, Instant};

/// Writes events as lines.
pub struct GcLog<W: Write + Send> {
    out: Mutex<W>,
    began: Instant,
    steps: Mutex<(u32, Duration, Duration)>,
}

impl GcLog<std::io::Stderr> {
    /// A log on standard error.
    pub fn to_stderr() -> Self {
        Self::new(std::io::stderr())
    }
}

impl<W: Write + Send> GcLog<W> {
    /// A log that writes to `out`; what cannot be written is lost.
    pub fn new(out: W) -> Self {
        Self { out: Mutex::new(out), began: Instant::now(), steps: Mutex::default() }
    }
    fn line(&self, report: &CollectionReport) -> String {
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        let mib = |b: crate::units::Bytes| b.get() as f64 / f64::from(1 << 20);
        let what = match (report.kind, report.ended_cycle) {
            (CollectionKind::Young, _) => "Scavenge",
            (CollectionKind::MarkStart, _) => "Scavenge + mark start",
            (CollectionKind::MarkFinish, true) => "Scavenge + mark finish",
            (CollectionKind::MarkFinish, false) => "Scavenge + mark goes on",
            (CollectionKind::Full, _) => "Mark-sweep",
            (CollectionKind::Compact, _) => "Scavenge + compact",
            (CollectionKind::Evacuate, _) => "Evacuate",
        };
        let why = match report.cause {
            Cause::NurseryFull => "nursery full",
            Cause::OldGrown => "old generation has grown",
            Cause::Explicit => "the program asked",
            Cause::Zeal => "zeal",
            Cause::MarkedAll => "everything is marked",
            Cause::LimitNear => "the limit is near",
            Cause::Seed => "the seed",
            Cause::Pressure => "memory is wanted back",
            Cause::Quiet => "the program is quiet",
        };
        let forced = match report.forced {
            None => "",
            Some(Forced::Allocation) => ", before its time: allocation outruns collection",
            Some(Forced::Limit) => ", before its time: the limit leaves no room",
        };
        let phases: Vec<String> = report
            .phases
            .iter()
            .filter(|(_, d)| *d >= Duration::from_micros(10))
            .map(|(phase, d)| format!("{} {:.2}", phase.name(), ms(d)))
            .collect();
        let (steps, total, longest) = std::mem::take(&mut *self.steps.lock());
        let steps = match steps {
            0 => String::new(),
            n => format!(", {n} steps {:.2} ms (longest {:.2})", ms(total), ms(longest)),
        };
        let workers = match report.workers {
            0 => String::new(),
            1 => ", 1 worker".to_owned(),
            n => format!(", {n} workers"),
        };
        format!(
            "[orinoco {:>7.0} ms] {what} {:.1} → {:.1} MiB, {:.2} ms, cpu {:.2} ({}), copied {}, promoted {}{workers}{steps}: {why}{forced}",
            ms(self.began.elapsed()),
            mib(report.old_before),
            mib(report.old_after),
            ms(report.pause),
            ms(report.cpu),
            phases.join(", "),
            report.copied,
            report.promoted,
        )
    }
}

impl<W: Write + Send> Observer for GcLog<W> {
    fn event(&self, event: &Event) {
        match event {
            Event::Pause(report) => {
                let line = self.line(report);
                let _ = writeln!(self.out.lock(), "{line}");
            }
            Event::Step { took, .. } => {
                let (n, total, longest) = &mut *self.steps.lock();
                *n += 1;
                *total += *took;
                *longest = (*longest).max(*took);
            }
            // A line tells of the pause, not of each mutator that it stopped.
            Event::Stop { .. } => {}
        }
    }
    fn stalled(&self, stall: &Stall) {
        let ms = self.began.elapsed().as_secs_f64() * 1e3;
        let _ = writeln!(self.out.lock(), "[orinoco {ms:>7.0} ms] Stall: {stall}");
    }
}
