//! How much a scavenge may copy before the rest is kept where it is: bytes of all workers, and each worker's own time.
//!
//! Time is that of the worker's processor: a worker that waits for a core has spent nothing, and would only retain for it. And
//! the clock decides about a surge of survivors only: what was to be expected is copied, for what roots or remembered places
//! have cost is not made good by retaining whole regions for the little that lives in them.
use crate::event::thread_time;
use crate::sync::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Bytes copied between two looks at the clock, which is a call into the system.
const LOOK_BYTES: usize = 64 << 10;

/// What a scavenge may spend on copying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Bytes, of all workers together.
    pub bytes: usize,
    /// Each worker's time on its processor, if a clock is to decide.
    pub time: Option<Duration>,
    /// Bytes that all workers together copy whatever the clock says.
    pub least: usize,
}

impl Budget {
    /// All there is.
    pub(crate) const NONE: Self = Self { bytes: usize::MAX, time: None, least: 0 };
    /// One buffer: the rest of what survives stays where it is. For zeal.
    pub(crate) const LITTLE: Self = Self { bytes: 1, time: None, least: 0 };
}

/// One worker's part of it.
pub(crate) struct Allowance {
    budget: Budget,
    /// When the worker began, on its processor's clock.
    began: Duration,
    /// Copied bytes at which it looks at that clock again.
    look_at: usize,
    /// What it saw last.
    late: bool,
    /// Bytes that are already in the count of all.
    counted: usize,
}

impl Allowance {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, began: thread_time(), look_at: LOOK_BYTES, late: false, counted: 0 }
    }
    /// Whether a worker that has copied `mine` bytes may go on; `all` is what its fellows and it have copied. Asked once a
    /// buffer.
    pub(crate) fn allows(&mut self, mine: usize, all: &AtomicUsize) -> bool {
        let more = mine - self.counted;
        self.counted = mine;
        // Relaxed: a count that says when to stop, and nothing else.
        let together = all.fetch_add(more, Relaxed) + more;
        if together >= self.budget.bytes {
            return false;
        }
        if let Some(time) = self.budget.time
            && mine >= self.look_at
            && together >= self.budget.least
        {
            self.look_at = mine + LOOK_BYTES;
            self.late = thread_time().saturating_sub(self.began) > time;
        }
        !self.late
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_once_for_all_workers_together() {
        let (all, budget) = (AtomicUsize::new(0), Budget { bytes: 1000, time: None, least: 0 });
        let (mut a, mut b) = (Allowance::new(budget), Allowance::new(budget));
        assert!(a.allows(400, &all) && b.allows(500, &all) && a.allows(450, &all));
        assert!(!b.allows(600, &all));
        assert!(!a.allows(450, &all), "what one has used up is gone for the other");
    }

    #[test]
    fn time_is_looked_at_after_some_bytes_and_what_was_seen_stays() {
        let all = AtomicUsize::new(0);
        let least = 3 * LOOK_BYTES;
        let mut worker = Allowance::new(Budget { bytes: usize::MAX, time: Some(Duration::ZERO), least });
        assert!(worker.allows(LOOK_BYTES - 1, &all), "not worth a look");
        assert!(worker.allows(least - 1, &all), "so much is copied, however late it is");
        while worker.allows(worker.counted + LOOK_BYTES, &all) {}
        assert!(!worker.allows(worker.counted, &all));
        let mut worker = Allowance::new(Budget { bytes: usize::MAX, time: Some(Duration::from_secs(3600)), least: 0 });
        assert!(worker.allows(LOOK_BYTES, &all));
    }
}
