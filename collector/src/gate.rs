//! A gate in front of a phase: helpers may come until it closes, and its leader waits for those inside alone.
//!
//! ```text
//!                  enter / leave                        leave
//!            ┌────────────────────┐              ┌──────────────────┐
//!            ▼                    │              ▼                  │
//!       Open, n inside ───────────┘       Closed, n inside ─────────┘
//!            │                                   ▲         │
//!            └───────── close_and_wait ──────────┘         │ n = 0: the leader goes on
//!            ▲                                             ▼
//!            └────────────────── open ────────────── Closed, empty
//! ```
//!
//! G1  Who enters, enters while the gate is open; after it closed, n only falls.
//! G2  The leader goes on at n = 0 and closed, and sees all that those inside did.
//!
//! A helper is a job in somebody's pool and may start late, or never: if all threads of the pool are busy, waiting for it
//! would wait for the whole program. So the leader does not count jobs but guests. A helper that comes late finds the
//! gate closed and goes home; it must own its part of the gate (an `Arc`), for the leader is long gone.

use crate::planted::{bug, ord};
use crate::sync::Ordering::Relaxed;
use crate::sync::{AtomicUsize, Condvar, Mutex, spin_loop};

/// Set while nobody may enter; the bits below count who is inside.
const CLOSED: usize = 1 << (usize::BITS - 1);
/// How often the leader looks before it sleeps: the last guests are about to leave.
const SPINS: u32 = if cfg!(loom) { 1 } else { 200 };

/// Lets helpers into a phase while it is open.
#[derive(Debug)]
pub struct Gate {
    /// [`CLOSED`] and the number inside. Helpers write it coming and going, the leader closing and opening.
    word: AtomicUsize,
    /// Guards no data: it keeps a leader from falling asleep between the last guest's leaving and its notice.
    sleep: Mutex<()>,
    emptied: Condvar,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// An open gate with nobody inside.
    pub fn new() -> Self {
        Self { word: AtomicUsize::new(0), sleep: Mutex::new(()), emptied: Condvar::new() }
    }
    /// A closed gate with nobody inside.
    pub fn new_closed() -> Self {
        Self { word: AtomicUsize::new(CLOSED), ..Self::new() }
    }

    /// Opens a gate that is closed and empty.
    ///
    /// # Panics
    /// When it is open, or someone is still inside: two phases would mix.
    pub fn open(&self) {
        // Release: who enters sees what the leader prepared; partner: Acquire in `enter`.
        // Guarded by `gate::a_guest_sees_what_was_prepared`.
        let closed = self.word.compare_exchange(CLOSED, 0, ord::gate_open(), Relaxed);
        assert!(closed.is_ok(), "a gate is opened when its last phase is over");
    }

    /// Lets a helper in, if the gate is open.
    #[must_use]
    pub fn enter(&self) -> bool {
        if bug::gate_enter_unchecked() {
            let open = self.word.load(Relaxed) & CLOSED == 0;
            if open {
                self.word.fetch_add(1, ord::gate_enter());
            }
            return open;
        }
        let mut word = self.word.load(Relaxed);
        while word & CLOSED == 0 {
            // Acquire: partner of the Release in `open`.
            match self.word.compare_exchange_weak(word, word + 1, ord::gate_enter(), Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Lets a helper out.
    pub fn leave(&self) {
        if bug::gate_notify_before_leaving() {
            drop(self.sleep.lock());
            self.emptied.notify_all();
            self.word.fetch_sub(1, ord::gate_leave());
            return;
        }
        // Release: the leader sees what this helper did; partner: Acquire in `is_empty`.
        // Guarded by `gate::the_leader_sees_what_its_guests_did`.
        let before = self.word.fetch_sub(1, ord::gate_leave());
        debug_assert!(before & !CLOSED > 0, "who leaves has entered");
        if before == CLOSED | 1 {
            // Through the lock: a leader that looked before the line above is asleep by now, or has not looked yet.
            drop(self.sleep.lock());
            self.emptied.notify_all();
        }
    }

    /// Closes the gate and waits until everyone inside has left.
    pub fn close_and_wait(&self) {
        // Relaxed: what the leader has to see it sees in `is_empty`.
        self.word.fetch_or(CLOSED, Relaxed);
        for _ in 0..SPINS {
            if self.is_empty() {
                return;
            }
            spin_loop();
        }
        let mut sleep = self.sleep.lock();
        while !self.is_empty() {
            self.emptied.wait(&mut sleep);
        }
    }

    /// Whether nobody is inside; if so, what those who left did is visible.
    fn is_empty(&self) -> bool {
        // Acquire: partner of the Release in `leave`, and through read-modify-writes of every earlier one.
        self.word.load(ord::gate_empty()) & !CLOSED == 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::{Arc, thread};

    #[test]
    fn who_comes_after_closing_goes_home() {
        let gate = Gate::new();
        assert!(gate.enter());
        gate.leave();
        gate.close_and_wait();
        assert!(!gate.enter());
        gate.open();
        assert!(gate.enter());
    }

    #[test]
    #[should_panic(expected = "its last phase is over")]
    fn an_open_gate_cannot_be_opened() {
        Gate::new().open();
    }

    #[test]
    fn a_leader_waits_for_those_inside_and_for_nobody_else() {
        for _ in 0..200 {
            let (gate, done) = (Arc::new(Gate::new()), Arc::new(AtomicUsize::new(0)));
            let helpers: Vec<_> = (0..3)
                .map(|_| {
                    let (gate, done) = (gate.clone(), done.clone());
                    thread::spawn(move || {
                        let inside = gate.enter();
                        if inside {
                            thread::yield_now();
                            done.fetch_add(1, Relaxed);
                            gate.leave();
                        }
                        inside
                    })
                })
                .collect();
            gate.close_and_wait();
            let seen = done.load(Relaxed);
            let entered = helpers.into_iter().map(|helper| helper.join().unwrap()).filter(|&inside| inside);
            assert_eq!(entered.count(), seen);
        }
    }
}
