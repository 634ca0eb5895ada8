//! The weak part of a scavenge: tables show what lives through them, when all copying has run dry.
//!
//! ```text
//!   remembered tables ─▶ the entries that hold something young ┐      key reached? ─yes─▶ move the value ─▶ copy, scan ┐
//!   tables that moved ─▶ the same, or all of them              ┴─▶       └─no──▶ wait                                  │
//!                                                                          ▲ key copied, retained, or large and found ◀┘
//! ```
//!
//! One worker does it alone. An entry is looked at once, and once more when its key is reached: so a chain of entries costs
//! its length, whatever its order.
use crate::object::header::{HashState, hash_state};
use crate::object::raw::ObjectRef;
use crate::object::weak::{EntryRef, Ephemerons, Liveness, move_entry, move_step};
use crate::scavenge::findings::Findings;
use crate::scavenge::worker::ScavengeWorker;
use crate::worklist::waiting::Waiting;

/// What a worker needs while it settles the weak; nothing before.
#[derive(Default)]
pub(super) struct Settling {
    /// Entries of tables whose keys nobody has reached.
    waiting: Option<Waiting<ObjectRef, EntryRef>>,
    /// Keys that were reached meanwhile, where they were before.
    reached: Vec<ObjectRef>,
    visited: usize,
}

impl Settling {
    /// An object was copied, retained, or found large: entries may have waited for it. Keys are hashed before they are put
    /// into a table.
    #[inline]
    pub(super) fn note_reached(&mut self, from: ObjectRef, header: usize) {
        if self.waiting.is_some() && hash_state(header) != HashState::Unhashed {
            self.reached.push(from);
        }
    }
    /// Entries looked at since the last time.
    pub(super) fn take_visits(&mut self) -> usize {
        std::mem::take(&mut self.visited)
    }
}

impl Ephemerons for ScavengeWorker {
    fn wait(&mut self, key: ObjectRef, entry: EntryRef) -> bool {
        let waiting = self.settling.waiting.as_ref().expect("tables are looked at when the weak are settled");
        waiting.wait(key, entry, || self.resolve(key).is_some())
    }
    fn visited(&mut self, entries: usize) {
        self.settling.visited += entries;
    }
}

impl ScavengeWorker {
    /// Lets tables show what lives through them, until nothing more does. Alone, after all others. Returns the live objects
    /// with weak references that moved, and the old ones that were remembered.
    ///
    /// A table that did not move is asked for the entries that hold something young. One that did is asked for all of them
    /// if everything moves, and while marking: then its old values are shaded, as whatever a live young object refers to, so
    /// that markers need not come to a table that moves. That keeps such a value for this cycle though its key may be dead.
    pub(crate) fn settle_weak(&mut self, all: &mut Findings) -> (Vec<ObjectRef>, Vec<ObjectRef>) {
        self.settling.waiting = Some(Waiting::alone());
        let whole = self.phase.plan.everything || self.phase.plan.shading;
        let mut moved = Vec::new();
        let mut new = std::mem::take(&mut all.weak);
        let mut old = std::mem::take(&mut all.weak_old);
        old.append(&mut self.findings.weak_old);
        for object in &old {
            move_step(*object, false, self);
        }
        let mut woken = Vec::new();
        loop {
            self.drain();
            new.append(&mut self.findings.weak);
            // Alone by now: what was put off because others were copying can be scanned.
            let retained = std::mem::take(&mut self.findings.retained);
            retained.into_iter().for_each(|object| self.found(object));
            for object in new.drain(..) {
                move_step(object, whole, self);
                moved.push(object);
            }
            while let Some(key) = self.settling.reached.pop() {
                self.settling.waiting.as_ref().expect("it is made above").take(key, &mut woken);
                woken.drain(..).for_each(|entry| move_entry(entry, self));
            }
            if self.stack.is_empty() && self.findings.weak.is_empty() && self.findings.retained.is_empty() {
                self.settling.waiting = None;
                return (moved, old);
            }
        }
    }
}
