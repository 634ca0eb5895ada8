//! Idle moments: a thread that has time to spare lends it to a heap.
use crate::driver::safepoint::collect_from_outside;
use crate::driver::shared::Shared;
use orinoco_collector::collector::{Cause, Idle};
use orinoco_collector::units::Bytes;
use std::time::Instant;

/// What was done in an idle moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdleWork {
    /// Stops that were led.
    pub stops: u64,
    /// Regions that were swept.
    pub regions_swept: u64,
    /// Stretches of marking.
    pub marked: u64,
    /// Values that were dropped.
    pub values_dropped: u64,
    /// Memory that went back to the system.
    pub given_back: Bytes,
    /// Whether nothing was left to do.
    pub finished: bool,
}

/// Works until `deadline`, or until nothing is left to do, on a thread that runs no mutator of this heap.
pub(crate) fn idle_until(shared: &Shared, deadline: Instant) -> IdleWork {
    let mut work = IdleWork::default();
    while Instant::now() < deadline {
        match shared.collector.idle(deadline) {
            Idle::Dropped => work.values_dropped += 1,
            Idle::Swept => work.regions_swept += 1,
            Idle::Marked => work.marked += 1,
            Idle::GaveBack(bytes) => work.given_back = Bytes::new(work.given_back.get() + bytes.get()),
            Idle::Stop(kind) => {
                let stops = shared.stops();
                collect_from_outside(shared, kind, Cause::Quiet);
                work.stops += u64::from(shared.stops() != stops);
            }
            Idle::Later => return work,
            Idle::Rest => {
                work.finished = true;
                return work;
            }
        }
    }
    work
}
