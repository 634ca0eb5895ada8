//! One word per mutator: may it touch the heap, and has it been asked to stop?
//!
//! ```text
//!                          ask (leader)
//!          Running ─────────────────────────▶ Running, asked
//!          │     ▲                                │
//!     park │     │ unpark                         │ park, then wake the leader
//!          ▼     │                                ▼
//!          Parked ──────────────────────────▶ Parked, asked
//!                 ◀──────────────────────────
//!                     ask / release (leader)
//! ```
//!
//! The edge that is missing, from *Parked, asked* up to *Running, asked*, is the safepoint.
//!
//! A1  Only the mutator itself moves its word between *Running* and *Parked*; only the leader of a stop asks and releases.
//! A2  Whoever finds a word *Parked* after asking sees all that the mutator did before it parked.
//! A3  A mutator that runs again sees all that was done in every stop since it parked.
//!
//! Every edge is one read-modify-write of one word, so there is one history, and a mutator that comes back and a leader
//! that asks cannot both believe that they were first. No fence is needed, and no lock on the mutator's two edges.

use orinoco_collector::planted::{bug, ord};
use orinoco_collector::sync::AtomicUsize;
use orinoco_collector::sync::Ordering::Relaxed;

/// The leader's bit: stop, or stay stopped.
const ASKED: usize = 0b01;
/// The mutator's bit: it does not touch the heap.
const PARKED: usize = 0b10;

/// The word.
#[derive(Debug)]
pub struct StateWord(AtomicUsize);

/// Where the leader found a mutator that it asked.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It touches the heap until it parks.
    Running,
    /// It is parked and stays so.
    Parked,
}

impl StateWord {
    /// The word of a mutator that is parked and that nobody has asked.
    pub fn new_parked() -> Self {
        Self(AtomicUsize::new(PARKED))
    }

    /// Mutator: gives up the heap; true if a leader waits to be told.
    #[must_use]
    #[inline]
    pub fn park(&self) -> bool {
        // Release: the leader that finds this bit sees our stores, our roots, our buffers; partner: Acquire in `ask`.
        // Guarded by `safepoint::a_stop_sees_what_a_parked_mutator_did`.
        let before = self.0.fetch_or(PARKED, ord::park());
        debug_assert!(before & PARKED == 0, "a mutator parks once");
        before & ASKED != 0
    }

    /// Mutator: takes the heap back, unless a stop is on.
    #[must_use]
    #[inline]
    pub fn try_unpark(&self) -> bool {
        if bug::unpark_without_claim() {
            let free = self.0.load(ord::unpark()) & ASKED == 0;
            if free {
                self.0.fetch_and(!PARKED, ord::unpark());
            }
            return free;
        }
        if bug::unpark_ignores_ask() {
            self.0.fetch_and(!PARKED, ord::unpark());
            return true;
        }
        // Acquire: we see what the last stop did to our roots and buffers; partner: Release in `release`.
        // Guarded by `safepoint::a_mutator_that_resumes_sees_what_the_stop_did`.
        self.0.compare_exchange(PARKED, 0, ord::unpark(), Relaxed).is_ok()
    }

    /// Leader: asks the mutator to stop, or to stay stopped.
    pub fn ask(&self) -> Found {
        // Acquire: if it is parked already, we see what it did before; partner: Release in `park`.
        // Guarded by `safepoint::a_stop_sees_what_a_parked_mutator_did`.
        let before = self.0.fetch_or(ASKED, ord::ask());
        debug_assert!(before & ASKED == 0, "one stop at a time");
        if before & PARKED == 0 { Found::Running } else { Found::Parked }
    }

    /// Leader: lets the mutator go, wherever it is parked.
    pub fn release(&self) {
        // Release: whoever unparks sees what the stop did; partner: Acquire in `try_unpark`.
        // Guarded by `safepoint::a_mutator_that_resumes_sees_what_the_stop_did`.
        let before = self.0.fetch_and(!ASKED, ord::release());
        debug_assert!(before == PARKED | ASKED, "a stop keeps everyone parked until its end");
    }

    /// Leader, being a mutator: stops itself. Nobody has to be told.
    pub(super) fn stop_oneself(&self) {
        let before = self.0.swap(PARKED | ASKED, Relaxed);
        debug_assert!(before == 0, "a leader runs until it leads");
    }
    /// Leader, being a mutator: runs again.
    pub(super) fn resume_oneself(&self) {
        let before = self.0.swap(0, Relaxed);
        debug_assert!(before == PARKED | ASKED, "a leader stays stopped with all others");
    }

    /// Whether a stop is asked for; the mutator looks again under the lock.
    #[inline]
    pub fn is_asked_hint(&self) -> bool {
        self.0.load(Relaxed) & ASKED != 0
    }
    /// Whether the mutator was parked a moment ago.
    #[inline]
    pub fn is_parked_hint(&self) -> bool {
        self.0.load(Relaxed) & PARKED != 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_mutator_parks_and_comes_back_while_nobody_asks() {
        let word = StateWord::new_parked();
        assert!(word.try_unpark());
        assert!(!word.is_parked_hint());
        assert!(!word.park());
        assert!(word.try_unpark());
    }

    #[test]
    fn a_parked_mutator_stays_so_until_it_is_released() {
        let word = StateWord::new_parked();
        assert_eq!(word.ask(), Found::Parked);
        assert!(!word.try_unpark());
        word.release();
        assert!(word.try_unpark());
    }

    #[test]
    fn a_running_mutator_that_is_asked_tells_the_leader_when_it_parks() {
        let word = StateWord::new_parked();
        assert!(word.try_unpark());
        assert_eq!(word.ask(), Found::Running);
        assert!(word.is_asked_hint());
        assert!(word.park());
        assert!(!word.try_unpark());
        word.release();
        assert!(!word.is_asked_hint());
        assert!(word.try_unpark());
    }

    #[test]
    fn a_leader_stops_itself_and_runs_again() {
        let word = StateWord::new_parked();
        assert!(word.try_unpark());
        word.stop_oneself();
        assert!(word.is_parked_hint());
        word.resume_oneself();
        assert!(!word.is_parked_hint());
    }
}
