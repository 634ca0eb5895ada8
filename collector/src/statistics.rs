//! What a heap tells about itself: counts, bytes, and how long mutators stood still.
use crate::units::Bytes;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Why a mutator stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StopKind {
    /// A young collection.
    Young,
    /// A whole collection in one stop.
    Full,
    /// A young collection that emptied fragmented old regions too.
    Compact,
    /// A stop that moved every object.
    Evacuate,
    /// The stop that starts concurrent marking.
    MarkStart,
    /// The stop that ends concurrent marking.
    MarkFinish,
    /// An incremental step on one mutator.
    Step,
}

impl StopKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Young, Self::Full, Self::Compact, Self::Evacuate, Self::MarkStart, Self::MarkFinish, Self::Step];

    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Young => "scavenge",
            Self::Full => "full",
            Self::Compact => "compact",
            Self::Evacuate => "evacuate",
            Self::MarkStart => "mark start",
            Self::MarkFinish => "mark finish",
            Self::Step => "step",
        }
    }
}

/// The stops of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopSummary {
    /// How many mutators' stops were recorded.
    pub count: u64,
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The 99.9th percentile.
    pub p999: Duration,
    /// The longest.
    pub max: Duration,
    /// All together.
    pub total: Duration,
}

/// A heap's figures at one moment; consistent within each line, not between lines, while mutators run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Young collections, those within other collections included.
    pub scavenges: u64,
    /// Collections of the old generation.
    pub full_collections: u64,
    /// Collections that moved every object.
    pub evacuations: u64,
    /// Young collections that emptied fragmented old regions too.
    pub compactions: u64,
    /// Old regions that they emptied, ever.
    pub regions_emptied: u64,
    /// Old regions that are chosen to be emptied and are not yet.
    pub candidates: u64,
    /// Old regions that the last marking left to be swept.
    pub regions_unswept: u64,
    /// Bytes copied within the young generation, ever.
    pub bytes_copied: u64,
    /// Bytes moved to the old generation, ever.
    pub bytes_promoted: u64,
    /// Bytes found dead in young collections, ever.
    pub bytes_freed: u64,
    /// Bytes marked in collections of the old generation, ever.
    pub bytes_marked: u64,
    /// Regions that became old as they were, ever.
    pub regions_retained: u64,
    /// Entries of weak containers that collections have looked at, ever.
    pub entries_visited: u64,
    /// Values whose drop glue has run, ever.
    pub values_dropped: u64,
    /// Values found dead whose drop glue has not run yet.
    pub values_to_drop: usize,
    /// Bytes of old objects, large ones included.
    pub old_used: Bytes,
    /// Bytes of gaps between old objects that can be used again.
    pub old_free: Bytes,
    /// Bytes of large old objects, whole regions counted.
    pub large_used: Bytes,
    /// Bytes of new and surviving objects, whole buffers counted.
    pub young_used: Bytes,
    /// Memory by space; sums of it are `committed`, and what [`MemoryUsage`] calls `heap_used`, while nobody allocates.
    pub spaces: [SpaceStatistics; 4],
    /// What the system may hold for the heap: memory that can be written, in use or free, with its side bitmaps.
    pub physical: Bytes,
    /// Bytes of regions in use.
    pub committed: Bytes,
    /// What objects own outside of the heap; it counts for the limit.
    pub external: Bytes,
    /// The limit on `committed`.
    pub limit: Bytes,
    /// Stops as mutators saw them, by kind: from the request to running again.
    pub stops: Vec<(StopKind, StopSummary)>,
    /// Work done in the collector's own part of the stops, by kind, without the time to get there.
    pub pauses: Vec<(StopKind, StopSummary)>,
}

/// A part of the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Space {
    /// Where small objects are born.
    #[default]
    Eden,
    /// What has survived one young collection.
    Survivors,
    /// Small objects that have survived more.
    Old,
    /// Objects with regions of their own, of any age.
    Large,
}

/// Memory of one space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceStatistics {
    /// Which.
    pub space: Space,
    /// Bytes of its regions.
    pub committed: Bytes,
    /// Bytes of objects in them, and what was handed out for new ones.
    pub used: Bytes,
}

/// Memory at one glance, in the terms of Node's `process.memoryUsage()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// The process's resident set, if the system tells.
    pub rss: Option<Bytes>,
    /// Regions in use.
    pub heap_total: Bytes,
    /// Objects in them, and what was handed out for new ones.
    pub heap_used: Bytes,
    /// What objects own outside of the heap, as far as their types tell: `Vec`, `String`, boxes, tables, and what the
    /// embedder has declared. Memory of mutators is counted 64 KiB late at most, and at each safepoint.
    pub external: Bytes,
}

/// The process's resident set.
pub(crate) fn resident_set() -> Option<Bytes> {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(Bytes::new(pages * PAGE))
}

/// Histograms, one for each kind of stop.
pub(crate) struct Stops {
    by_kind: [(Histogram<u64>, Duration); StopKind::ALL.len()],
}

impl Default for Stops {
    fn default() -> Self {
        let histogram = || Histogram::new_with_bounds(1, 3_600_000_000_000, 2).expect("constant bounds are valid");
        Self { by_kind: std::array::from_fn(|_| (histogram(), Duration::ZERO)) }
    }
}

impl Stops {
    pub(crate) fn record(&mut self, kind: StopKind, stop: Duration) {
        let (histogram, total) = &mut self.by_kind[kind as usize];
        histogram.saturating_record(u64::try_from(stop.as_nanos()).unwrap_or(u64::MAX));
        *total += stop;
    }
    pub(crate) fn summary(&self) -> Vec<(StopKind, StopSummary)> {
        StopKind::ALL
            .into_iter()
            .filter(|kind| !self.by_kind[*kind as usize].0.is_empty())
            .map(|kind| {
                let (h, total) = &self.by_kind[kind as usize];
                let at = |q| Duration::from_nanos(h.value_at_quantile(q));
                let max = Duration::from_nanos(h.max());
                (kind, StopSummary { count: h.len(), p50: at(0.5), p99: at(0.99), p999: at(0.999), max, total: *total })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_resident_set_is_at_least_this_buffer() {
        let buffer = vec![1u8; 8 << 20];
        assert!(resident_set().is_some_and(|rss| rss >= Bytes::mib(8)), "{}", buffer.len());
    }

    #[test]
    fn a_kind_without_stops_is_left_out_and_the_longest_is_kept() {
        let mut stops = Stops::default();
        stops.record(StopKind::Young, Duration::from_micros(10));
        stops.record(StopKind::Young, Duration::from_millis(3));
        let summary = stops.summary();
        assert_eq!(summary.len(), 1);
        assert_eq!(summary[0].0, StopKind::Young);
        assert_eq!(summary[0].1.count, 2);
        assert!(summary[0].1.max >= Duration::from_millis(3));
    }
}
