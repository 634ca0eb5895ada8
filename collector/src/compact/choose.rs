//! Which regions are worth emptying, in which order, and how many at once: arithmetic without a heap.
//!
//! A heap is fragmented when more than a quarter of its old regions' bytes are gaps. Then the emptiest regions are chosen,
//! one after the other, until what is left would have no more than an eighth of its bytes in gaps: each region that is
//! emptied costs a copy of what lives there and gives back the rest, so the emptiest come first, and full ones never pay.
use crate::compact::records::Batches;
use crate::units::REGION_BYTES;
use std::time::Duration;

/// Gaps of a heap that is not worth the trouble.
const LEAST_GAPS: usize = 8 * REGION_BYTES;
/// Regions of a batch: each is given back under a lock, in the stop.
const MOST_REGIONS: usize = 128;
/// A region that is fuller than this is never emptied, in percent.
const FULL: usize = 85;

/// An old region and the bytes in it that are not known to be gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    pub region: usize,
    pub used: usize,
}

/// The regions to empty, in batches of at most `bytes` to copy (or one region). With `always`, all of them.
pub(crate) fn batches(mut regions: Vec<Fill>, bytes: usize, always: bool) -> Vec<Vec<Fill>> {
    let used: usize = regions.iter().map(|r| r.used).sum();
    let gaps = |regions: usize| (regions * REGION_BYTES).saturating_sub(used);
    let fragmented = gaps(regions.len()) > LEAST_GAPS && gaps(regions.len()) > regions.len() * REGION_BYTES / 4;
    if !always && !fragmented {
        return Vec::new();
    }
    regions.sort_unstable_by_key(|r| (r.used, r.region));
    let count = regions.len();
    let mut batches: Vec<Vec<Fill>> = Vec::new();
    let (mut in_batch, mut moved, mut emptied) = (0, 0, 0);
    for region in regions {
        // What is moved fills regions again; gaps elsewhere may spare some of them.
        let left = count - emptied + usize::div_ceil(moved, REGION_BYTES);
        if !always && (region.used > REGION_BYTES / 100 * FULL || gaps(left) <= left * REGION_BYTES / 8) {
            break;
        }
        let full = batches.last().is_none_or(|b| b.len() == MOST_REGIONS || in_batch + region.used > bytes);
        if full {
            if batches.len() == Batches::MOST {
                break;
            }
            batches.push(Vec::new());
            in_batch = 0;
        }
        in_batch += region.used;
        moved += region.used;
        emptied += 1;
        batches.last_mut().expect("one was just made").push(region);
    }
    batches
}

/// How fast regions were emptied of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Speed {
    /// Bytes copied in a millisecond.
    bytes: usize,
}

/// A host's visit: a miss or two.
const HOST: Duration = Duration::from_nanos(100);

impl Default for Speed {
    fn default() -> Self {
        // A cold copier moves 0.3 bytes a nanosecond at the least on machines of this class.
        Self { bytes: 300_000 }
    }
}

impl Speed {
    /// Bytes that can be moved in `time`.
    pub(crate) fn bytes_in(self, time: Duration) -> usize {
        usize::try_from(time.as_micros() * self.bytes as u128 / 1000).unwrap_or(usize::MAX)
    }
    /// How long it takes to visit so many hosts and to move so many bytes.
    pub(crate) fn time_for(self, bytes: usize, hosts: usize) -> Duration {
        let copy = Duration::from_nanos((bytes as u128 * 1_000_000 / self.bytes as u128) as u64);
        copy + HOST * u32::try_from(hosts).unwrap_or(u32::MAX)
    }
    /// Learns from a stop that moved `bytes` in `took`, its visits included: half of what is known from now on is this.
    pub(crate) fn learn(&mut self, bytes: usize, took: Duration) {
        const MEASURABLE: usize = 128 << 10;
        if bytes >= MEASURABLE && !took.is_zero() {
            let now = (bytes as u128 * 1_000_000 / took.as_nanos().max(1)) as usize;
            self.bytes = self.bytes.midpoint(now.clamp(30_000, 5_000_000));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regions with so many percent in use.
    fn regions(percent: &[usize]) -> Vec<Fill> {
        percent.iter().enumerate().map(|(i, p)| Fill { region: i + 1, used: REGION_BYTES / 100 * p }).collect()
    }
    fn chosen(percent: &[usize], bytes: usize, always: bool) -> Vec<Vec<usize>> {
        batches(regions(percent), bytes, always).iter().map(|b| b.iter().map(|r| r.region).collect()).collect()
    }

    #[test]
    fn a_heap_without_many_gaps_is_left_alone() {
        assert!(chosen(&[80; 100], usize::MAX, false).is_empty());
        assert!(chosen(&[10; 4], usize::MAX, false).is_empty(), "a few regions are not worth it");
        assert!(chosen(&[], usize::MAX, true).is_empty());
    }

    #[test]
    fn the_emptiest_regions_go_first_and_full_ones_stay() {
        let mut heap = vec![95; 20];
        heap.extend([50, 10, 30]);
        heap.extend([5; 20]);
        let all: Vec<usize> = chosen(&heap, usize::MAX, false).concat();
        assert_eq!(all[..20], (24..44).collect::<Vec<_>>());
        assert!(all.iter().all(|region| *region > 20), "{all:?}");
    }

    #[test]
    fn what_is_left_has_few_gaps() {
        for percent in [10, 25, 50, 70] {
            let heap = vec![percent; 200];
            let all = batches(regions(&heap), usize::MAX, false).concat();
            let moved: usize = all.iter().map(|r| r.used).sum();
            let left = heap.len() - all.len() + moved.div_ceil(REGION_BYTES);
            let used = heap.len() * (REGION_BYTES / 100 * percent);
            assert!(left * REGION_BYTES <= used * 5 / 4, "{percent} %: {left} regions");
        }
    }

    #[test]
    fn a_batch_holds_what_a_stop_can_copy() {
        let heap = vec![25; 100];
        let parts = batches(regions(&heap), REGION_BYTES, false);
        assert!(parts.len() > 10);
        for part in parts {
            assert!(part.iter().map(|r| r.used).sum::<usize>() <= REGION_BYTES);
        }
        assert!(chosen(&heap, 1, false).iter().all(|b| b.len() == 1), "one region at the least");
        assert!(chosen(&[1; 10_000], 1, true).len() <= Batches::MOST);
    }

    #[test]
    fn always_means_all() {
        assert_eq!(chosen(&[100, 100, 3], usize::MAX, true), [[3, 1, 2]]);
    }

    #[test]
    fn a_speed_follows_what_is_measured_within_reason() {
        let mut speed = Speed::default();
        let ms = Duration::from_millis;
        assert_eq!(speed.bytes_in(ms(2)), 600_000);
        assert_eq!(speed.time_for(300_000, 0), ms(1));
        assert!(speed.time_for(0, 10_000) == ms(1));
        speed.learn(1000, ms(100));
        assert_eq!(speed, Speed::default(), "too little to measure");
        speed.learn(900_000, ms(1));
        assert_eq!(speed.bytes_in(ms(1)), 600_000);
        (0..50).for_each(|_| speed.learn(1 << 20, ms(10_000)));
        assert!(speed.bytes_in(ms(1)) >= 30_000);
    }
}
