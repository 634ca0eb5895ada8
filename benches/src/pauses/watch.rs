//! An observer that remembers every stop and every pause, with its time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use orinoco::{Event, Forced, Observer, PhaseTimes, StopKind};

use super::utilization::{Interval, Timeline};

/// The observer. Its heap tells it what happened when a pause is over; what is left, when the heap is dropped.
#[derive(Debug)]
pub struct Watch {
    born: Instant,
    seen: Mutex<Seen>,
}

/// What a heap has told.
#[derive(Debug, Default)]
pub struct Seen {
    /// How each mutator stood still, each time.
    pub stops: Vec<Stop>,
    /// What the collector did in the pauses, once each.
    pub pauses: Vec<Pause>,
}

/// One mutator stood still once.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// What for.
    pub kind: StopKind,
    /// Whose thread.
    pub thread: ThreadId,
    /// When, on the clock of [`Watch::time`].
    pub when: Interval,
    /// Of a step, the part of that in which its mutator was on a core.
    pub cpu: Option<Duration>,
    /// Of a step, why its mutator had not rested from its last one.
    pub forced: Option<Forced>,
}

/// One pause.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// What for.
    pub kind: StopKind,
    /// When it was told of, soon after its end.
    pub told: u64,
    /// How long, on the wall's clock.
    pub wall: Duration,
    /// The part of that in which its leader was on a core.
    pub cpu: Duration,
    /// What it was spent on.
    pub phases: PhaseTimes,
    /// Threads that worked in its scavenge; 0 if it copied nothing.
    pub workers: usize,
    /// Whether a collection of the old generation ended with it.
    pub ended_cycle: bool,
    /// Why it did not leave mutators half of the time, if it did not.
    pub forced: Option<Forced>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { born: Instant::now(), seen: Mutex::default() }
    }
}

impl Watch {
    /// Nanoseconds from this watch's beginning to `instant`.
    pub fn time(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.born))
    }

    /// What was told since the last time.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Watch {
    fn event(&self, event: &Event) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Pause(report) => seen.pauses.push(Pause {
                kind: report.stop_kind(),
                told: self.time(Instant::now()),
                wall: report.pause,
                cpu: report.cpu,
                phases: report.phases,
                workers: report.workers,
                ended_cycle: report.ended_cycle,
                forced: report.forced,
            }),
            Event::Stop { kind, thread, ended, stood, cpu, forced } => {
                let end = self.time(*ended);
                let when = Interval { start: end.saturating_sub(nanos(*stood)), end };
                seen.stops.push(Stop { kind: *kind, thread: *thread, when, cpu: *cpu, forced: *forced });
            }
            // A step is told of as its mutator's stop, too.
            _ => {}
        }
    }
}

impl Seen {
    /// What ended within `span`.
    pub fn within(&self, span: Interval) -> Self {
        let inside = |time| span.start <= time && time < span.end;
        Self {
            stops: self.stops.iter().copied().filter(|stop| inside(stop.when.end)).collect(),
            pauses: self.pauses.iter().copied().filter(|pause| inside(pause.told)).collect(),
        }
    }

    /// For each mutator that ever stood still, when it did within `span`.
    pub fn timelines(&self, span: Interval) -> Vec<Timeline> {
        let mut stops: HashMap<ThreadId, Vec<Interval>> = HashMap::new();
        for stop in &self.stops {
            stops.entry(stop.thread).or_default().push(stop.when);
        }
        stops.into_values().map(|stops| Timeline::new(span, stops)).collect()
    }

    /// The same, had the machine given every leader a core at once, and every mutator its own afterwards: each pause
    /// takes from all of them what its leader spent on a core, and each step from its own what that one did.
    pub fn timelines_of_work(&self, span: Interval) -> Vec<Timeline> {
        let mut steps: HashMap<ThreadId, Vec<Interval>> = HashMap::new();
        for stop in &self.stops {
            let of_thread = steps.entry(stop.thread).or_default();
            if stop.kind == StopKind::Step {
                let cpu = stop.cpu.map_or(stop.when.length(), nanos);
                of_thread.push(Interval { start: stop.when.end.saturating_sub(cpu), end: stop.when.end });
            }
        }
        // Pauses that were told of together lie one before the other, so that none hides another.
        let mut end = u64::MAX;
        let pauses: Vec<_> = (self.pauses.iter().rev())
            .map(|pause| {
                let pause_end = pause.told.min(end);
                end = pause_end.saturating_sub(nanos(pause.cpu));
                Interval { start: end, end: pause_end }
            })
            .collect();
        steps.into_values().map(|steps| Timeline::new(span, steps.into_iter().chain(pauses.iter().copied()))).collect()
    }
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use orinoco::{Heap, HeapConfig};

    #[test]
    fn every_stop_that_the_heap_counts_is_seen_when_the_heap_is_gone() {
        let watch = Arc::new(Watch::default());
        let heap = Heap::new(HeapConfig::new().helpers(0).observer(watch.clone())).unwrap();
        heap.enter((), |m| {
            m.collect_young();
            m.collect();
        });
        let counted: Vec<_> = heap.statistics().stops.iter().map(|(kind, stops)| (*kind, stops.count)).collect();
        drop(heap);
        let seen = watch.take();
        assert_eq!(counted, [(StopKind::Young, 1), (StopKind::Full, 1)]);
        let kinds = |all: Vec<StopKind>| all.iter().map(|kind| kind.name()).collect::<Vec<_>>();
        assert_eq!(kinds(seen.stops.iter().map(|stop| stop.kind).collect()), ["scavenge", "full"]);
        assert_eq!(kinds(seen.pauses.iter().map(|pause| pause.kind).collect()), ["scavenge", "full"]);
        let now = watch.time(Instant::now());
        assert!(seen.stops.iter().all(|stop| stop.when.start < stop.when.end && stop.when.end <= now));
        assert!(seen.stops[0].when.end <= seen.stops[1].when.start, "one mutator's stops follow each other");
        assert!(watch.take().stops.is_empty());
    }

    #[test]
    fn each_mutator_has_a_timeline_of_its_own_cut_to_the_span() {
        let (here, there) = (std::thread::current().id(), std::thread::spawn(|| std::thread::current().id()).join());
        let stop = |thread, start, end| Stop {
            kind: StopKind::Young,
            thread,
            when: Interval { start, end },
            cpu: None,
            forced: None,
        };
        let stops = vec![stop(here, 0, 10), stop(there.unwrap(), 50, 90), stop(here, 50, 60)];
        let seen = Seen { stops, pauses: Vec::new() };
        let mut least: Vec<_> =
            seen.timelines(Interval { start: 50, end: 150 }).iter().map(|t| t.minimum(100).unwrap()).collect();
        least.sort_by(f64::total_cmp);
        assert_eq!(least, [0.6, 0.9]);
        assert_eq!(seen.within(Interval { start: 20, end: 90 }).stops.len(), 1);
    }

    #[test]
    fn work_is_what_leaders_spent_and_no_pause_hides_another() {
        let thread = std::thread::current().id();
        let stop = |kind, start, end| Stop { kind, thread, when: Interval { start, end }, cpu: None, forced: None };
        let pause = |told, cpu| Pause {
            kind: StopKind::Young,
            told,
            wall: Duration::from_nanos(500),
            cpu: Duration::from_nanos(cpu),
            phases: PhaseTimes::default(),
            ended_cycle: false,
            workers: 1,
            forced: None,
        };
        let stops = vec![stop(StopKind::Young, 0, 600), stop(StopKind::Step, 700, 750)];
        let seen = Seen { stops, pauses: vec![pause(600, 100), pause(600, 100)] };
        let all = seen.timelines_of_work(Interval { start: 0, end: 1000 });
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].minimum(1000), Some(0.75));
        assert_eq!(all[0].minimum(200), Some(0.0), "the two pauses lie next to each other");
    }
}
