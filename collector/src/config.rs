//! What an embedder may choose. Checked once, by [`HeapConfig::build`]; plain numbers afterwards.
use crate::error::HeapError;
use crate::event::Observer;
use crate::fault::Faults;
use crate::gc_log::GcLog;
use crate::memory::machine::Machine;
use crate::sync::Arc;
use crate::units::{Bytes, REGION_BYTES};
use crate::zeal::Zeal;
use std::time::Duration;

/// How a heap should behave. Every setter says its default and its range; [`build`](Self::build) checks them all.
///
/// ```
/// use orinoco_collector::config::HeapConfig;
/// use orinoco_collector::units::Bytes;
/// let settings = HeapConfig::new().limit(Bytes::mib(512)).nursery(Bytes::mib(2)).build()?;
/// assert_eq!(settings.nursery, Bytes::mib(2));
/// # Ok::<(), orinoco_collector::error::HeapError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeapConfig {
    settings: Settings,
    /// What was asked for; the machine decides otherwise.
    limit: Option<Bytes>,
}

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// See [`HeapConfig::limit`].
    pub limit: Bytes,
    /// See [`HeapConfig::nursery`].
    pub nursery: Bytes,
    /// See [`HeapConfig::helpers`].
    pub helpers: usize,
    /// See [`HeapConfig::initial_old`].
    pub initial_old: Bytes,
    /// See [`HeapConfig::verify`].
    pub verify: bool,
    /// See [`HeapConfig::zeal`].
    pub zeal: Zeal,
    /// See [`HeapConfig::parallel_scavenge`].
    pub parallel_scavenge: bool,
    /// See [`HeapConfig::concurrent_marking`].
    pub concurrent_marking: bool,
    /// See [`HeapConfig::incremental_marking`].
    pub incremental_marking: bool,
    /// See [`HeapConfig::compaction`].
    pub compaction: Compaction,
    /// See [`HeapConfig::step_cap`].
    pub step_cap: Duration,
    /// See [`HeapConfig::pause_target`].
    pub pause_target: Duration,
    /// See [`HeapConfig::target_utilization`].
    pub target_utilization: u32,
    /// See [`HeapConfig::deterministic`].
    pub seed: Option<u64>,
    /// See [`HeapConfig::faults`].
    pub faults: Faults,
    /// See [`HeapConfig::watchdog`].
    pub watchdog: Duration,
    /// See [`HeapConfig::abort_when_stalled`].
    pub abort_when_stalled: bool,
    /// See [`HeapConfig::observer`].
    pub observer: Option<Watcher>,
    /// See [`HeapConfig::near_limit`].
    pub near_limit: Option<NearLimitHandler>,
    /// See [`HeapConfig::quiet_after`].
    pub quiet_after: Option<Duration>,
}

impl Settings {
    /// Whether sizes and ages follow what is measured. Under zeal and under a seed they stay as configured, and so they
    /// do while the verifier makes every pause long.
    pub fn adapts(&self) -> bool {
        !self.zeal.is_on() && self.seed.is_none() && !self.verify
    }
    /// Whether a thread of the heap's own looks after it while nobody asks for memory.
    pub const fn is_tended(&self) -> bool {
        self.helpers > 0 && self.zeal.every == 0 && self.seed.is_none() && self.quiet_after.is_some()
    }
    /// How many stopped mutators may share a pause: as many as find a core beside its leader's. None under a seed, which
    /// decides alone.
    pub(crate) fn hands(&self) -> usize {
        if self.seed.is_some() { 0 } else { cores() - 1 }
    }
    /// Whether something may be due at any safepoint, so that the poll flag stays up.
    pub const fn polls_always(&self) -> bool {
        self.zeal.every > 0 || self.seed.is_some()
    }
}

/// Cores that the process may use; at least 1.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// What the embedder is told when a heap comes near its limit: see
/// [`HeapConfig::near_limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearLimit {
    /// The limit.
    pub limit: Bytes,
    /// What is alive, in the heap and outside of it, after a whole collection.
    pub used: Bytes,
}

/// Whom to ask when the limit is near, as settings can hold it.
#[derive(Clone)]
pub struct NearLimitHandler(pub Arc<NearLimitAnswer>);

/// What answers: a higher limit, or none.
pub type NearLimitAnswer = dyn Fn(&NearLimit) -> Option<Bytes> + Send + Sync;

impl std::fmt::Debug for NearLimitHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NearLimitHandler")
    }
}

/// An observer that settings can hold.
#[derive(Clone)]
pub struct Watcher(pub Arc<dyn Observer>);

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

/// Set to anything but `0`, it switches the log of collections on for heaps without an observer of their own.
pub const GC_LOG_VARIABLE: &str = "ORINOCO_GC_LOG";

/// Whether old regions full of gaps are emptied, so that their memory can be used for anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compaction {
    /// Never; [`Evacuate`](crate::collector::CollectionKind::Evacuate) and zeal still move everything.
    Off,
    /// When more than a quarter of the old generation is gaps: the emptiest regions, a batch in a young collection, as much
    /// as its share of the step cap allows.
    #[default]
    WhenFragmented,
    /// Every region in every marking cycle, whatever it costs: to find bugs.
    Always,
}

impl Default for HeapConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl HeapConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            limit: None,
            settings: Settings {
                limit: Bytes::gib(4),
                nursery: Bytes::mib(4),
                helpers: (cores() - 1).min(7),
                initial_old: Bytes::mib(16),
                verify: false,
                zeal: Zeal::OFF,
                parallel_scavenge: true,
                concurrent_marking: true,
                incremental_marking: true,
                compaction: Compaction::WhenFragmented,
                step_cap: Duration::from_millis(10),
                pause_target: Duration::from_millis(1),
                target_utilization: 97,
                seed: None,
                faults: Faults::default(),
                watchdog: Duration::from_secs(10),
                abort_when_stalled: false,
                observer: None,
                near_limit: None,
                quiet_after: Some(Duration::from_secs(2)),
            },
        }
    }
    /// Bytes of heap memory, what its objects own outside of it included, above which allocations are refused. 1 MiB to
    /// 1 TiB.
    ///
    /// Default, read when the heap is made: half of the machine's physical memory, three quarters of the memory limit of
    /// the control group (version 1 or 2), a quarter of the address space and half of the data that `setrlimit` leaves, or
    /// 4 GiB, whichever is least.
    #[must_use]
    pub fn limit(mut self, limit: Bytes) -> Self {
        self.limit = Some(limit);
        self
    }
    /// Bytes allocated between two young collections. Default 4 MiB, which stays in cache; 256 KiB to 256 MiB,
    /// at most a quarter of the limit (a larger wish is cut down to that).
    #[must_use]
    pub fn nursery(mut self, nursery: Bytes) -> Self {
        self.settings.nursery = nursery;
        self
    }
    /// Helper threads. Default one less than the cores, at most 7; 0 (everything on mutators) to 256.
    #[must_use]
    pub fn helpers(mut self, helpers: usize) -> Self {
        self.settings.helpers = helpers;
        self
    }
    /// Old-generation bytes before the first full collection. Default 16 MiB; any.
    #[must_use]
    pub fn initial_old(mut self, bytes: Bytes) -> Self {
        self.settings.initial_old = bytes;
        self
    }
    /// Walk and check the heap before and after every phase; a violation panics in the pause and so aborts. Default off.
    #[must_use]
    pub fn verify(mut self, verify: bool) -> Self {
        self.settings.verify = verify;
        self
    }
    /// Collect far too often. Default [`Zeal::OFF`].
    #[must_use]
    pub fn zeal(mut self, zeal: Zeal) -> Self {
        self.settings.zeal = zeal;
        self
    }
    /// Let helpers, and mutators that are stopped anyway, share young collections. Default on.
    #[must_use]
    pub fn parallel_scavenge(mut self, on: bool) -> Self {
        self.settings.parallel_scavenge = on;
        self
    }
    /// Let helpers mark while mutators run. Default on; without helpers it means nothing.
    #[must_use]
    pub fn concurrent_marking(mut self, on: bool) -> Self {
        self.settings.concurrent_marking = on;
        self
    }
    /// Let mutators mark in small steps. Default on. With both this and concurrent marking off, a full
    /// collection is one stop.
    #[must_use]
    pub fn incremental_marking(mut self, on: bool) -> Self {
        self.settings.incremental_marking = on;
        self
    }
    /// Whether to empty fragmented old regions. Default [`Compaction::WhenFragmented`].
    #[must_use]
    pub fn compaction(mut self, compaction: Compaction) -> Self {
        self.settings.compaction = compaction;
        self
    }
    /// The longest a step or a pause may take before its work is split. Default 10 ms; 100 µs to 10 s.
    #[must_use]
    pub fn step_cap(mut self, cap: Duration) -> Self {
        self.settings.step_cap = cap;
        self
    }
    /// How much of the time, in percent, the program is to have beside marking: the old generation grows between two markings
    /// by what their measured cost, and the program's measured speed, make of it; by a quarter of what lives at least,
    /// threefold at most. More of it takes more memory, less of it more marking. Default 97; 50 to 99.
    #[must_use]
    pub fn target_utilization(mut self, percent: u32) -> Self {
        self.settings.target_utilization = percent;
        self
    }
    /// Lets `seed` decide, at each safepoint and each new buffer, whether to collect, to begin or end marking, and how
    /// many objects to mark or regions to sweep; no helper threads, no clock. Default off.
    ///
    /// One mutator that does the same again meets the same collections again: any interleaving of steps and operations
    /// can be replayed. With several mutators, their schedule has to be the same too.
    #[must_use]
    pub fn deterministic(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
        self
    }
    /// What a young collection may take of its leader's processor; the nursery is made so long that two fifths of it should
    /// do, for a leader to whom no helper comes takes twice as long. Where the guess is wrong, what is not copied within one and
    /// a half times the target stays where it is. Default 1 ms; 100 µs up to the step cap.
    #[must_use]
    pub fn pause_target(mut self, target: Duration) -> Self {
        self.settings.pause_target = target;
        self
    }
    /// Asks `handler` when a whole collection near the limit has left more than seven eighths of it in use: time to write a
    /// snapshot, to drop caches, or to answer with a higher limit (up to about twice the configured one; the reservation
    /// is no larger). It is asked once; the configured limit is restored, and the next time it is asked again, when a
    /// whole collection has left less than half of that in use. Default none.
    ///
    /// It runs outside of every pause, on a thread whose mutator is parked.
    #[must_use]
    pub fn near_limit(mut self, handler: impl Fn(&NearLimit) -> Option<Bytes> + Send + Sync + 'static) -> Self {
        self.settings.near_limit = Some(NearLimitHandler(Arc::new(handler)));
        self
    }
    /// How long a program must allocate next to nothing (under 1 MiB a second) before its heap, if it has grown, is
    /// collected and what is free given back to the system. Default 2 s; 10 ms to an hour, or `None` for never.
    ///
    /// A thread of the heap's own does it, which sleeps while nothing has grown. A heap without helpers has no such thread,
    /// nor has one under zeal or a seed: there, call `idle_until` where the program has time.
    #[must_use]
    pub fn quiet_after(mut self, time: Option<Duration>) -> Self {
        self.settings.quiet_after = time;
        self
    }
    /// Refuses memory, or panics in a pause, when told to: for tests of what an embedder does then. Default none.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.settings.faults = faults;
        self
    }
    /// How long a mutator may keep a stop, or another mutator, waiting before the observer is told who it is
    /// ([`Observer::stalled`]). Default 10 s; at least 20 ms; [`Duration::MAX`] for never.
    #[must_use]
    pub fn watchdog(mut self, patience: Duration) -> Self {
        self.settings.watchdog = patience;
        self
    }
    /// Ends the process when the watchdog reports, after a dump of who keeps whom waiting on standard error: for a
    /// service that had rather be started again than hang. Default off.
    #[must_use]
    pub fn abort_when_stalled(mut self, abort: bool) -> Self {
        self.settings.abort_when_stalled = abort;
        self
    }
    /// Tells `observer` of collections and steps, outside every pause. Default none, or the log on standard error if
    /// the environment variable [`GC_LOG_VARIABLE`] is set.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.settings.observer = Some(Watcher(observer));
        self
    }
    /// Writes a line on standard error for each collection. Default off.
    #[must_use]
    pub fn gc_log(self) -> Self {
        self.observer(Arc::new(GcLog::to_stderr()))
    }
    /// Checks every setting.
    ///
    /// # Errors
    /// [`HeapError::Config`] names the first setting that is out of its range.
    pub fn build(self) -> Result<Settings, HeapError> {
        let logged = self.settings.observer.is_none() && std::env::var_os(GC_LOG_VARIABLE).is_some_and(|v| v != "0");
        let limit = self.limit.unwrap_or_else(|| Machine::here().default_limit());
        let mut s = if logged { self.gc_log().settings } else { self.settings };
        s.limit = limit;
        let range = |setting, ok: bool, expected: &str| {
            if ok { Ok(()) } else { Err(HeapError::Config { setting, expected: expected.to_owned() }) }
        };
        range("limit", s.limit >= Bytes::mib(1) && s.limit <= Bytes::gib(1 << 10), "between 1 MiB and 1 TiB")?;
        range(
            "nursery",
            s.nursery.get() >= REGION_BYTES && s.nursery <= Bytes::mib(256),
            "between 256 KiB and 256 MiB",
        )?;
        range("helpers", s.helpers <= 256, "at most 256")?;
        let cap = s.step_cap.as_micros();
        range("step_cap", (100..=10_000_000).contains(&cap), "between 100 µs and 10 s")?;
        let target = s.pause_target.as_micros();
        range("pause_target", target >= 100 && target <= cap, "between 100 µs and the step cap")?;
        range("target_utilization", (50..=99).contains(&s.target_utilization), "between 50 and 99 percent")?;
        let quiet = s.quiet_after.map_or(10, |time| time.as_millis());
        range("quiet_after", (10..=3_600_000).contains(&quiet), "between 10 ms and an hour, or none")?;
        range("watchdog", s.watchdog >= Duration::from_millis(20), "at least 20 ms")?;
        if s.seed.is_some() {
            s.helpers = 0;
        }
        if s.zeal.nursery {
            s.nursery = Bytes::new(REGION_BYTES);
        }
        if s.zeal.compact {
            s.compaction = Compaction::Always;
        }
        if s.zeal.step {
            (s.concurrent_marking, s.incremental_marking) = (false, true);
        }
        s.nursery = s.nursery.min(Bytes::new(s.limit.get() / 4));
        Ok(s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_named() {
        let wrong = [
            (HeapConfig::new().limit(Bytes::kib(1)), "limit"),
            (HeapConfig::new().limit(Bytes::new(usize::MAX)), "limit"),
            (HeapConfig::new().nursery(Bytes::new(0)), "nursery"),
            (HeapConfig::new().helpers(257), "helpers"),
            (HeapConfig::new().target_utilization(100), "target_utilization"),
            (HeapConfig::new().step_cap(Duration::ZERO), "step_cap"),
            (HeapConfig::new().pause_target(Duration::from_secs(1)), "pause_target"),
            (HeapConfig::new().watchdog(Duration::from_millis(1)), "watchdog"),
            (HeapConfig::new().quiet_after(Some(Duration::ZERO)), "quiet_after"),
            (HeapConfig::new().quiet_after(Some(Duration::MAX)), "quiet_after"),
        ];
        for (config, name) in wrong {
            match config.build() {
                Err(HeapError::Config { setting, .. }) => assert_eq!(setting, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_nursery_never_takes_more_than_a_quarter_of_the_limit() {
        let s = HeapConfig::new().limit(Bytes::mib(4)).nursery(Bytes::mib(64)).build().unwrap();
        assert_eq!(s.nursery, Bytes::mib(1));
    }
}
