//! How long the row is, and how much a scavenge may copy: what keeps a young collection within its target.
//!
//! ```text
//!   a scavenge:  leader's time ÷ bytes emptied ─▶ cost of a byte: jumps up at once, sinks slowly ─▶ target ÷ cost ─▶ row
//!   promoted in place: nothing was measured ─▶ a short row, so that measuring is cheap
//! ```
//!
//! The cost of a byte holds everything: survival, how far apart objects lie, remembered places, and how fast the
//! machine is today. A guess that is too high costs a few more stops; one too low is a stop that is too long.
use crate::units::REGION_BYTES;
use std::time::Duration;

/// What young collections have cost of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Nanoseconds of the leader's processor for a MiB of nursery; 0 while nothing is known.
    of_mib: u64,
}

impl Cost {
    const MIB: u128 = 1 << 20;
    /// Below this, what a stop costs anyway hides the rest.
    const MEASURABLE: usize = 128 << 10;
    /// One over how much of what is known a cheaper scavenge replaces.
    const INERTIA: u64 = 8;
    /// By how much one scavenge can make the cost rise: it may have met something rare.
    const LEAP: u64 = 4;

    /// Learns from a scavenge that emptied `bytes`.
    pub(crate) fn learn(&mut self, bytes: usize, spent: Duration) {
        if bytes < Self::MEASURABLE {
            return;
        }
        let now = u64::try_from(spent.as_nanos() * Self::MIB / bytes as u128).unwrap_or(u64::MAX).max(1);
        self.of_mib = match self.of_mib {
            0 => now,
            known if now >= known => now.min(known.saturating_mul(Self::LEAP)),
            known => known - (known - now).div_ceil(Self::INERTIA),
        };
    }
    /// Regions of a row that are emptied within two fifths of `target`, at least two of them; while nothing is known, a sample
    /// of `most`. A leader to whom nobody comes takes twice as long, and mutators allocate up to half a row beyond it while
    /// they rest: that is the target, and a fifth.
    pub(crate) fn row(self, target: Duration, most: usize) -> usize {
        const LEAST: usize = 2;
        let bytes = (target * 2 / 5).as_nanos() * Self::MIB / u128::from(self.of_mib.max(1));
        let fit = usize::try_from(bytes / REGION_BYTES as u128).unwrap_or(usize::MAX);
        if self.of_mib == 0 { Self::sample(most) } else { fit.clamp(LEAST.min(most), most) }
    }
    /// Regions of a row that is only there to be measured, after `row` would have been full.
    pub(crate) fn sample(row: usize) -> usize {
        row.div_ceil(4).max(2).min(row)
    }
}

/// Bytes that a scavenge may copy before it keeps the rest in place.
///
/// A copier moves at least 0.5 bytes a nanosecond cold (research figures of this machine class); half of the cap goes
/// to copying, the rest to roots, weak references and what is retained.
pub(crate) fn copy_budget(cap: Duration) -> usize {
    const BYTES_PER_MICROSECOND: u128 = 500;
    usize::try_from(cap.as_micros() * BYTES_PER_MICROSECOND / 2).unwrap_or(usize::MAX)
}

/// Bytes of `young` ones that a scavenge copies however long it takes, where `survival` of a thousand are expected to survive:
/// a quarter more than that, a region at least, and half of what the cap has time for at most.
pub(crate) fn copy_least(young: usize, survival: usize, cap: Duration) -> usize {
    let expected = usize::try_from(young as u128 * survival as u128 / 1000 * 5 / 4).unwrap_or(usize::MAX);
    expected.max(REGION_BYTES).min(copy_budget(cap) / 2)
}

/// Time on its processor that a copier may spend before it keeps the rest in place: half as much again as the target, and no
/// more than a quarter of the cap. What stays has to be scanned as well, which costs small objects about what a copy does, and
/// makes whole regions old; so it should be rare.
pub(crate) fn copy_time(target: Duration, cap: Duration) -> Duration {
    (target * 3 / 2).min(cap / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    const TARGET: Duration = Duration::from_millis(1);
    const MOST: usize = 16;

    fn us(n: u64) -> Duration {
        Duration::from_micros(n)
    }

    #[test]
    fn what_was_to_be_expected_is_copied() {
        let ms = Duration::from_millis;
        for (young, survival, cap, least) in [
            (4 << 20, 200, ms(10), 1 << 20),
            (4 << 20, 0, ms(10), REGION_BYTES),
            (0, 1000, ms(10), REGION_BYTES),
            (4 << 20, 900, ms(10), 1_250_000),
            (4 << 20, 900, ms(1), 125_000),
        ] {
            assert!(copy_least(young, survival, cap).abs_diff(least) < 100, "{young} {survival} {cap:?}");
        }
    }

    #[test]
    fn a_row_is_as_long_as_its_cost_allows() {
        // MiB emptied, microseconds spent, regions of the next row.
        for (mib, spent, row) in [(4, 400, 16), (4, 1000, 6), (4, 2000, 3), (1, 400, 4), (1, 100_000, 2), (4, 0, 16)] {
            let mut cost = Cost::default();
            cost.learn(Bytes::mib(mib).get(), us(spent));
            assert_eq!(cost.row(TARGET, MOST), row, "{mib} MiB in {spent} us");
        }
        assert_eq!(Cost::default().row(TARGET, MOST), MOST / 4, "nothing is known yet: a sample");
        assert_eq!(Cost::default().row(TARGET, 1), 1);
    }

    #[test]
    fn a_row_shrinks_at_once_and_grows_slowly() {
        let mut cost = Cost::default();
        let mib = Bytes::mib(4).get();
        cost.learn(mib, us(1000));
        cost.learn(mib, us(4000));
        assert_eq!(cost.row(TARGET, MOST), 2);
        let rows: Vec<_> = std::iter::repeat_with(|| {
            cost.learn(mib, us(1000));
            cost.row(TARGET, MOST)
        })
        .take(24)
        .collect();
        assert!(rows.is_sorted() && rows[0] == 2 && rows[5] < 4 && rows[23] >= 5, "{rows:?}");
    }

    #[test]
    fn one_scavenge_cannot_take_more_than_three_quarters_of_the_row() {
        let mut cost = Cost::default();
        cost.learn(Bytes::mib(4).get(), us(100));
        assert_eq!(cost.row(TARGET, 64), 64);
        cost.learn(Bytes::mib(4).get(), us(1_000_000));
        assert_eq!(cost.row(TARGET, 64), 16);
    }

    #[test]
    fn a_few_bytes_prove_nothing() {
        let mut cost = Cost::default();
        cost.learn(1000, us(1000));
        cost.learn(0, us(1000));
        assert_eq!(cost, Cost::default());
    }

    #[test]
    fn a_sample_is_shorter_than_a_row_and_never_longer() {
        for (row, sample) in [(16, 4), (4, 2), (2, 2), (1, 1)] {
            assert_eq!(Cost::sample(row), sample);
        }
    }

    #[test]
    fn the_default_cap_lets_half_a_nursery_of_survivors_be_copied() {
        assert_eq!(copy_budget(Duration::from_millis(10)), 2_500_000);
        assert_eq!(copy_time(us(1000), us(10_000)), us(1500));
        assert_eq!(copy_time(us(5000), us(10_000)), us(2500));
    }
}
