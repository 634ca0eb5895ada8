//! How workers agree that a phase is over: a count of those who may still make work.
//!
//! ```text
//!               enter                     offer: it ran dry
//!   outside ────────────▶ active ────────────────────────────▶ idle
//!      │                    ▲                                    │
//!      │                    └────────────────────────────────────┘
//!      │ enter, at 0           reenter: there is work, and the count is above 0
//!      ▼
//!   goes home                     0 is for ever: the phase is over
//! ```
//!
//! T1  Only an active worker holds work, takes work, or makes work visible.
//! T2  A worker offers only when it holds nothing and found nothing to take.
//! T3  The count leaves 0 never again.
//!
//! From T1 and T2: when the last active worker offers, every list is empty. Had one an entry, its pusher would have
//! found it before offering, or somebody active took it and holds it still. So whoever sees 0 may lean on two things:
//! there is no work, and all that the workers did is visible to him. The leader starts active, hence nobody sees 0
//! before the phase has begun, and a helper that comes late finds either work or 0.

use crate::planted::{bug, ord};
use crate::sync::Ordering::Relaxed;
use crate::sync::{AtomicUsize, rest, spin_loop, thread};

/// How often an idle worker looks before it lets others have the processor.
const SPINS: u32 = if cfg!(loom) { 1 } else { 64 };
/// How often it looks before it sleeps: whoever has the work has no processor, and would not get ours by yielding.
const YIELDS: u32 = if cfg!(loom) { u32::MAX } else { SPINS + 256 };

/// Who may still make work in a phase.
#[derive(Debug)]
pub struct Termination {
    /// Active workers. Every worker writes it; whoever brings it to zero ends the phase.
    active: AtomicUsize,
}

/// Why an idle worker stopped waiting.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There may be work, and the worker is active again.
    Work,
    /// The phase is over.
    Over,
}

impl Default for Termination {
    fn default() -> Self {
        Self::new()
    }
}

impl Termination {
    /// A phase in which the leader, who makes it, is active.
    pub fn new() -> Self {
        Self { active: AtomicUsize::new(1) }
    }

    /// Makes a helper active, however late it comes; false if the phase is over.
    #[must_use]
    pub fn enter(&self) -> bool {
        self.activate()
    }
    /// An idle worker saw work: makes it active; false if the phase is over.
    #[must_use]
    pub fn reenter(&self) -> bool {
        self.activate()
    }

    /// This worker ran dry; true if that ended the phase.
    pub fn offer(&self) -> bool {
        // Release: all that this worker did is visible to whoever sees 0. Acquire: this may be who sees it.
        // The count is only ever changed by read-modify-write, so every earlier offer reaches as far.
        // Guarded by `termination::everyone_sees_everything_at_the_end`.
        let before = self.active.fetch_sub(1, ord::termination_offer());
        debug_assert!(before > 0, "only an active worker offers");
        before == 1
    }

    /// Whether the phase is over; if so, what all workers did is visible.
    pub fn is_over(&self) -> bool {
        // Acquire: partner of the Release in `offer`. Guarded by the same model.
        self.active.load(ord::termination_over()) == 0
    }

    /// Waits, idle, until `has_work` says so and the worker is active again, or until the phase is over.
    ///
    /// `has_work` may be a hint: a worker that finds nothing after all offers again.
    pub fn idle_until(&self, has_work: impl Fn() -> bool) -> Outcome {
        let mut spins = 0;
        loop {
            if self.is_over() {
                return Outcome::Over;
            }
            if has_work() {
                if bug::termination_take_before_reenter() {
                    return Outcome::Work;
                }
                return if self.reenter() { Outcome::Work } else { Outcome::Over };
            }
            if spins < SPINS {
                spin_loop();
            } else if spins < YIELDS {
                thread::yield_now();
            } else {
                rest();
            }
            spins = spins.saturating_add(1);
        }
    }

    fn activate(&self) -> bool {
        // Acquire: as in `is_over`, for a helper that comes when the phase is over.
        let mut active = self.active.load(ord::termination_over());
        while active > 0 || bug::termination_revive() {
            // Relaxed on success: work comes through its list, which has a lock of its own.
            // Acquire on failure: who finds the phase over sees what was done in it, as in `is_over`.
            match self.active.compare_exchange_weak(active, active + 1, Relaxed, ord::termination_over()) {
                Ok(_) => return true,
                Err(now) => active = now,
            }
        }
        false
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::worklist::shared::{View, Worklist};

    #[test]
    fn a_leader_alone_ends_the_phase() {
        let phase = Termination::new();
        assert!(!phase.is_over());
        assert!(phase.offer());
        assert!(phase.is_over());
    }

    #[test]
    fn a_helper_that_comes_late_goes_home() {
        let phase = Termination::new();
        assert!(phase.offer());
        assert!(!phase.enter());
        assert!(!phase.reenter());
        assert_eq!(phase.idle_until(|| true), Outcome::Over);
    }

    #[test]
    fn a_phase_lasts_as_long_as_one_worker_is_active() {
        let phase = Termination::new();
        assert!(phase.enter());
        assert!(!phase.offer());
        assert!(!phase.is_over());
        assert_eq!(phase.idle_until(|| true), Outcome::Work);
        assert!(!phase.offer());
        assert!(phase.offer());
    }

    #[test]
    fn workers_on_real_threads_count_a_tree_exactly() {
        const DEPTH: usize = 14;
        for _ in 0..20 {
            let (list, phase, visited) = (Worklist::new(), Termination::new(), AtomicUsize::new(0));
            let work = |leader: bool| {
                if !leader && !phase.enter() {
                    return;
                }
                let mut view = View::new(&list);
                if leader {
                    view.push(DEPTH);
                }
                loop {
                    while let Some(depth) = view.pop() {
                        visited.fetch_add(1, Relaxed);
                        if depth > 0 {
                            view.push(depth - 1);
                            view.push(depth - 1);
                            view.share_if_hungry();
                        }
                    }
                    if phase.offer() || phase.idle_until(|| !list.is_empty_hint()) == Outcome::Over {
                        break;
                    }
                }
                assert!(list.is_empty_hint());
                assert_eq!(visited.load(Relaxed), (1 << (DEPTH + 1)) - 1);
            };
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| work(false));
                }
                work(true);
            });
        }
    }
}
