//! A marking cycle's schedule: what mutators owe while they allocate beside it.

/// How far a marking cycle is, for [`step_bytes`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// Old bytes when marking began: what may have to be marked.
    pub live: usize,
    /// Bytes marked so far.
    pub marked: usize,
    /// Bytes that mutators have allocated since it began.
    pub allocated: usize,
    /// Bytes they may allocate before it should have ended.
    pub headroom: usize,
}

/// Bytes that a mutator marks at this allocation so that marking ends in time; 0 when it is ahead of its schedule.
///
/// The schedule is a straight line from the start to the headroom; a mutator makes up what is missing, at most
/// `most` at a time. (V8's `IncrementalMarkingSchedule` adds a line over time; ours has none, for an idle program owes
/// no marking.)
pub(crate) fn step_bytes(p: Progress, most: usize) -> usize {
    if p.headroom == 0 {
        return most;
    }
    let expected = (p.live as u128 * p.allocated as u128 / p.headroom as u128).min(p.live as u128) as usize;
    // Past the line's end something is left that nobody expected: keep going at full steps.
    if p.allocated >= p.headroom { most } else { expected.saturating_sub(p.marked).min(most) }
}

/// Bytes that mutators may allocate while `live` old bytes are marked: half of them, or half of what the limit leaves.
pub(crate) fn marking_headroom(live: usize, nursery: usize, limit: usize) -> usize {
    let room = limit.saturating_sub(live);
    (live / 2).min(room / 2).max(4 * nursery)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn marking_hurries_when_the_limit_is_near() {
        let mib = |n| Bytes::mib(n).get();
        for (live, nursery, limit, headroom) in
            [(100, 4, 1000, 50), (800, 4, 1000, 100), (995, 4, 1000, 16), (2, 4, 1000, 16)]
        {
            assert_eq!(marking_headroom(mib(live), mib(nursery), mib(limit)), mib(headroom), "live {live}");
        }
    }

    #[test]
    fn a_step_makes_up_what_is_missing_and_no_more() {
        let at = |marked, allocated| Progress { live: 1000, marked, allocated, headroom: 500 };
        for (p, most, step) in [
            (at(0, 0), 64, 0),
            (at(0, 10), 64, 20),
            (at(20, 10), 64, 0),
            (at(0, 250), 64, 64),
            (at(990, 499), 64, 8),
            (at(2000, 500), 64, 64),
            (Progress { live: 0, marked: 0, allocated: 0, headroom: 0 }, 64, 64),
        ] {
            assert_eq!(step_bytes(p, most), step, "{p:?}");
        }
    }
}
