//! Minimum mutator utilization: the share of its time that a mutator is sure of, by the length of a window.
//!
//! ```text
//!   stops      ──███─────█──────────███████───
//!   a window              └────w────┘            u = 1 - (stopped within it) / w
//!
//!   MMU(w) = the least u of all windows of length w, of all mutators
//!   BMU(w) = the least MMU(w') for w' ≥ w: what holds for every window that is at least this long
//! ```
//!
//! U1  Stops are sorted, disjoint, not empty, and lie within the span.
//! U2  Of the windows of one length, one of the worst begins where a stop begins, ends where a stop ends, or touches an
//!     end of the span: moving any other one loses nothing until it does.
//! U3  Of the windows of some length or more, one of the worst has that length, or begins where a stop begins and ends
//!     where a stop ends: any other one gets no better by being cut back to its stops, or stretched over them.

/// A stretch of time in nanoseconds: from `start` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Where it begins.
    pub start: u64,
    /// Where it has ended.
    pub end: u64,
}

impl Interval {
    /// How long it is.
    pub fn length(self) -> u64 {
        self.end - self.start
    }
}

/// When one mutator stood still.
#[derive(Debug)]
pub struct Timeline {
    span: Interval,
    stops: Vec<Interval>,
    /// For each stop, how long the mutator had stood still before it.
    before: Vec<u64>,
}

impl Timeline {
    /// One mutator's stops during `span`, in any order. Parts outside are cut off; what overlaps counts once.
    pub fn new(span: Interval, stops: impl IntoIterator<Item = Interval>) -> Self {
        let clipped = stops.into_iter().map(|s| Interval { start: s.start.max(span.start), end: s.end.min(span.end) });
        let mut clipped: Vec<_> = clipped.filter(|s| s.start < s.end).collect();
        clipped.sort_unstable_by_key(|s| s.start);
        let mut stops: Vec<Interval> = Vec::with_capacity(clipped.len());
        for next in clipped {
            match stops.last_mut() {
                Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
                _ => stops.push(next),
            }
        }
        let mut stopped = 0;
        let mut count = |s: &Interval| {
            stopped += s.length();
            stopped - s.length()
        };
        let before = stops.iter().map(&mut count).collect();
        Self { span, stops, before }
    }

    /// MMU of this mutator for windows of `window` nanoseconds; `None` if the span is shorter.
    pub fn minimum(&self, window: u64) -> Option<f64> {
        self.worst(window).map(|stopped| 1.0 - stopped as f64 / window as f64)
    }

    /// BMU of this mutator for windows of at least `window` nanoseconds; `None` if the span is shorter.
    pub fn bounded_minimum(&self, window: u64) -> Option<f64> {
        let mut density = self.worst(window)? as f64 / window as f64;
        // Each round asks which window would stand out most if this density were the worst; if one does, its own is.
        while let Some(worse) = self.denser(window, density) {
            density = worse;
        }
        Some(1.0 - density)
    }

    /// The longest that the mutator stood still in a window of this length.
    fn worst(&self, window: u64) -> Option<u64> {
        if window == 0 || window > self.span.length() {
            return None;
        }
        let last = self.span.end - window;
        let starts = self.stops.iter().flat_map(|s| [s.start, s.end.saturating_sub(window)]);
        // U2.
        let starts = starts.map(|t| t.clamp(self.span.start, last)).chain([self.span.start, last]);
        starts.map(|t| self.stopped_until(t + window) - self.stopped_until(t)).max()
    }

    /// How long the mutator stood still before `time`.
    fn stopped_until(&self, time: u64) -> u64 {
        match self.stops.partition_point(|s| s.start < time) {
            0 => 0,
            n => self.before[n - 1] + self.stops[n - 1].end.min(time) - self.stops[n - 1].start,
        }
    }

    /// The density of a window between stops (U3), `window` long or longer, that has more than `density`.
    fn denser(&self, window: u64, density: f64) -> Option<f64> {
        let above = |time: u64, stopped: u64| stopped as f64 - density * (time - self.span.start) as f64;
        let (mut low, mut low_at, mut first) = (f64::INFINITY, 0, 0);
        let (mut most, mut found) = (0.0, None);
        for (stop, before) in self.stops.iter().zip(&self.before) {
            while let Some(begin) = self.stops.get(first).filter(|begin| begin.start + window <= stop.end) {
                let level = above(begin.start, self.before[first]);
                if level < low {
                    (low, low_at) = (level, first);
                }
                first += 1;
            }
            let stopped = before + stop.length();
            let gain = above(stop.end, stopped) - low;
            if gain > most {
                most = gain;
                let length = stop.end - self.stops[low_at].start;
                found = Some((stopped - self.before[low_at]) as f64 / length as f64);
            }
        }
        // What is not denser by a part in a trillion is rounding.
        found.filter(|found| *found > density + 1e-12)
    }
}

/// The least of what several mutators are sure of; `None` if there is none, or the span is too short.
pub fn least(timelines: &[Timeline], of: impl Fn(&Timeline) -> Option<f64>) -> Option<f64> {
    timelines.iter().filter_map(of).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads::random::Random;

    fn timeline(length: u64, stops: &[(u64, u64)]) -> Timeline {
        let span = Interval { start: 1000, end: 1000 + length };
        Timeline::new(span, stops.iter().map(|(start, end)| Interval { start: 1000 + start, end: 1000 + end }))
    }

    /// Tries every window of every length, nanosecond by nanosecond.
    fn tried(length: u64, stops: &[(u64, u64)], window: u64, bounded: bool) -> f64 {
        let still = |t: u64| stops.iter().any(|(start, end)| (*start..*end).contains(&t));
        let longest = if bounded { length } else { window };
        let windows = (window..=longest).flat_map(|w| (0..=length - w).map(move |start| (start, w)));
        windows
            .map(|(start, w)| 1.0 - (start..start + w).filter(|t| still(*t)).count() as f64 / w as f64)
            .fold(1.0, f64::min)
    }

    #[test]
    fn the_table_by_hand() {
        const TWO: &[(u64, u64)] = &[(10, 20), (30, 40)];
        type Row = (u64, &'static [(u64, u64)], u64, f64, f64);
        // span, stops, window, MMU, BMU
        let rows: [Row; 10] = [
            (100, &[], 10, 1.0, 1.0),
            (100, &[(40, 50)], 10, 0.0, 0.0),
            (100, &[(40, 50)], 20, 0.5, 0.5),
            (100, &[(40, 50)], 100, 0.9, 0.9),
            (100, TWO, 20, 0.5, 1.0 / 3.0),
            (100, TWO, 30, 1.0 / 3.0, 1.0 / 3.0),
            (100, TWO, 40, 0.5, 0.5),
            (100, &[(0, 10)], 20, 0.5, 0.5),
            (100, &[(90, 100)], 20, 0.5, 0.5),
            (100, &[(0, 100)], 50, 0.0, 0.0),
        ];
        for (span, stops, window, mmu, bmu) in rows {
            let t = timeline(span, stops);
            let near = |value: Option<f64>, wanted: f64| (value.unwrap() - wanted).abs() < 1e-9;
            assert!(near(t.minimum(window), mmu), "MMU({window}) of {stops:?} is {:?}", t.minimum(window));
            assert!(
                near(t.bounded_minimum(window), bmu),
                "BMU({window}) of {stops:?}: {:?}",
                t.bounded_minimum(window)
            );
        }
    }

    #[test]
    fn both_agree_with_trying_every_window() {
        let mut random = Random::of_thread(7);
        for _ in 0..60 {
            let stops: Vec<_> = (0..random.below(7) + 1)
                .map(|_| {
                    let start = u64::from(random.below(70));
                    (start, (start + 1 + u64::from(random.below(9))).min(72))
                })
                .collect();
            let t = timeline(72, &stops);
            for window in [1, 2, 3, 7, 20, 71, 72] {
                let (mmu, bmu) = (t.minimum(window).unwrap(), t.bounded_minimum(window).unwrap());
                assert!((mmu - tried(72, &stops, window, false)).abs() < 1e-9, "MMU({window}) of {stops:?}: {mmu}");
                assert!((bmu - tried(72, &stops, window, true)).abs() < 1e-9, "BMU({window}) of {stops:?}: {bmu}");
                assert!(bmu <= mmu);
            }
        }
    }

    #[test]
    fn stops_that_overlap_count_once_and_what_lies_outside_does_not_count() {
        let span = Interval { start: 100, end: 200 };
        let stops = [(150, 160), (155, 170), (170, 175), (90, 105), (195, 300), (10, 20), (180, 180)];
        let t = Timeline::new(span, stops.map(|(start, end)| Interval { start, end }));
        assert_eq!(t.stops.len(), 3);
        assert_eq!(t.stopped_until(200), 5 + 25 + 5);
        assert_eq!(t.minimum(25), Some(0.0));
    }

    #[test]
    fn a_window_longer_than_the_run_has_no_answer() {
        let t = timeline(100, &[(10, 20)]);
        assert_eq!((t.minimum(101), t.bounded_minimum(101), t.minimum(0)), (None, None, None));
    }

    #[test]
    fn the_mutator_that_is_worst_off_counts() {
        let all = [timeline(100, &[(10, 20)]), timeline(100, &[(10, 40)]), timeline(100, &[])];
        assert_eq!(least(&all, |t| t.minimum(60)), Some(0.5));
        assert_eq!(least(&[], |t| t.minimum(60)), None);
    }
}
