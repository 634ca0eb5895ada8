//! The scenarios, one file for each protocol.

mod forwarding;
mod gate;
mod marking;
mod published;
mod safepoint;
mod termination;
mod worklist;

use crate::Scenario;

/// Every scenario there is.
pub fn all() -> Vec<Scenario> {
    [
        forwarding::ALL,
        gate::ALL,
        marking::ALL,
        published::ALL,
        safepoint::ALL,
        termination::ALL,
        worklist::ALL,
    ]
    .concat()
}
