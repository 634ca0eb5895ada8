//! Helpers, and stopped mutators, that share a pause: the collector sees a phase that others may join, and nothing of the pool.
//!
//! The thread that leads a phase works in it from the first moment. Helpers join when they wake up; one that comes
//! after the phase has ended finds the gate closed and goes home, so that no phase ever waits for a thread to be
//! scheduled (adding helpers never makes a phase longer than the work of those who came).
//!
//! Where the threads come from is known to the two rooms below alone: rayon's, or plain ones for a checker.
#[cfg(any(shuttle, gc_tsan))]
#[path = "workers/plain.rs"]
mod pool;
#[cfg(not(any(shuttle, gc_tsan)))]
#[path = "workers/rayon.rs"]
mod pool;

use crate::error::HeapError;
use crate::hands::{Board, Guests, Posted};
use crate::sync::Arc;
use pool::Pool;

/// A heap's helper threads.
pub(crate) struct Helpers {
    pool: Option<Pool>,
    count: usize,
    /// Where stopped mutators find what to do.
    board: Arc<Board>,
}

/// Work that several threads can share.
pub(crate) trait Phase: Send + Sync + 'static {
    /// One helper's part, from joining to finding nothing left to do.
    fn help(self: &Arc<Self>);
}

/// A panic in a phase leaves the heap half moved: nothing may run on.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

/// Runs `work`; a panic in it ends the process, after the panic's message.
pub(crate) fn no_unwind<R>(work: impl FnOnce() -> R) -> R {
    let _guard = AbortOnUnwind;
    work()
}

impl Helpers {
    /// Starts `count` helpers; up to `hands` stopped mutators may stand by. With none of either, phases are the leader's alone.
    pub(crate) fn new(count: usize, hands: usize) -> Result<Self, HeapError> {
        let pool = match count {
            0 => None,
            n => Some(Pool::start(n).map_err(|reason| HeapError::Helpers { wanted: n, reason })?),
        };
        Ok(Self { pool, count, board: Arc::new(Board::new(hands)) })
    }
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
    /// How many may share a phase with its leader: helpers, and stopped mutators in their place.
    pub(crate) fn others_hint(&self) -> usize {
        self.count.max(self.board.hands_hint())
    }
    /// Runs `lead` on this thread while up to `helpers` others join `phase`; returns when all who joined have left.
    pub(crate) fn share<P: Phase>(&self, phase: &Arc<P>, helpers: usize, lead: impl FnOnce()) {
        no_unwind(|| {
            if helpers == 0 {
                return lead();
            }
            let others = phase.clone();
            let guests = Guests::new(move || no_unwind(|| others.help()));
            // Who stands by is on a core already; helpers are woken for the rest.
            let woken = helpers.saturating_sub(self.board.hands_hint());
            self.board.post(guests.copy());
            if let Some(pool) = &self.pool {
                for _ in 0..woken.min(self.count) {
                    let guests = guests.clone();
                    pool.spawn(move || guests.join());
                }
            }
            lead();
            self.board.take_down();
            guests.close_and_wait();
        })
    }
    /// A stopped mutator, as long as it is `stopped`: joins the phases of the stop.
    pub(crate) fn stand_by(&self, stopped: impl Fn() -> bool) {
        self.board.stand_by(stopped);
    }
    /// Has a helper do `piece` after piece beside the program, until nothing is left or a stop is `wanted`. For that it stands
    /// by: it is awake, and has a core that the stop's phases can use better. Whoever leads the stop asks for the rest afterwards.
    /// False if there are no helpers.
    pub(crate) fn spawn_beside(
        &self,
        wanted: impl Fn() -> bool + Send + 'static,
        mut piece: impl FnMut() -> bool + Send + 'static,
    ) -> bool {
        let board = self.board.clone();
        self.spawn(move || {
            while !wanted() {
                if !piece() {
                    return;
                }
            }
            board.stand_by(wanted);
        })
    }
    /// Runs `work` on a helper some time; false if there are no helpers.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) -> bool {
        let Some(pool) = &self.pool else { return false };
        pool.spawn(move || no_unwind(work));
        true
    }
}

#[cfg(all(test, not(loom), not(shuttle)))]
mod tests {
    use super::*;
    use crate::sync::{AtomicBool, AtomicUsize, Ordering::Relaxed, thread};
    use std::time::{Duration, Instant};

    struct Helped(AtomicBool);

    impl Phase for Helped {
        fn help(self: &Arc<Self>) {
            self.0.store(true, Relaxed);
        }
    }

    fn wait_until(what: impl Fn() -> bool) {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not come");
            thread::yield_now();
        }
    }

    #[test]
    fn a_helper_leaves_what_it_does_beside_the_program_when_a_stop_is_wanted() {
        let helpers = Helpers::new(1, 1).unwrap();
        let (wanted, pieces) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        assert!(helpers.spawn_beside(
            {
                let wanted = wanted.clone();
                move || wanted.load(Relaxed)
            },
            {
                let pieces = pieces.clone();
                move || {
                    pieces.fetch_add(1, Relaxed);
                    true
                }
            },
        ));
        wait_until(|| pieces.load(Relaxed) > 0);
        wanted.store(true, Relaxed);
        let phase = Arc::new(Helped(AtomicBool::new(false)));
        // The pool has one thread: did it go on with the pieces, nobody would ever come. That it was about to go to sleep when
        // the phase was posted may happen, and then the next one wakes it.
        wait_until(|| {
            helpers.share(&phase, 1, || thread::sleep(Duration::from_millis(1)));
            phase.0.load(Relaxed)
        });
        let done = pieces.load(Relaxed);
        wanted.store(false, Relaxed);
        thread::yield_now();
        assert_eq!(pieces.load(Relaxed), done, "the rest is for whoever asks again");
    }
}
