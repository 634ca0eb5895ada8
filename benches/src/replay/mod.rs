//! The main job: a real heap graph, built on the heap from many threads, churned, and compared with the file.
//!
//! ```text
//!   Snapshot ──cut──▶ Model ──traverse──▶ Reach ◀──── must equal ────┐
//!                       │                   ▲                        │
//!                       │                   └── must equal ── Oracle │
//!                       └──build, N threads──▶ Stage ──rounds──▶ walk through the heap
//! ```
//!
//! The model knows the heap nowhere, and the heap is asked for nothing but references: what survives is told by
//! walking, and what must die by weak cells that must be empty.

mod churn;
mod cut;
mod error;
mod graph;
mod heap;
mod model;
mod report;
mod stage;
mod team;
#[cfg(test)]
mod teeth;
mod verify;

use std::time::Instant;

use orinoco::Bytes;

pub use cut::Cut;
pub use error::ReplayError;
pub use heap::{Figures, HeapOptions, Pauses, ZealKind};
pub use model::{Entry, Model, Reach};
pub use report::{OracleVerdict, Report};

use crate::snapshot::{Oracle, Snapshot};
use churn::Round;
use stage::Stage;
use verify::Findings;

/// How to replay.
#[derive(Clone, Debug)]
pub struct Options {
    /// Mutator threads, at least one.
    pub threads: usize,
    /// Rounds of churn.
    pub rounds: u64,
    /// Makes the churn's choices.
    pub seed: u64,
    /// Edges to cut first.
    pub cut: Option<Cut>,
    /// Bytes of litter in each half of a round; by default half of what the graph takes, 4 to 256 MiB, and an eighth of
    /// that when the heap checks itself or is zealous.
    pub litter: Option<usize>,
    /// The heap.
    pub heap: HeapOptions,
}

impl Default for Options {
    fn default() -> Self {
        Options { threads: 1, rounds: 3, seed: 0, cut: None, litter: None, heap: HeapOptions::default() }
    }
}

/// What a replay is about to do, for whoever waits.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// The graph is being built.
    Building,
    /// It is compared for the first time.
    Comparing,
    /// A round of churn begins, counted from 1.
    Round(u64),
}

/// Work between two polls. It bounds how far a nursery is overshot, and how long others wait for this thread.
const RHYTHM: usize = 64 << 10;
/// Polls of a thread in a phase when each of them collects, which takes as long as the graph is large. A seed, which
/// has some collect, wants as many even of a small graph.
const FEW_POLLS: usize = 8;

/// Replays `snapshot`, compares at every step, and tells what came of it.
///
/// # Errors
/// When the heap cannot be made, the graph does not fit, or a thread cannot be started. A disagreement is no error: see
/// [`Report::verified`].
///
/// # Panics
/// When `options` asks for no thread at all.
pub fn replay(
    snapshot: &Snapshot,
    oracle: Option<&Oracle>,
    options: &Options,
    progress: impl Fn(Progress),
) -> Result<Report, ReplayError> {
    assert!(options.threads > 0, "a replay needs a mutator");
    let model = Model::new(snapshot, options.cut);
    let expected = model.reach_all();
    let needed = footprint(&model);
    let limit = options.heap.limit();
    if needed > limit {
        return Err(ReplayError::TooLarge { needed: Bytes::new(needed), limit: Bytes::new(limit) });
    }
    let oracle = match (oracle, options.cut) {
        (None, _) => OracleVerdict::None,
        (Some(oracle), None) => judge(oracle, &expected),
        (Some(oracle), Some(_)) => judge(oracle, &Model::new(snapshot, None).reach_all()),
    };
    let few = (needed / options.threads / FEW_POLLS).max(1 << 10);
    let rhythm = match options.heap {
        HeapOptions { zeal: Some(_), .. } => few,
        HeapOptions { seed: Some(_), .. } => few.min(RHYTHM),
        _ => RHYTHM,
    };
    // Each collection costs as much as the whole heap then, so there had better be fewer.
    let checked = options.heap.verify || options.heap.zeal.is_some() || options.heap.seed.is_some();
    let litter = options.litter.unwrap_or((needed / 2).clamp(4 << 20, 256 << 20) / if checked { 8 } else { 1 });

    let begun = Instant::now();
    let heap = options.heap.build().map_err(ReplayError::Heap)?;
    progress(Progress::Building);
    let mut stage = Stage::build(&heap, &model, &expected, options.threads, rhythm)?;
    progress(Progress::Comparing);
    let mut lookup = stage.compare(&expected)?;
    for number in 1..=options.rounds {
        progress(Progress::Round(number));
        let round = Round { seed: options.seed, number, whole: &expected, litter };
        lookup = round.play(&mut stage, lookup)?;
    }
    drop(lookup);

    let Findings { nodes, bytes, disagreements, first } = std::mem::take(&mut stage.findings);
    let agrees = (nodes, bytes) == (expected.nodes, expected.bytes) && disagreements == 0;
    let [strong, weak, entries] = model.counts().map(|n| n as u64);
    let [whole, ..] = Model::new(snapshot, None).counts();
    Ok(Report {
        nodes: u64::from(snapshot.node_count()),
        edges: u64::from(snapshot.edge_count()),
        strong_edges: strong,
        weak_edges: weak,
        weak_map_entries: entries,
        cut_edges: whole as u64 - strong,
        reachable_nodes: nodes,
        reachable_self_bytes: bytes,
        expected_nodes: expected.nodes,
        expected_self_bytes: expected.bytes,
        threads: options.threads,
        rounds: options.rounds,
        zeal: options.heap.zeal,
        heap_verifier: options.heap.verify,
        deaths_checked: stage.deaths,
        verified: agrees && oracle != OracleVerdict::Disagrees,
        oracle,
        disagreements,
        first_disagreement: first,
        wall_s: begun.elapsed().as_secs_f64(),
        figures: Figures::of(&heap),
    })
}

fn judge(oracle: &Oracle, reach: &Reach) -> OracleVerdict {
    let same_set = oracle.bitmap_sha256.as_ref().is_none_or(|digest| *digest == reach.digest());
    if same_set && (oracle.nodes, oracle.bytes) == (reach.nodes, reach.bytes) {
        OracleVerdict::Agrees
    } else {
        OracleVerdict::Disagrees
    }
}

/// About what the graph takes on the heap: payloads, and an object with a header for each list.
fn footprint(model: &Model) -> usize {
    let [strong, weak, entries] = model.counts();
    let objects = model.nodes() as usize * 96 + strong * 8 + weak * 40 + entries * 128;
    objects.saturating_add(usize::try_from(model.total_bytes()).unwrap_or(usize::MAX))
}
