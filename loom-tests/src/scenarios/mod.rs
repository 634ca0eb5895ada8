//! The scenarios, one file for each protocol.

mod barrier;
mod cycle;
mod evacuation;
mod forwarding;
mod gate;
mod hands;
mod jobs;
mod lock;
mod marking;
mod published;
mod roots;
mod safepoint;
mod scavenge;
mod sweeping;
mod termination;
mod weak;
mod worklist;

use crate::Scenario;

/// Every scenario there is.
pub fn all() -> Vec<Scenario> {
    [
        barrier::ALL,
        cycle::ALL,
        evacuation::ALL,
        forwarding::ALL,
        gate::ALL,
        hands::ALL,
        jobs::ALL,
        lock::ALL,
        marking::ALL,
        published::ALL,
        roots::ALL,
        safepoint::ALL,
        scavenge::ALL,
        sweeping::ALL,
        termination::ALL,
        weak::ALL,
        worklist::ALL,
        #[cfg(not(loom))]
        crate::heaps::ALL,
    ]
    .concat()
}
