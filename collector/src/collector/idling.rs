//! Useful work for a thread that has time: a little at a time, so that a deadline is kept.
//!
//! ```text
//!   values to drop ▸ regions to sweep ▸ grey objects to mark ▸ a stop that is due ▸ memory to give back ▸ a reduction ▸ rest
//! ```
use super::{CollectionKind, Collector};
use crate::pace::reducer::Reducer;
use crate::sweep;
use crate::units::{Bytes, REGION_BYTES};
use std::time::{Duration, Instant};

/// What came of an idle moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// A value was dropped.
    Dropped,
    /// A region was swept.
    Swept,
    /// Objects were marked, as far as the deadline allowed.
    Marked,
    /// Memory went back to the system.
    GaveBack(Bytes),
    /// A stop for this is the next thing to do.
    Stop(CollectionKind),
    /// What is next would not fit before the deadline, or others are at it.
    Later,
    /// There is nothing to do.
    Rest,
}

impl Collector {
    /// Does the next useful thing, if it fits before `deadline`, on a thread whose mutator, if it has one, is parked.
    /// Panics as the drop glue of what has died does.
    pub fn idle(&self, deadline: Instant) -> Idle {
        let core = &self.core;
        let mut values = 0..1;
        if core.graveyard.drop_until(|| values.next().is_none()) {
            return Idle::Dropped;
        }
        if sweep::sweep_one(core) {
            return Idle::Swept;
        }
        if core.is_marking() && !core.grey.is_empty_hint() && core.settings.concurrent_marking {
            core.markers.mark_here(core, deadline);
            return Idle::Marked;
        }
        let gave = self.give_back();
        if gave > 0 {
            return Idle::GaveBack(Bytes::new(gave));
        }
        if !core.is_marking() && !self.begins_reduction() {
            return Idle::Rest;
        }
        let fits = deadline.saturating_duration_since(Instant::now()) >= self.longest_stop();
        match self.quiet_kind() {
            Some(kind) if fits => Idle::Stop(kind),
            _ => Idle::Later,
        }
    }
    /// Whether a heap that has grown since it last rested is to be collected; then its reduction is on, and idle moments
    /// or the caretaker see it to its end.
    fn begins_reduction(&self) -> bool {
        let mut tending = self.tending.lock();
        let committed = self.core.spaces.pool.in_use() * REGION_BYTES;
        self.note_cycles(&mut tending, Duration::ZERO, committed);
        tending.reducer = match tending.reducer {
            Reducer::Done { committed: rest } if committed > Reducer::rests_up_to(rest) => Reducer::Run { runs: 1 },
            Reducer::Wait { runs, .. } if runs < 3 => Reducer::Run { runs: runs + 1 },
            Reducer::Wait { .. } => Reducer::Done { committed },
            state => state,
        };
        matches!(tending.reducer, Reducer::Run { .. })
    }
    /// What a stop may take.
    fn longest_stop(&self) -> Duration {
        self.core.settings.step_cap
    }
}
