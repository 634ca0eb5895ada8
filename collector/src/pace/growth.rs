//! How large the old generation may grow before it is collected as a whole.
//!
//! ```text
//!   marking  g bytes a second of a core ┐                      growth − 1 = a ÷ g × u ÷ (1 − u)
//!   program  a bytes a second grow old  ┴─▶ of what lives ─▶   at least a quarter, at most threefold; one at first
//! ```
//!
//! To mark `live` bytes takes `live ÷ g`; until the heap has grown by `(growth − 1) × live` the program runs for
//! `(growth − 1) × live ÷ a`. The second is to be the share `u` of both. (V8's `MemoryController` has the same aim.)
use crate::units::REGION_BYTES;
use std::time::Duration;

/// How fast the heap is marked, and how fast it grows, of late: bytes a millisecond; 0 while nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Speeds {
    marking: u64,
    growing: u64,
}

/// A marking cycle, to be learned from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cycle {
    /// Bytes marked, and the time on a core that it took, of all who marked.
    pub marked: usize,
    pub marking: Duration,
    /// Bytes that had grown old since the cycle before, and how long ago that ended.
    pub grown: usize,
    pub since: Duration,
}

impl Speeds {
    /// Below this a cycle says nothing about either.
    const MEASURABLE: Duration = Duration::from_millis(1);
    /// One over how much of what is known a new cycle replaces.
    const INERTIA: u64 = 4;
    /// Thousandths of what lives: the least and the most that a heap grows, and what it grows while nothing is known.
    const LEAST: u64 = 250;
    const MOST: u64 = 3000;
    const UNKNOWN: u64 = 1000;

    /// Learns from a cycle that has ended.
    pub(crate) fn learn(&mut self, cycle: Cycle) {
        let speed = |known: &mut u64, bytes: usize, time: Duration| {
            if time < Self::MEASURABLE || bytes < REGION_BYTES {
                return;
            }
            let now = u64::try_from(bytes as u128 * 1_000_000 / time.as_nanos()).unwrap_or(u64::MAX).max(1);
            *known = if *known == 0 { now } else { *known - *known / Self::INERTIA + now / Self::INERTIA };
        };
        speed(&mut self.marking, cycle.marked, cycle.marking);
        speed(&mut self.growing, cycle.grown, cycle.since);
    }
    /// By how many thousandths of what lives the heap grows, if the program is to have `percent` of the time.
    pub(crate) fn growth(self, percent: u32) -> u64 {
        if self.marking == 0 || self.growing == 0 {
            return Self::UNKNOWN;
        }
        let (program, marking) = (u128::from(percent), u128::from(100 - percent.min(99)));
        let growth = u128::from(self.growing) * 1000 * program / (u128::from(self.marking) * marking);
        u64::try_from(growth).unwrap_or(u64::MAX).clamp(Self::LEAST, Self::MOST)
    }
}

/// Old bytes at which the next full collection is due, after one that left `live` alive.
///
/// The heap grows by `growth` thousandths between collections, from `least` on, and never plans past what the limit leaves
/// once the nursery has its part: close to the limit collections come sooner rather than allocation failing.
pub(crate) fn next_full_at(live: usize, growth: u64, least: usize, limit: usize, nursery: usize) -> usize {
    let room = limit.saturating_sub(2 * nursery);
    let more = usize::try_from(live as u128 * u128::from(growth) / 1000).unwrap_or(usize::MAX);
    let wanted = live.saturating_add(more).max(least);
    let most = (live + room.saturating_sub(live) / 2).max(live + REGION_BYTES);
    wanted.min(most)
}

/// Bytes of regions in use at which it is due as well, after one that left `live` in `committed` bytes of regions, and plans the
/// next at `full_at` old bytes: twice that beside the nursery's three parts, and half as much again as now, for what could
/// not be emptied this time may not be next time either. Where a quarter is gaps, not beyond seven eighths of the limit: there
/// the next cycle, which knows of them, is due at once.
pub(crate) fn next_committed_at(full_at: usize, live: usize, committed: usize, limit: usize, nursery: usize) -> usize {
    let planned = full_at.saturating_mul(2).saturating_add(nursery.saturating_mul(3));
    let at = planned.max(committed.saturating_add(committed / 2));
    if live < committed / 4 * 3 { at.min(limit / 8 * 7) } else { at }
}

/// Bytes that objects may come to own outside of the heap before a collection looks which of them have died: eight
/// nurseries, or an eighth of what is in use.
pub(crate) fn owned_step(nursery: usize, used: usize) -> usize {
    nursery.saturating_mul(8).max(used / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn the_heap_grows_as_planned_until_the_limit_is_near() {
        let mib = |n| Bytes::mib(n).get();
        let table = [
            // live, growth, least, limit, nursery, due
            (0, 1000, 16, 1024, 4, 16),
            (8, 1000, 16, 1024, 4, 16),
            (100, 1000, 16, 1024, 4, 200),
            (100, 250, 16, 1024, 4, 125),
            (100, 3000, 16, 1024, 4, 400),
            (600, 1000, 16, 1024, 4, 808),
            (1000, 3000, 16, 1024, 4, 1008),
        ];
        for (live, growth, least, limit, nursery, due) in table {
            assert_eq!(next_full_at(mib(live), growth, mib(least), mib(limit), mib(nursery)), mib(due), "live {live}");
        }
        let beyond = next_full_at(mib(2000), 1000, mib(16), mib(1024), mib(4));
        assert_eq!(beyond, mib(2000) + REGION_BYTES, "past the limit a little progress is still required");
    }

    #[test]
    fn growth_follows_what_marking_costs_beside_what_the_program_does_meanwhile() {
        // MiB marked in ms, MiB grown in ms, percent for the program, growth in thousandths.
        for (marked, marking, grown, since, percent, growth) in [
            (100, 100, 10, 1000, 97, 323),
            (100, 100, 10, 1000, 90, 250),
            (100, 100, 1, 1000, 97, 250),
            (100, 100, 50, 1000, 97, 1616),
            (100, 100, 50, 1000, 50, 250),
            (100, 100, 1000, 1000, 97, 3000),
            (100, 1000, 10, 1000, 97, 3000),
            (0, 100, 10, 1000, 97, 1000),
            (100, 100, 10, 0, 97, 1000),
        ] {
            let mib = |n| Bytes::mib(n).get();
            let ms = Duration::from_millis;
            let mut speeds = Speeds::default();
            speeds.learn(Cycle { marked: mib(marked), marking: ms(marking), grown: mib(grown), since: ms(since) });
            assert_eq!(speeds.growth(percent), growth, "{marked} {marking} {grown} {since} {percent}");
        }
    }

    #[test]
    fn one_odd_cycle_does_not_change_the_plan_by_more_than_its_share() {
        let cycle = |grown| Cycle {
            marked: Bytes::mib(100).get(),
            marking: Duration::from_millis(100),
            grown: Bytes::mib(grown).get(),
            since: Duration::from_secs(1),
        };
        let mut speeds = Speeds::default();
        speeds.learn(cycle(20));
        let before = speeds.growth(97);
        speeds.learn(cycle(40));
        assert!((before..=before * 5 / 4 + 1).contains(&speeds.growth(97)), "{before} {}", speeds.growth(97));
    }

    #[test]
    fn memory_that_is_mostly_gaps_is_collected_though_little_lives() {
        for (full_at, live, committed, limit, nursery, due) in [
            (16, 0, 0, 1000, 4, 44),
            (16, 8, 20, 1000, 4, 44),
            (16, 50, 100, 1000, 4, 150),
            (300, 150, 600, 640, 4, 560),
            (300, 550, 600, 640, 4, 900),
            (usize::MAX, 1, 1, 1000, 4, usize::MAX),
        ] {
            assert_eq!(
                next_committed_at(full_at, live, committed, limit, nursery),
                due,
                "{full_at} {live} {committed}"
            );
        }
    }

    #[test]
    fn small_objects_that_own_much_are_collected_as_what_they_own_grows() {
        for (nursery, used, step) in [(0, 0, 0), (4, 0, 32), (4, 256, 32), (4, 800, 100), (usize::MAX, 1, usize::MAX)] {
            assert_eq!(owned_step(nursery, used), step);
        }
    }
}
