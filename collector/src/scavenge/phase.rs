//! What the workers of one scavenge share: the remembered places to visit, each other's work, and the end.
//!
//! ```text
//!   remembered  ▓▓▓▓▓▓▓▓░░░░░░░░  cursor: a chunk is taken by whoever has nothing else
//!   hosts       ▓▓░░░░░░░░░░░░░░  the same, of what refers to old regions that are emptied (see `compact`)
//!   staying     ▓▓▓▓░░░░░░░░░░░░  the same, of what stays where it is, in the phase after the copying
//!   deque 0     owner pushes and pops at one end ┐
//!   deque 1     …                                ├─ thieves steal at the other
//!   deque n     …                                ┘
//!   active      who may still make work (see `worklist::termination`)
//! ```
//!
//! Copiers that run out of their budget leave objects where they are, which nobody may scan before the last of them is
//! done; a second phase, in which nobody copies, does that with all hands.
use crate::compact::records::Hosts;
use crate::heap_core::Core;
use crate::mutator_local::Remembered;
use crate::object::raw::ObjectRef;
use crate::object::task::Task;
use crate::scavenge::budget::Budget;
use crate::scavenge::findings::Findings;
use crate::scavenge::worker::ScavengeWorker;
use crate::space::pool::For;
use crate::sweep;
use crate::sync::{Arc, AtomicUsize, CachePadded, Mutex, Ordering::Relaxed, Steal, Stealer, Worker};
use crate::workers::Phase;
use crate::worklist::termination::Termination;
use std::ops::Range;

/// Regions that one scavenge sweeps for room, some dozens of microseconds each; from then on it takes fresh ones.
const MOST_SWEPT: usize = 8;

/// Places or objects taken at a time, at the most: a chunk's cache lines are fetched together.
const CHUNK: usize = 64;

/// How many of `len` places or objects are taken at a time by one of so many workers: each comes four times, for behind a few
/// dozen places there may be all that survives.
fn chunk(len: usize, workers: usize) -> usize {
    (len / (4 * workers)).clamp(2, CHUNK)
}

/// What a scavenge is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Everything goes to the old generation.
    pub promote_all: bool,
    /// Every region is emptied, not the young ones alone.
    pub everything: bool,
    /// Old objects that are found referenced are shaded, because they are being marked.
    pub shading: bool,
    /// Whether anything is copied. Otherwise all that is still found alive stays where it is.
    pub copying: bool,
    /// How much may be copied.
    pub budget: Budget,
    /// What memory copies may go to.
    pub room: For,
}

/// What the workers of a phase begin with, besides the roots.
#[derive(Default)]
pub(crate) struct Start {
    pub remembered: Vec<Remembered>,
    /// Who refers to old regions that are emptied.
    pub hosts: Hosts<Task>,
    /// What stays where it is, and has not been scanned.
    pub staying: Vec<ObjectRef>,
}

/// Up to where a list has been taken, and how much is taken at a time.
struct Cursor {
    next: CachePadded<AtomicUsize>,
    chunk: usize,
}

impl Cursor {
    fn new(len: usize, workers: usize) -> Self {
        Self { next: CachePadded::default(), chunk: chunk(len, workers) }
    }
    fn is_at(&self, len: usize) -> bool {
        self.next.load(Relaxed) >= len
    }
    fn claim(&self, len: usize) -> Range<usize> {
        if self.is_at(len) {
            return 0..0;
        }
        // Relaxed: the numbers are distinct, and the list was made before any worker started.
        let from = self.next.fetch_add(self.chunk, Relaxed).min(len);
        from..(from + self.chunk).min(len)
    }
}

/// One scavenge's shared state.
pub(crate) struct ScavengePhase {
    pub core: Arc<Core>,
    pub plan: Plan,
    start: Start,
    remembered_cursor: Cursor,
    host_cursor: Cursor,
    staying_cursor: Cursor,
    deques: Mutex<Vec<Worker<Task>>>,
    stealers: Vec<Stealer<Task>>,
    pub termination: Termination,
    /// Regions swept for room by all workers.
    swept: AtomicUsize,
    /// Bytes copied by all workers, in the grain of their buffers.
    pub copied: AtomicUsize,
    findings: Mutex<Vec<Findings>>,
}

impl ScavengePhase {
    pub(crate) fn new(core: Arc<Core>, plan: Plan, start: Start, workers: usize) -> Self {
        let deques: Vec<Worker<Task>> = (0..workers).map(|_| Worker::new_lifo()).collect();
        Self {
            core,
            plan,
            remembered_cursor: Cursor::new(start.remembered.len(), workers),
            host_cursor: Cursor::new(start.hosts.len(), workers),
            staying_cursor: Cursor::new(start.staying.len(), workers),
            start,
            stealers: deques.iter().map(Worker::stealer).collect(),
            deques: Mutex::new(deques),
            termination: Termination::new(),
            swept: AtomicUsize::new(0),
            copied: AtomicUsize::new(0),
            findings: Mutex::default(),
        }
    }
    /// Whether more workers than the leader may come.
    pub(crate) fn is_shared(&self) -> bool {
        self.stealers.len() > 1
    }
    /// A deque for a worker that joins.
    pub(crate) fn join(&self) -> Option<Worker<Task>> {
        self.deques.lock().pop()
    }
    /// The next remembered places to visit.
    pub(crate) fn claim_remembered(&self) -> &[Remembered] {
        let list = &self.start.remembered;
        &list[self.remembered_cursor.claim(list.len())]
    }
    /// The next objects to scan where they are.
    pub(crate) fn claim_staying(&self) -> &[ObjectRef] {
        let list = &self.start.staying;
        &list[self.staying_cursor.claim(list.len())]
    }
    /// The next hosts to visit, by number.
    pub(crate) fn claim_hosts(&self) -> Range<usize> {
        self.host_cursor.claim(self.start.hosts.len())
    }
    /// A host of what is emptied, if it is to be visited where it was recorded: it has not moved, and is not about to.
    pub(crate) fn host(&self, at: usize) -> Option<Task> {
        let table = &self.core.spaces.pool.table;
        let region = |task: Task| table.index(task.object.addr());
        self.start
            .hosts
            .standing(at, |task| table.batch(region(task)))
            .filter(|task| !table.kind(region(*task)).is_from())
    }
    /// Sweeps an old region so that its gaps can be filled; false if none waits, or enough were swept in this pause.
    pub(crate) fn sweep_for_room(&self) -> bool {
        self.swept.fetch_add(1, Relaxed) < MOST_SWEPT && sweep::sweep_for_room(&self.core)
    }
    /// Takes work from another worker.
    pub(crate) fn steal(&self, own: &Worker<Task>) -> Option<Task> {
        loop {
            let mut again = false;
            for stealer in &self.stealers {
                match stealer.steal_batch_and_pop(own) {
                    Steal::Success(task) => return Some(task),
                    Steal::Retry => again = true,
                    Steal::Empty => {}
                }
            }
            if !again {
                return None;
            }
        }
    }
    /// Whether there seems to be something to take.
    pub(crate) fn has_work_hint(&self) -> bool {
        !self.remembered_cursor.is_at(self.start.remembered.len())
            || !self.host_cursor.is_at(self.start.hosts.len())
            || !self.staying_cursor.is_at(self.start.staying.len())
            || self.stealers.iter().any(|s| !s.is_empty())
    }
    /// A worker leaves its results.
    pub(crate) fn report(&self, findings: Findings) {
        self.findings.lock().push(findings);
    }
    /// The results of all who left.
    pub(crate) fn take_findings(&self) -> Vec<Findings> {
        std::mem::take(&mut self.findings.lock())
    }
}

impl Phase for ScavengePhase {
    fn help(self: &Arc<Self>) {
        if !self.termination.enter() {
            return;
        }
        self.core.spaces.pool.trap.spring_in_helper();
        match self.join() {
            Some(deque) => {
                let mut worker = ScavengeWorker::new(self.clone(), deque);
                worker.run();
                self.report(worker.finish());
            }
            None => {
                self.termination.offer();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_few_dozen_places_are_shared_out_and_many_are_taken_by_the_chunk() {
        for (len, workers, taken) in [(0, 2, 2), (1, 1, 2), (34, 2, 4), (34, 1, 8), (1000, 2, 64), (1000, 16, 15)] {
            assert_eq!(chunk(len, workers), taken, "{len} {workers}");
        }
        let cursor = Cursor::new(34, 2);
        let all: Vec<_> =
            std::iter::repeat_with(|| cursor.claim(34)).take_while(|part| !part.is_empty()).flatten().collect();
        assert_eq!(all, (0..34).collect::<Vec<_>>());
    }
}
