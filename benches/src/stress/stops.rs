//! How long mutators stood still, in buckets that can be watched while they fill.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use orinoco::{Event, Observer, Stall};

/// Upper ends of the buckets; the last has none.
pub const ENDS: [Duration; 8] = [
    Duration::from_micros(30),
    Duration::from_micros(100),
    Duration::from_micros(300),
    Duration::from_millis(1),
    Duration::from_millis(3),
    Duration::from_millis(10),
    Duration::from_millis(30),
    Duration::from_millis(100),
];

/// Counts stops by length. Every thread of a heap adds to it.
#[derive(Debug, Default)]
pub struct StopCounts([AtomicU64; ENDS.len() + 1]);

impl StopCounts {
    /// The counts.
    pub fn read(&self) -> Vec<u64> {
        self.0.iter().map(|count| count.load(Relaxed)).collect()
    }
}

impl Observer for StopCounts {
    fn event(&self, event: &Event) {
        if let Event::Stop { stood, .. } = event {
            let bucket = ENDS.iter().position(|end| stood < end).unwrap_or(ENDS.len());
            self.0[bucket].fetch_add(1, Relaxed);
        }
    }
    fn stalled(&self, stall: &Stall) {
        eprintln!("orinoco: {stall}");
    }
}

/// What the buckets are called.
pub fn names() -> Vec<String> {
    let name = |end: &Duration| match end.as_micros() {
        us if us < 1000 => format!("<{us} µs"),
        us => format!("<{} ms", us / 1000),
    };
    ENDS.iter().map(name).chain(["more".to_owned()]).collect()
}

/// The buckets as a row of characters, as high as the number of their digits.
pub fn row(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |count: &u64| if *count == 0 { '·' } else { BARS[(count.ilog10() as usize).min(7)] };
    counts.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_falls_into_the_bucket_that_it_is_shorter_than() {
        let counts = StopCounts::default();
        for us in [1, 29, 30, 99_999, 100_000] {
            let stood = Duration::from_micros(us);
            let (thread, ended) = (std::thread::current().id(), std::time::Instant::now());
            counts.event(&Event::Stop {
                kind: orinoco::StopKind::Young,
                thread,
                ended,
                stood,
                cpu: None,
                forced: None,
            });
        }
        assert_eq!(counts.read(), [2, 1, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(names().len(), counts.read().len());
        assert_eq!(row(&[0, 5, 50, 1_000_000_000]), "·▁▂█");
    }
}
