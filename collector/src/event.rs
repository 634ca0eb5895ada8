//! What happened, for whoever watches: typed events without allocation, told outside every pause.
//!
//! ```text
//!   before it:      `before`, on the thread that is about to ask for it
//!   in the pause:   PhaseTimes fills up, an Event is put on a short list
//!   after it:       the thread that led tells the observer, in order:  Pause, `after` ▸ Stop ▸ Step …
//! ```
//!
//! An observer is the embedder's code, and may block, allocate or panic: it never runs while the world is stopped.
use crate::collector::{Cause, CollectionKind, CollectionReport, Forced};
use crate::stall::Stall;
use crate::statistics::StopKind;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// A named part of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Sending concurrent markers home, taking over what mutators hold.
    HandOver,
    /// Deciding what is emptied.
    Condemn,
    /// Roots and remembered places, copying and scanning.
    Trace,
    /// Objects that stay where they are.
    Retain,
    /// Ephemerons and weak references of the scavenge.
    Weak,
    /// Values with drop glue that died young.
    Droppables,
    /// Giving emptied regions back, making the next row.
    Free,
    /// Marking: all of it, or what concurrent marking left.
    Mark,
    /// Ephemerons and weak references of the marking; purging the remembered set.
    MarkSettle,
    /// Large objects, and handing regions to the sweep.
    Release,
    /// Waiting for an earlier sweep to end.
    SweepWait,
    /// The verifier, when asked for.
    Verify,
}

impl Phase {
    /// All of them, in the order of a pause.
    pub const ALL: [Self; 12] = [
        Self::HandOver,
        Self::Condemn,
        Self::Trace,
        Self::Retain,
        Self::Weak,
        Self::Droppables,
        Self::Free,
        Self::Mark,
        Self::MarkSettle,
        Self::Release,
        Self::SweepWait,
        Self::Verify,
    ];
    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HandOver => "hand over",
            Self::Condemn => "condemn",
            Self::Trace => "trace",
            Self::Retain => "retain",
            Self::Weak => "weak",
            Self::Droppables => "droppables",
            Self::Free => "free",
            Self::Mark => "mark",
            Self::MarkSettle => "mark settle",
            Self::Release => "release",
            Self::SweepWait => "sweep wait",
            Self::Verify => "verify",
        }
    }
}

/// How long each phase of a pause took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimes {
    times: [Duration; Phase::ALL.len()],
}

impl PhaseTimes {
    /// Time spent in `phase`.
    pub const fn get(&self, phase: Phase) -> Duration {
        self.times[phase as usize]
    }
    /// Phases that took any time, in the order of a pause.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, Duration)> + '_ {
        Phase::ALL.into_iter().map(|p| (p, self.get(p))).filter(|(_, time)| !time.is_zero())
    }
    pub(crate) fn add(&mut self, phase: Phase, time: Duration) {
        self.times[phase as usize] += time;
    }
    pub(crate) fn add_all(&mut self, other: &Self) {
        for phase in Phase::ALL {
            self.add(phase, other.get(phase));
        }
    }
}

/// Time that this thread has spent on a processor: a pause's length where the clock on the wall cannot be trusted.
pub(crate) fn thread_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Cuts a pause into phases: each call ends one.
pub(crate) struct PhaseClock {
    last: std::time::Instant,
    pub times: PhaseTimes,
}

impl PhaseClock {
    pub(crate) fn start() -> Self {
        Self { last: std::time::Instant::now(), times: PhaseTimes::default() }
    }
    pub(crate) fn ends(&mut self, phase: Phase) {
        let now = std::time::Instant::now();
        self.times.add(phase, now - self.last);
        self.last = now;
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "a box would be an allocation in the pause; a thousand events wait at most"
)]
pub enum Event {
    /// A stop was used for a collection.
    Pause(CollectionReport),
    /// A mutator marked a little.
    Step {
        /// How long it took.
        took: Duration,
        /// What it spent on its processor of that.
        cpu: Duration,
        /// Bytes it marked.
        bytes: usize,
    },
    /// A mutator stood still, and goes on: each of those that a pause stopped, and the one that took a step.
    Stop {
        /// What for.
        kind: StopKind,
        /// Whose thread it was.
        thread: ThreadId,
        /// When it went on.
        ended: Instant,
        /// How long it stood, from the request to going on.
        stood: Duration,
        /// Of a step, what it spent on its processor; a pause's report has its leader's.
        cpu: Option<Duration>,
        /// Of a step, why its mutator had not rested from its last one; a pause's report has its own.
        forced: Option<Forced>,
    },
}

/// Told of events, in order, by whichever thread led the stop; never during one.
///
/// Each method runs with the calling thread's mutator parked: it may block and take locks, and must not run this heap's
/// mutators. A panic unwinds out of the safepoint that the thread is in; the heap is whole.
pub trait Observer: Send + Sync {
    /// One event.
    fn event(&self, event: &Event);
    /// The prologue: a mutator is about to ask for a stop, to collect so. For what is worth doing before a collection:
    /// emptying caches, taking a time. If another thread's stop comes first, ours may not happen, or be used otherwise.
    fn before(&self, kind: CollectionKind, cause: Cause) {
        let _ = (kind, cause);
    }
    /// A mutator keeps everybody waiting for longer than [`HeapConfig::watchdog`](crate::config::HeapConfig::watchdog)
    /// allows. Told on a thread of its own, for the thread that noticed is waiting; again when the wait has doubled.
    fn stalled(&self, stall: &Stall) {
        let _ = stall;
    }
    /// The epilogue: a collection is over and mutators run again. Once for each, after its [`Event::Pause`].
    fn after(&self, report: &CollectionReport) {
        let _ = report;
    }
}

/// Events that wait to be told; the oldest are forgotten when nobody listens for long.
#[derive(Default)]
pub(crate) struct Waiting {
    events: std::collections::VecDeque<Event>,
    /// Events forgotten since they were last told.
    pub forgotten: u64,
}

const MOST: usize = 1024;

impl Waiting {
    pub(crate) fn push(&mut self, event: Event) {
        if self.events.capacity() == 0 {
            self.events.reserve_exact(MOST);
        }
        if self.events.len() == MOST {
            self.events.pop_front();
            self.forgotten += 1;
        }
        self.events.push_back(event);
    }
    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_listens_to_is_forgotten_from_the_front() {
        let mut waiting = Waiting::default();
        for bytes in 0..MOST + 3 {
            waiting.push(Event::Step { took: Duration::ZERO, cpu: Duration::ZERO, bytes });
        }
        assert_eq!(waiting.forgotten, 3);
        assert!(matches!(waiting.pop(), Some(Event::Step { bytes: 3, .. })));
    }

    #[test]
    fn phases_add_up() {
        let mut times = PhaseTimes::default();
        times.add(Phase::Trace, Duration::from_micros(3));
        times.add(Phase::Trace, Duration::from_micros(4));
        assert_eq!(times.iter().collect::<Vec<_>>(), [(Phase::Trace, Duration::from_micros(7))]);
    }
}
