//! What the watchdog knows of a mutator: which thread runs it, and what that thread is waiting for.
//!
//! Everything here is read by other threads while the mutator runs, and for reports only: nothing is ordered by it.
use crate::mutator::cx::Cx;
use orinoco_collector::stall::{Stall, StallState};
use orinoco_collector::sync::{AtomicU32, AtomicU64, Mutex, Ordering::Relaxed};
use std::thread::Thread;
use std::time::Duration;

/// One mutator's side of it.
#[derive(Default)]
pub(crate) struct Watched {
    /// Who runs the mutator. Written when a turn begins.
    thread: Mutex<Option<Thread>>,
    /// The mutator that holds the lock which this one is waiting for; 0 for none.
    lock_holder: AtomicU32,
    /// How long the last report said that somebody had waited, in nanoseconds; 0 between waits.
    reported: AtomicU64,
}

impl Watched {
    /// This thread runs the mutator from now on.
    pub(crate) fn begin_turn(&self) {
        *self.thread.lock() = Some(std::thread::current());
    }
    /// The next wait is another one.
    pub(crate) fn forget(&self) {
        self.reported.store(0, Relaxed);
    }
    /// Its mutator waits for a lock that `holder` has; for none, if that is 0.
    pub(crate) fn waits_for(&self, holder: u32) {
        self.lock_holder.store(holder, Relaxed);
    }
}

impl Cx {
    /// Reports that this mutator has kept others, or itself, waiting for `waited`, if that is long.
    pub(crate) fn report_stall(&self, state: StallState, waited: Duration) {
        let watched = &self.watched;
        let reported = Duration::from_nanos(watched.reported.load(Relaxed));
        if !self.collector().is_stalled(waited, reported) {
            return;
        }
        watched.reported.store(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        let mut stall = Stall::new(self.id, state, waited);
        if let Some(thread) = &*watched.thread.lock() {
            stall.thread = Some(thread.id());
            stall.name = thread.name().map(str::to_owned);
        }
        stall.running = self.born.elapsed().saturating_sub(Duration::from_nanos(self.running_since.load(Relaxed)));
        stall.lock_holder = Some(watched.lock_holder.load(Relaxed)).filter(|holder| *holder != 0);
        self.collector().stalled(stall);
    }
}
