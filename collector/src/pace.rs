//! When to collect, and how much to do at once: arithmetic without clocks or heaps.
use crate::units::REGION_BYTES;
use std::time::Duration;

/// Old bytes at which the next full collection is due, after one that left `live` alive.
///
/// The heap doubles between collections, from `least` on, and never plans past what the limit leaves once the
/// nursery has its part: close to the limit collections come sooner rather than allocation failing.
pub(crate) fn next_full_at(live: usize, least: usize, limit: usize, nursery: usize) -> usize {
    let room = limit.saturating_sub(2 * nursery);
    let wanted = live.saturating_mul(2).max(least);
    let most = (live + room.saturating_sub(live) / 2).max(live + REGION_BYTES);
    wanted.min(most)
}

/// Regions of the next nursery, after a scavenge whose leader spent `spent` on its processor.
///
/// Over the target it shrinks in proportion, at most to a quarter; below half of it, it grows by a quarter, up to
/// `most`. Shrinking at once and growing slowly keeps one long scavenge from being followed by another.
pub(crate) fn next_nursery(now: usize, most: usize, spent: Duration, target: Duration) -> usize {
    const LEAST: usize = 2;
    let next = if spent > target {
        let fit = (now as u128 * target.as_nanos() / spent.as_nanos().max(1)) as usize;
        fit.max(now / 4)
    } else if spent < target / 2 {
        now + now / 4 + 1
    } else {
        now
    };
    next.clamp(LEAST.min(most), most)
}

/// Bytes that a scavenge may copy before it keeps the rest in place.
///
/// A copier moves at least 0.5 bytes a nanosecond cold (research figures of this machine class); half of the cap goes
/// to copying, the rest to roots, weak references and what is retained.
pub(crate) fn copy_budget(cap: Duration) -> usize {
    const BYTES_PER_MICROSECOND: u128 = 500;
    usize::try_from(cap.as_micros() * BYTES_PER_MICROSECOND / 2).unwrap_or(usize::MAX)
}

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

/// When to spare an object its second copy.
///
/// An object that has survived one scavenge is copied once more before it is old, in the hope that it dies meanwhile. When
/// nearly everything that was given this chance has survived it, the chance is left out for a while: what survives goes
/// straight to the old generation, and then a scavenge with survivors measures again. (An adaptive form of Ungar and
/// Jackson's feedback-mediated tenuring, 1988, with two ages.)
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tenure {
    /// Bytes that the last scavenge left among the survivors.
    survivors: usize,
    /// Scavenges since survivors were last given their chance.
    without: u32,
    /// Whether they made nothing of it.
    hopeless: bool,
}

impl Tenure {
    /// Of a thousand bytes of survivors, how many must survive again to make the chance not worth its copy.
    const HOPELESS: usize = 850;
    /// Below this, survivors are too few to be a measure.
    const MEASURABLE: usize = 64 << 10;
    /// Scavenges without the chance before it is given again.
    const PATIENCE: u32 = 7;

    /// Whether the next scavenge promotes everything that survives.
    pub(crate) const fn at_once(self) -> bool {
        self.hopeless && self.without < Self::PATIENCE
    }
    /// Learns from a scavenge that was done as [`at_once`](Self::at_once) said.
    pub(crate) fn learn(&mut self, copied: usize, promoted: usize) {
        if self.at_once() {
            self.without += 1;
            self.survivors = 0;
            return;
        }
        if self.survivors >= Self::MEASURABLE {
            self.hopeless = promoted as u128 * 1000 >= self.survivors as u128 * Self::HOPELESS as u128;
            self.without = 0;
        }
        self.survivors = copied;
    }
}

/// A source of decisions: the same seed, the same decisions (Steele, Lea and Flood 2014, SplitMix).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// A number below `sides`.
    pub(crate) const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % sides
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn a_nursery_shrinks_at_once_and_grows_slowly() {
        let ms = Duration::from_millis;
        for (now, spent, next) in
            [(16, 2, 16), (16, 4, 8), (16, 100, 4), (4, 100, 2), (2, 100, 2), (8, 0, 11), (15, 0, 16), (16, 0, 16)]
        {
            assert_eq!(next_nursery(now, 16, ms(spent), ms(2)), next, "{now} regions, {spent} ms");
        }
    }

    #[test]
    fn survivors_that_all_survive_again_lose_their_chance_for_a_while() {
        let mut tenure = Tenure::default();
        let mib = Bytes::mib(1).get();
        tenure.learn(mib, 0);
        assert!(!tenure.at_once(), "nothing is known yet");
        tenure.learn(mib, mib);
        let spared = std::iter::from_fn(|| tenure.at_once().then(|| tenure.learn(0, mib))).count();
        assert_eq!(spared, 7);
        // The chance is given again; what comes of it is seen a scavenge later.
        tenure.learn(mib, 0);
        assert!(!tenure.at_once());
        tenure.learn(mib, mib / 2);
        assert!(!tenure.at_once(), "half of them died");
    }

    #[test]
    fn few_survivors_prove_nothing() {
        let mut tenure = Tenure::default();
        tenure.learn(1000, 0);
        tenure.learn(1000, 1000);
        assert!(!tenure.at_once());
    }

    #[test]
    fn one_seed_decides_one_way() {
        let rolls = |seed| {
            let mut dice = Dice::new(seed);
            std::array::from_fn::<u64, 8, _>(|_| dice.roll(16))
        };
        assert_eq!(rolls(7), rolls(7));
        assert_ne!(rolls(7), rolls(8));
        assert!(rolls(9).iter().all(|n| *n < 16));
    }

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

    #[test]
    fn the_heap_doubles_until_the_limit_is_near() {
        let mib = |n| Bytes::mib(n).get();
        let table = [
            // live, least, limit, nursery, due
            (0, 16, 1024, 4, 16),
            (8, 16, 1024, 4, 16),
            (100, 16, 1024, 4, 200),
            (600, 16, 1024, 4, 808),
            (1000, 16, 1024, 4, 1008),
        ];
        for (live, least, limit, nursery, due) in table {
            assert_eq!(next_full_at(mib(live), mib(least), mib(limit), mib(nursery)), mib(due), "live {live}");
        }
        let beyond = next_full_at(mib(2000), mib(16), mib(1024), mib(4));
        assert_eq!(beyond, mib(2000) + REGION_BYTES, "past the limit a little progress is still required");
    }

    #[test]
    fn the_default_cap_lets_half_a_nursery_of_survivors_be_copied() {
        assert_eq!(copy_budget(Duration::from_millis(10)), 2_500_000);
    }
}
