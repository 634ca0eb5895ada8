//! Gaps between two iterations of a workload, as the thread that ran them felt them.
//!
//! A collection shows itself as an iteration that took longer than its neighbours. So each thread reads the
//! clock after every iteration and counts the difference in a log-linear histogram (64 steps to a power of
//! two, 1.5 % wide). The box is shared, and a runnable thread waiting for a core is no collection; so a gap of
//! half a millisecond or more is corrected before it counts:
//!
//! ```text
//!   corrected = min(gap - this thread's run-queue wait meanwhile, CPU time the process burnt meanwhile)
//! ```
//!
//! The second term says that collector threads which wait for cores do not make a stop longer than their work.
//! The uncorrected maximum is kept beside it. The accounting is the same in every runtime that these workloads
//! exist for, down to the bucket borders, so that its percentiles can be compared.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::time::{ClockId, clock_gettime};

/// Gaps from here on are corrected for what else the machine did; in nanoseconds.
const CORRECTED_FROM: u64 = 500_000;
/// Values below this one have a bucket each; above, each power of two has [`STEPS`].
const EXACT: u64 = 128;
/// Buckets to a power of two.
const STEPS: usize = 64;
/// Up to 2^32 ns: the exact ones, then 25 powers of two.
const BUCKETS: usize = EXACT as usize + 25 * STEPS;

/// What one thread saw, or, after [`Gaps::absorb`], what several did.
pub struct Gaps {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    /// The longest corrected gap.
    longest: u64,
    /// The longest gap as the clock saw it, of those that were looked at closely.
    longest_raw: u64,
    /// Corrected gaps of [`CORRECTED_FROM`] and more, together.
    stopped: u64,
    /// When the last iteration ended.
    last: u64,
    /// When `seen` was read.
    sampled: u64,
    seen: Sample,
    schedule: Schedule,
}

/// What the kernel has charged so far, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Sample {
    /// This thread was runnable and had no core.
    waited: u64,
    /// The whole process ran.
    burnt: u64,
}

impl Default for Gaps {
    fn default() -> Self {
        Self::new()
    }
}

impl Gaps {
    /// An empty record, to be used by the thread that makes it.
    pub fn new() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            total: 0,
            longest: 0,
            longest_raw: 0,
            stopped: 0,
            last: 0,
            sampled: 0,
            seen: Sample::default(),
            schedule: Schedule::of_this_thread(),
        }
    }

    /// The next iteration begins here: what lies before it is nobody's gap.
    pub fn start(&mut self) {
        self.seen = Sample { waited: self.schedule.read().waited, burnt: process_cpu() };
        self.last = now();
        self.sampled = self.last;
    }

    /// An iteration has ended, and the next begins.
    #[inline]
    pub fn mark(&mut self) {
        let now = now();
        let mut gap = now - self.last;
        self.last = now;
        if now - self.sampled >= CORRECTED_FROM {
            gap = self.look_closely(gap);
        }
        self.counts[bucket(gap)] += 1;
        self.total += 1;
        self.longest = self.longest.max(gap);
    }

    /// Corrects a long gap; a short one only renews the sample, so that samples are never old.
    #[cold]
    #[inline(never)]
    fn look_closely(&mut self, gap: u64) -> u64 {
        let before = self.seen;
        self.start();
        self.longest_raw = self.longest_raw.max(gap);
        if gap < CORRECTED_FROM {
            return gap;
        }
        let corrected = corrected(gap, self.seen.waited - before.waited, self.seen.burnt - before.burnt);
        self.stopped += corrected;
        corrected
    }

    /// Adds what another thread saw.
    pub fn absorb(&mut self, other: &Gaps) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts.iter()) {
            *mine += theirs;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
        self.longest_raw = self.longest_raw.max(other.longest_raw);
        self.stopped += other.stopped;
    }

    /// Whether no iteration was marked.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The longest corrected gap, in nanoseconds.
    pub fn longest_ns(&self) -> f64 {
        self.longest as f64
    }

    /// The longest gap as the clock saw it, in nanoseconds.
    pub fn longest_raw_ns(&self) -> f64 {
        self.longest_raw.max(self.longest) as f64
    }

    /// All corrected gaps of half a millisecond and more together, in nanoseconds.
    pub fn stopped_ns(&self) -> f64 {
        self.stopped as f64
    }

    /// The gap below which the share `q` of all gaps lies: the middle of its bucket, in nanoseconds.
    pub fn quantile_ns(&self, q: f64) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let wanted = ((q * self.total as f64) as u64).min(self.total - 1);
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            below += count;
            if below > wanted {
                return middle(index);
            }
        }
        self.longest as f64
    }
}

/// A gap without the time in which nobody could have worked on ending it.
fn corrected(gap: u64, waited: u64, burnt: u64) -> u64 {
    gap.saturating_sub(waited).min(burnt)
}

fn bucket(gap: u64) -> usize {
    let gap = gap.min(u64::from(u32::MAX));
    if gap < EXACT {
        return gap as usize;
    }
    let power = gap.ilog2() as usize;
    EXACT as usize + (power - 7) * STEPS + ((gap >> (power - 6)) as usize & (STEPS - 1))
}

fn middle(bucket: usize) -> f64 {
    if bucket < EXACT as usize {
        return bucket as f64;
    }
    let (power, step) = ((bucket - EXACT as usize) / STEPS + 7, (bucket - EXACT as usize) % STEPS);
    let width = (1u64 << (power - 6)) as f64;
    (STEPS + step) as f64 * width + width / 2.0
}

/// What the scheduler says about one thread: `/proc/thread-self/schedstat`, or nothing where there is none.
pub struct Schedule(Option<File>);

/// Times of one thread since it began, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadTimes {
    /// On a core.
    pub ran: u64,
    /// Runnable, but without a core.
    pub waited: u64,
}

impl Schedule {
    /// The calling thread's; it may be read by any thread afterwards.
    pub fn of_this_thread() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    /// The thread's times up to now.
    pub fn read(&self) -> ThreadTimes {
        let mut text = [0; 96];
        let Some(length) = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()) else {
            return ThreadTimes::default();
        };
        parse_times(&text[..length])
    }
}

fn parse_times(text: &[u8]) -> ThreadTimes {
    let text = str::from_utf8(text).unwrap_or_default();
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().unwrap_or(0));
    ThreadTimes { ran: numbers.next().unwrap_or(0), waited: numbers.next().unwrap_or(0) }
}

/// The monotonic clock, in nanoseconds.
pub fn now() -> u64 {
    read_clock(ClockId::Monotonic)
}

/// The CPU time of all threads of the process, in nanoseconds.
pub fn process_cpu() -> u64 {
    read_clock(ClockId::ProcessCPUTime)
}

fn read_clock(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(gaps: impl IntoIterator<Item = u64>) -> Gaps {
        let mut record = Gaps::new();
        for gap in gaps {
            record.counts[bucket(gap)] += 1;
            record.total += 1;
            record.longest = record.longest.max(gap);
        }
        record
    }

    #[test]
    fn a_buckets_middle_is_within_one_and_a_half_percent() {
        for gap in (0..200).chain((0..32).flat_map(|p| [(1u64 << p) - 1, 1 << p, (1 << p) + (1 << p) / 3])) {
            let error = (middle(bucket(gap)) - gap as f64).abs();
            assert!(error <= gap as f64 * 0.016, "{gap} is shown as {}", middle(bucket(gap)));
        }
    }

    #[test]
    fn buckets_grow_with_the_gap_and_end_at_four_seconds() {
        let sizes = [0, 1, 127, 128, 129, 130, 255, 256, 4096, 1 << 20, u64::from(u32::MAX), u64::MAX];
        assert!(sizes.windows(2).all(|pair| bucket(pair[0]) <= bucket(pair[1])));
        assert_eq!(bucket(u64::from(u32::MAX)), bucket(u64::MAX));
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn quantiles_count_from_below() {
        let record = with(1..=100);
        assert_eq!(record.quantile_ns(0.0), 1.0);
        assert_eq!(record.quantile_ns(0.5), 51.0);
        assert_eq!(record.quantile_ns(0.99), 100.0);
        assert_eq!(record.quantile_ns(1.0), 100.0);
        assert_eq!(Gaps::new().quantile_ns(0.5), 0.0);
    }

    #[test]
    fn absorbing_adds_counts_and_keeps_the_longest() {
        let mut sum = with([1, 2]);
        sum.absorb(&with([90, 3]));
        assert_eq!((sum.total, sum.longest), (4, 90));
        assert_eq!(sum.quantile_ns(0.99), 90.0);
    }

    #[test]
    fn waiting_for_a_core_is_taken_out_and_a_stop_is_no_longer_than_its_work() {
        assert_eq!(corrected(5_000_000, 1_000_000, 9_000_000), 4_000_000);
        assert_eq!(corrected(5_000_000, 1_000_000, 3_000_000), 3_000_000);
        assert_eq!(corrected(5_000_000, 6_000_000, 9_000_000), 0);
    }

    #[test]
    fn a_busy_gap_counts_as_a_stop_and_no_longer_than_the_clock_saw() {
        let mut record = Gaps::new();
        record.start();
        let until = now() + 40_000_000;
        while now() < until {
            std::hint::spin_loop();
        }
        record.mark();
        assert!(record.longest_raw_ns() >= 40e6);
        assert!(record.longest_ns() > 0.0);
        assert!(record.longest_ns() <= record.longest_raw_ns());
        assert_eq!(record.stopped_ns(), record.longest_ns());
    }

    #[test]
    fn the_schedulers_line_is_read_by_its_first_two_numbers() {
        assert_eq!(parse_times(b"123 45 6\n"), ThreadTimes { ran: 123, waited: 45 });
        assert_eq!(parse_times(b""), ThreadTimes::default());
        assert_eq!(parse_times(b"x y\n"), ThreadTimes::default());
    }
}
