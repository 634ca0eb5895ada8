//! The thread that looks after a heap while nobody asks it for memory.
//!
//! ```text
//!   tend ──Rest──▶ asleep until a stop has left the heap grown, or memory to give back
//!    ▲ ▲ └─Wait──▶ asleep for a while, or until the heap goes
//!    │ ├─Drop────▶ drop glue of what has died and no mutator drops
//!    │ └─Stop────▶ do all mutators that run answer?  ──no──▶ look again later
//!    │                  yes
//!    └──── collect, from outside of all mutators; sweep, tell observers, run drop glue
//! ```
//!
//! A collection that only saves memory waits for nobody: a mutator that runs and does not poll would make all others wait
//! with it. So the caretaker first raises the poll flags and looks again; who polls lowers its flag, and a stop is asked
//! for when everyone has.
//!
//! K1  The thread ends before its heap's last handle has gone, so that what is left is dropped by who let go of that; on
//!     a handle that goes on this very thread, out of drop glue, it ends by itself.
//! K2  Drop glue that panics here has told the panic hook. Nobody can be unwound; the other dead are dropped.
use crate::driver::safepoint::{collect_from_outside, drop_the_dead};
use crate::driver::shared::Shared;
use orinoco_collector::collector::{Cause, Chore, CollectionKind};
use orinoco_collector::error::HeapError;
use orinoco_collector::sync::{Arc, Condvar, Mutex, thread};
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a mutator has to answer.
const ANSWER: Duration = Duration::from_millis(10);
/// How long it is left alone when it has not.
const PATIENCE: Duration = Duration::from_millis(250);

/// One heap, with the thread that looks after it: what handles of a heap share.
pub(crate) struct Kept {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Deref for Kept {
    type Target = Shared;
    #[inline]
    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Kept {
    /// Starts a caretaker, if the settings want one.
    pub(crate) fn new(shared: Shared) -> Result<Self, HeapError> {
        let shared = Arc::new(shared);
        if !shared.collector.settings().is_tended() {
            return Ok(Self { shared, thread: None });
        }
        let kept = shared.clone();
        let thread = thread::Builder::new()
            .name("orinoco-caretaker".to_owned())
            .spawn(move || look_after(&kept))
            .map_err(|e| HeapError::Helpers { wanted: 1, reason: e.to_string() })?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Kept {
    /// K1.
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.bell.end();
        if thread.thread().id() != thread::current().id() {
            // It cannot panic: K2.
            let _ = thread.join();
        }
    }
}

/// What wakes a caretaker.
#[derive(Default)]
pub(crate) struct Bell {
    state: Mutex<Rung>,
    rung: Condvar,
}

#[derive(Default)]
struct Rung {
    rung: bool,
    ended: bool,
}

impl Bell {
    /// There may be something to do.
    pub(crate) fn ring(&self) {
        self.state.lock().rung = true;
        self.rung.notify_all();
    }
    fn end(&self) {
        self.state.lock().ended = true;
        self.rung.notify_all();
    }
    /// Sleeps until the bell rings; false if the heap goes.
    fn rest(&self) -> bool {
        let mut state = self.state.lock();
        while !state.rung && !state.ended {
            self.rung.wait(&mut state);
        }
        state.rung = false;
        !state.ended
    }
    /// Sleeps for `time`; false if the heap goes.
    fn doze(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.ended {
            self.rung.wait_for(&mut state, time);
        }
        !state.ended
    }
}

fn look_after(shared: &Shared) {
    let bell = &shared.bell;
    loop {
        let goes_on = match shared.collector.tend(shared.born.elapsed()) {
            Chore::Rest => bell.rest(),
            Chore::Wait(time) => bell.doze(time),
            Chore::Stop(kind) => collect_if_answered(shared, kind),
            Chore::Drop => {
                drop_the_dead(shared);
                bell.doze(Duration::ZERO)
            }
        };
        if !goes_on {
            return;
        }
    }
}

/// Collects, unless a mutator does not answer; false if the heap goes.
fn collect_if_answered(shared: &Shared, kind: CollectionKind) -> bool {
    let mut asked = 0;
    shared.world.for_each(|seat| {
        if !seat.is_parked_hint() {
            seat.occupant().cx().poll.store(true, Ordering::Relaxed);
            asked += 1;
        }
    });
    if asked > 0 {
        if !shared.bell.doze(ANSWER) {
            return false;
        }
        let mut silent = 0;
        shared.world.for_each(|seat| {
            silent += usize::from(!seat.is_parked_hint() && seat.occupant().cx().poll.load(Ordering::Relaxed));
        });
        if silent > 0 {
            return shared.bell.doze(PATIENCE);
        }
    }
    collect_from_outside(shared, kind, Cause::Quiet);
    true
}
