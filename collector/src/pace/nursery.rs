//! How long the row is, and how much a scavenge may copy: what keeps a young collection within its target.
use std::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_default_cap_lets_half_a_nursery_of_survivors_be_copied() {
        assert_eq!(copy_budget(Duration::from_millis(10)), 2_500_000);
    }
}
