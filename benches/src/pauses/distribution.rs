//! How long a number of things took: counts by length, percentiles, and what went over the cap.

use std::time::Duration;

use serde::Serialize;

/// Upper ends of the histogram's columns, in microseconds; one more column takes what is longer than all of them.
pub const BOUNDS_US: [u64; 10] = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

/// Exact figures of a list of lengths.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// How many there were.
    pub count: u64,
    /// The median, in milliseconds like all that follow.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The 99.9th percentile.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// All together.
    pub total_ms: f64,
    /// How many were longer than the cap.
    pub over_cap: u64,
    /// By how much the longest of them was.
    pub overrun_max_ms: f64,
    /// Counts for each of [`BOUNDS_US`], and of what is longer.
    pub histogram: [u64; BOUNDS_US.len() + 1],
}

impl Distribution {
    /// The figures of `lengths`.
    pub fn new(lengths: impl IntoIterator<Item = Duration>, cap: Duration) -> Self {
        let mut sorted: Vec<Duration> = lengths.into_iter().collect();
        sorted.sort_unstable();
        let Some(longest) = sorted.last() else { return Self::default() };
        let mut histogram = [0; BOUNDS_US.len() + 1];
        for length in &sorted {
            histogram[BOUNDS_US.partition_point(|bound| Duration::from_micros(*bound) < *length)] += 1;
        }
        Self {
            count: sorted.len() as u64,
            p50_ms: ms(at(&sorted, 500)),
            p99_ms: ms(at(&sorted, 990)),
            p999_ms: ms(at(&sorted, 999)),
            max_ms: ms(*longest),
            total_ms: ms(sorted.iter().sum()),
            over_cap: (sorted.len() - sorted.partition_point(|length| *length <= cap)) as u64,
            overrun_max_ms: ms(longest.saturating_sub(cap)),
            histogram,
        }
    }
}

/// The length that `permille` of all do not exceed; the longest, if there are too few to tell.
fn at(sorted: &[Duration], permille: usize) -> Duration {
    sorted[(sorted.len() * permille).div_ceil(1000).max(1) - 1]
}

/// Milliseconds, to the microsecond.
pub fn ms(length: Duration) -> f64 {
    (length.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_millis(10);

    fn of_micros(lengths: impl IntoIterator<Item = u64>) -> Distribution {
        Distribution::new(lengths.into_iter().map(Duration::from_micros), CAP)
    }

    #[test]
    fn percentiles_are_lengths_that_occurred() {
        let all = of_micros((1..=1000).rev());
        assert_eq!((all.p50_ms, all.p99_ms, all.p999_ms, all.max_ms), (0.5, 0.99, 0.999, 1.0));
        let one = of_micros([7]);
        assert_eq!((one.p50_ms, one.p999_ms, one.total_ms), (0.007, 0.007, 0.007));
        assert_eq!(of_micros([1, 2, 3]).p999_ms, 0.003, "three cannot tell, so the longest stands for it");
    }

    #[test]
    fn the_cap_itself_is_not_over_the_cap() {
        let all = of_micros([9_999, 10_000, 10_001, 12_500]);
        assert_eq!((all.over_cap, all.overrun_max_ms), (2, 2.5));
        assert_eq!(of_micros([10_000]).overrun_max_ms, 0.0);
    }

    #[test]
    fn every_length_is_counted_in_one_column() {
        let all = of_micros([0, 100, 101, 1_000, 9_999, 10_000, 10_001, 100_000, 100_001, 9_000_000]);
        assert_eq!(all.histogram, [2, 1, 0, 1, 0, 0, 2, 1, 0, 1, 2]);
        assert_eq!(all.histogram.iter().sum::<u64>(), all.count);
    }

    #[test]
    fn nothing_has_no_length() {
        assert_eq!(of_micros([]), Distribution::default());
    }
}
