//! Stopped mutators lend a hand: a board where a stop's phase hangs, for those who stand by to join.
//!
//! ```text
//!   leader     ask ──▶ post ═ lead ═▶ take down ──▶ close the gate, wait for guests ──▶ (next phase) ──▶ release
//!   mutator    park ──▶ stand by ──▶ join, through the gate ══ help ══▶ leave ──▶ stand by ──▶ … ──▶ unpark
//! ```
//!
//! A helper that has to be woken comes 50 µs late, and where cores are few it takes one from the leader. A mutator that has
//! just stopped is on a core already, and has nothing to do. So is a helper that was at work beside the program when the stop
//! came to be wanted: it stands by from before the stop.
//!
//! H1  Who stands by is parked, and asked, or no mutator: it touches the heap as a worker of a posted phase or not at all.
//! H2  It works inside that phase's gate, which the leader closes before it goes on: nobody is at work when a stop ends.
//! H3  Nobody waits for a hand that has not come. Who stands by looks for a moment only, and then sleeps like any other.
use crate::gate::Gate;
use crate::planted::bug;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering::Relaxed, spin_loop, thread};
use std::time::{Duration, Instant};

/// How long a stopped mutator looks for something to do: about the time that a leader needs to wake and to begin.
const PATIENCE: Duration = Duration::from_micros(200);
/// Looks between two looks at the clock.
const SPINS: u32 = 32;

/// A phase that others may join, as it hangs on the board.
pub trait Posted: Send + Sync {
    /// Enters the phase's gate if it is open, helps, and leaves.
    fn join(&self);
    /// The same phase once more.
    fn copy(&self) -> Box<dyn Posted>;
}

/// A phase behind its gate, and what a guest does there.
#[derive(Clone)]
pub struct Guests<F> {
    gate: Arc<Gate>,
    help: F,
}

impl<F: Fn() + Clone + Send + Sync + 'static> Guests<F> {
    /// Nobody is inside yet.
    pub fn new(help: F) -> Self {
        Self { gate: Arc::new(Gate::new()), help }
    }
    /// Leader: lets nobody in any more, and waits for those inside.
    pub fn close_and_wait(&self) {
        self.gate.close_and_wait();
    }
}

impl<F: Fn() + Clone + Send + Sync + 'static> Posted for Guests<F> {
    fn join(&self) {
        if bug::hand_works_outside_the_gate() {
            return (self.help)();
        }
        // H2.
        if self.gate.enter() {
            (self.help)();
            self.gate.leave();
        }
    }
    fn copy(&self) -> Box<dyn Posted> {
        Box::new(self.clone())
    }
}

/// The board of one heap.
pub struct Board {
    /// The phase that is on and its number. Leaders write it, in a stop; hands read it.
    posted: Mutex<Option<(usize, Box<dyn Posted>)>>,
    /// How many phases were posted, ever; a hint to those who look.
    count: AtomicUsize,
    /// Who stands by; a hint to the leader. Hands change it.
    standing_by: AtomicUsize,
    /// How many may at a time: those who look keep a core busy.
    most: usize,
}

impl Board {
    /// An empty board, for at most `most` hands at a time.
    pub fn new(most: usize) -> Self {
        Self { posted: Mutex::new(None), count: AtomicUsize::new(0), standing_by: AtomicUsize::new(0), most }
    }
    /// Leader: shows a phase.
    pub fn post(&self, phase: Box<dyn Posted>) {
        let mut posted = self.posted.lock();
        // Relaxed: who sees the number takes the lock.
        let number = self.count.fetch_add(1, Relaxed) + 1;
        *posted = Some((number, phase));
    }
    /// Leader: the phase has run dry. Who has joined leaves through the gate; nobody else joins.
    pub fn take_down(&self) {
        *self.posted.lock() = None;
    }
    /// How many stand by at the moment.
    pub fn hands_hint(&self) -> usize {
        self.standing_by.load(Relaxed)
    }
    /// Joins the phase that hangs there, unless it is the one that was `seen` last; true if there was one.
    pub fn join_posted(&self, seen: &mut usize) -> bool {
        if self.count.load(Relaxed) == *seen {
            return false;
        }
        let phase = match &*self.posted.lock() {
            Some((number, phase)) if *number != *seen => {
                *seen = *number;
                phase.copy()
            }
            _ => return false,
        };
        phase.join();
        true
    }
    /// A stopped mutator, or a helper: joins what is posted, for as long as it is `stopped`, and something comes soon enough. H1.
    pub fn stand_by(&self, stopped: impl Fn() -> bool) {
        if self.standing_by.fetch_add(1, Relaxed) < self.most {
            let mut seen = 0;
            let mut since = Instant::now();
            while stopped() && since.elapsed() < PATIENCE {
                for _ in 0..SPINS {
                    if !stopped() {
                        break;
                    }
                    if self.join_posted(&mut seen) {
                        since = Instant::now();
                    }
                    spin_loop();
                }
                thread::yield_now();
            }
        }
        self.standing_by.fetch_sub(1, Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_phase_is_joined_once_by_each_and_by_nobody_when_it_is_over() {
        let board = Board::new(8);
        let done = Arc::new(AtomicUsize::new(0));
        let phase = Guests::new({
            let done = done.clone();
            move || _ = done.fetch_add(1, Relaxed)
        });
        let mut seen = 0;
        assert!(!board.join_posted(&mut seen), "nothing hangs there");
        board.post(phase.copy());
        assert!(board.join_posted(&mut seen) && !board.join_posted(&mut seen));
        let mut other = 0;
        board.take_down();
        phase.close_and_wait();
        assert!(!board.join_posted(&mut other), "it was taken down");
        phase.join();
        assert_eq!(done.load(Relaxed), 1, "a gate that is closed stays so");
    }

    #[test]
    fn who_stands_by_helps_and_goes_when_the_stop_is_over() {
        let board = Arc::new(Board::new(1));
        let (stopped, helped) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let hand = thread::spawn({
            let (board, stopped) = (board.clone(), stopped.clone());
            move || {
                while stopped.load(Relaxed) {
                    board.stand_by(|| stopped.load(Relaxed));
                }
            }
        });
        let phase = Guests::new({
            let helped = helped.clone();
            move || helped.store(true, Relaxed)
        });
        board.post(phase.copy());
        while !helped.load(Relaxed) {
            thread::yield_now();
        }
        board.take_down();
        phase.close_and_wait();
        stopped.store(false, Relaxed);
        hand.join().unwrap();
        assert_eq!(board.hands_hint(), 0);
    }

    #[test]
    fn no_more_stand_by_than_there_are_cores_for() {
        let board = Board::new(0);
        let began = Instant::now();
        board.stand_by(|| began.elapsed() < Duration::from_secs(60));
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
