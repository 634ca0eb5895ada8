//! A mutator that keeps everybody waiting: who it is, how long, and what it waits for itself.
//!
//! ```text
//!   a leader has asked; a mutator runs on       ──watchdog──▶ Stall ──▶ Observer::stalled, on a thread of its own
//!   a mutator waits for a lock that nobody gives ──watchdog──▶ Stall ─┘  └─▶ (if configured) the end of the process
//! ```
//!
//! The collector cannot stop a thread, so it can only tell. It tells again whenever the wait has doubled.
use crate::collector::CollectionKind;
use std::fmt::{self, Display, Formatter};
use std::thread::ThreadId;
use std::time::Duration;

/// A mutator that has not come to a safepoint, or that waits for a lock, for longer than the watchdog allows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stall {
    /// The mutator's number, the one that its `Debug` shows.
    pub mutator: u32,
    /// The thread that runs it, if one does.
    pub thread: Option<ThreadId>,
    /// That thread's name.
    pub name: Option<String>,
    /// What it is doing.
    pub state: StallState,
    /// For how long.
    pub waited: Duration,
    /// How long it had run by then, since it last took the heap.
    pub running: Duration,
    /// The mutator that holds the lock it is waiting for; that one may have forgotten a guard.
    pub lock_holder: Option<u32>,
}

/// What a stalled mutator is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StallState {
    /// It was asked to stop, for such a collection, and runs on; everybody else stands still.
    NotPolling(Option<CollectionKind>),
    /// It waits for a `Lock`, and nobody has asked it for anything.
    WaitingForLock,
}

impl Stall {
    /// A report of what `mutator` is doing.
    pub fn new(mutator: u32, state: StallState, waited: Duration) -> Self {
        Self { mutator, thread: None, name: None, state, waited, running: Duration::ZERO, lock_holder: None }
    }
}

/// One line.
impl Display for Stall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("unnamed");
        write!(f, "mutator {} (thread {name:?}", self.mutator)?;
        if let Some(thread) = self.thread {
            write!(f, ", {thread:?}")?;
        }
        f.write_str(")")?;
        let (waited, running) = (self.waited.as_secs_f64(), self.running.as_secs_f64());
        match self.state {
            StallState::NotPolling(kind) => {
                write!(f, " was asked to stop {waited:.2} s ago and has not come to a safepoint")?;
                if let Some(kind) = kind {
                    write!(f, " (phase: stopping the world for {kind:?})")?;
                }
            }
            StallState::WaitingForLock => write!(f, " has waited {waited:.2} s for a lock")?,
        }
        write!(f, "; running for {running:.2} s")?;
        if let Some(holder) = self.lock_holder {
            write!(f, "; it waits for a lock that mutator {holder} holds, or whose guard that one forgot")?;
        }
        Ok(())
    }
}
