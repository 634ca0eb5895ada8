//! The helpers' jobs that mark beside the program: when they come, when they are sent home, and what they leave behind.
//!
//! ```text
//!                start (in a stop)            every marker ran dry
//!   Off ───────────────────────────▶ On ──────────────────────────────▶ On, dry ──▶ (finish, in a stop) ──▶ Off
//!                                    │ ▲                                   │
//!              quiesce (any stop)    ▼ │ resume                            │ a mutator published shaded objects
//!                                 On, quiet ◀──────────────────────────────┘ (jobs start again)
//! ```
//!
//! Q1  While the gate is closed no helper marks: a stop closes it first, and nobody holds a grey object privately then.
//! Q2  Who enters sees the heap as the stop left it, and with it all that mutators did before the stop.
use crate::gate::Gate;
use crate::planted::bug;
use crate::sync::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// What one job does inside the gate.
pub trait Marking {
    /// Marks until nothing is left to take (true), or until it is told to stop.
    fn mark_until(&mut self, told: impl FnMut() -> bool) -> bool;
    /// Leaves everything that others need where they find it; returns how many bytes were marked since the last time.
    fn hand_over(&mut self) -> usize;
}

/// Who marks beside the program, and how far they are.
pub struct Jobs {
    gate: Gate,
    /// Told to go home by a stop. A hint: what counts is the gate.
    quiet: AtomicBool,
    /// Jobs that were started and have not ended. Starters add, jobs subtract.
    started: AtomicUsize,
    /// Marked bytes of this cycle, in old regions. Everyone who marks adds.
    bytes: AtomicUsize,
}

impl Default for Jobs {
    fn default() -> Self {
        Self::new()
    }
}

impl Jobs {
    /// No jobs, and none may begin.
    pub fn new() -> Self {
        Self {
            gate: Gate::new_closed(),
            quiet: AtomicBool::new(true),
            started: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }
    /// In a stop: sends everyone home and waits until they are; what they held is where everyone finds it.
    pub fn quiesce(&self) {
        // Guarded by `jobs::a_stop_has_no_marker`.
        if !self.quiet.swap(true, Relaxed) && !bug::marker_ignores_stop() {
            self.gate.close_and_wait();
        }
    }
    /// At the end of a stop: lets jobs mark again.
    pub fn resume(&self) {
        if self.quiet.swap(false, Relaxed) {
            self.gate.open();
        }
    }
    /// Counts a job that is about to be started, if there are fewer than `most`.
    #[must_use]
    pub fn admit(&self, most: usize) -> bool {
        if self.started.load(Relaxed) >= most {
            return false;
        }
        self.started.fetch_add(1, Relaxed);
        true
    }
    /// A job that was admitted is not, or no longer, there.
    pub fn end(&self) {
        self.started.fetch_sub(1, Relaxed);
    }
    /// One job, from coming to going home: marks while `has_more` says so and no stop wants to begin.
    pub fn run<M: Marking>(&self, begin: impl FnOnce() -> M, has_more: impl Fn() -> bool) {
        if !self.gate.enter() {
            return;
        }
        let mut worker = begin();
        loop {
            let dry = worker.mark_until(|| self.quiet.load(Relaxed));
            if bug::marker_leaves_with_its_work() {
                break;
            }
            self.bytes.fetch_add(worker.hand_over(), Relaxed);
            if !dry || !has_more() {
                break;
            }
        }
        // Q1: a stop goes on from here.
        self.gate.leave();
        if bug::marker_leaves_with_its_work() {
            self.bytes.fetch_add(worker.hand_over(), Relaxed);
        }
    }
    /// Whether no job is under way, as far as one can see.
    pub fn is_idle_hint(&self) -> bool {
        self.started.load(Relaxed) == 0
    }
    /// Notes bytes that were marked outside the jobs.
    pub fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
    }
    /// Bytes marked in this cycle; a hint while marking goes on.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }
    /// In a stop: a new cycle.
    pub fn reset_bytes(&self) {
        self.bytes.store(0, Relaxed);
    }
}
