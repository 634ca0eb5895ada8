//! The heap that a replay runs on: how it is made, and what it tells about itself afterwards.
//!
//! Every other file of the replay knows the heap through references, slots and safepoints alone.

use std::time::Duration;

use orinoco::{Bytes, Heap, HeapConfig, HeapError, Zeal};
use serde::Serialize;

/// What may be chosen about the heap; `None` leaves the heap's own default.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapOptions {
    /// Bytes of heap memory above which allocations are refused.
    pub limit: Option<usize>,
    /// Bytes allocated between two young collections.
    pub nursery: Option<usize>,
    /// Threads that help in collections.
    pub helpers: Option<usize>,
    /// Collect at every safepoint.
    pub zeal: Option<ZealKind>,
    /// Let this seed decide when the heap collects, and how far its phases advance at each safepoint.
    pub seed: Option<u64>,
    /// Walk and check the heap before and after every phase.
    pub verify: bool,
}

/// What moves at every safepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ZealKind {
    /// What is young.
    Young,
    /// Every object, old ones too.
    Everything,
}

/// Unless told otherwise a graph may take this much, or half the machine's memory when that is less: the sizes in a
/// snapshot are claims, and a small file can claim anything.
const LIMIT: usize = 4 << 30;

impl HeapOptions {
    /// The limit in force.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or_else(|| {
            let system = rustix::system::sysinfo();
            let memory = (system.totalram as usize).saturating_mul(system.mem_unit as usize);
            LIMIT.min(memory / 2)
        })
    }

    /// Makes the heap.
    ///
    /// # Errors
    /// When a choice is out of range, or the machine refuses memory or threads.
    pub fn build(&self) -> Result<Heap, HeapError> {
        let mut config = HeapConfig::new().limit(Bytes::new(self.limit())).verify(self.verify);
        if let Some(nursery) = self.nursery {
            config = config.nursery(Bytes::new(nursery));
        }
        if let Some(helpers) = self.helpers {
            config = config.helpers(helpers);
        }
        if let Some(seed) = self.seed {
            config = config.deterministic(seed);
        }
        if let Some(kind) = self.zeal {
            config = config.zeal(match kind {
                ZealKind::Young => Zeal::YOUNG,
                ZealKind::Everything => Zeal::EVERYTHING,
            });
        }
        Heap::new(config)
    }
}

/// Stops of one kind, as the mutators saw them: from the request to running again.
#[derive(Clone, Debug, Serialize)]
pub struct Pauses {
    /// What the stop was for.
    pub kind: &'static str,
    /// How many there were.
    pub count: u64,
    /// Half of them were no longer than this.
    pub p50_ms: f64,
    /// All but one in a hundred were no longer than this.
    pub p99_ms: f64,
    /// None was longer than this.
    pub max_ms: f64,
}

/// What the heap did during a replay.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Young collections.
    pub scavenges: u64,
    /// Collections of the whole heap.
    pub full_collections: u64,
    /// Collections that moved every object.
    pub evacuations: u64,
    /// Bytes copied within the young generation.
    pub bytes_copied: u64,
    /// Bytes that moved to the old generation.
    pub bytes_promoted: u64,
    /// Bytes found dead.
    pub bytes_freed: u64,
    /// The longest stop of any kind.
    pub max_pause_ms: f64,
    /// The stops, by kind.
    pub pauses: Vec<Pauses>,
}

impl Figures {
    /// Reads the heap's statistics.
    pub fn of(heap: &Heap) -> Figures {
        let s = heap.statistics();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let pauses: Vec<Pauses> = s
            .stops
            .iter()
            .map(|(kind, stops)| Pauses {
                kind: kind.name(),
                count: stops.count,
                p50_ms: ms(stops.p50),
                p99_ms: ms(stops.p99),
                max_ms: ms(stops.max),
            })
            .collect();
        Figures {
            scavenges: s.scavenges,
            full_collections: s.full_collections,
            evacuations: s.evacuations,
            bytes_copied: s.bytes_copied,
            bytes_promoted: s.bytes_promoted,
            bytes_freed: s.bytes_freed,
            max_pause_ms: pauses.iter().map(|p| p.max_ms).fold(0.0, f64::max),
            pauses,
        }
    }
}
