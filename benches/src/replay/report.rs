//! What a replay tells, as one JSON object or as a table.

use std::fmt;

use orinoco::Bytes;
use serde::Serialize;

use super::heap::{Figures, ZealKind};

/// How the oracle's figures compare with a plain traversal of the whole graph, before anything is cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OracleVerdict {
    /// There is no oracle.
    None,
    /// Nodes, bytes and the set itself are the same.
    Agrees,
    /// They are not.
    Disagrees,
}

/// The outcome of a replay.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Nodes in the file.
    pub nodes: u64,
    /// Edges in the file.
    pub edges: u64,
    /// Strong edges after the cut.
    pub strong_edges: u64,
    /// Weak edges.
    pub weak_edges: u64,
    /// Entries of `WeakMap`s.
    pub weak_map_entries: u64,
    /// Edges that were cut.
    pub cut_edges: u64,
    /// Nodes that the last walk through the heap met.
    pub reachable_nodes: u64,
    /// The sum of their own bytes.
    pub reachable_self_bytes: u64,
    /// What a plain traversal says of the same graph.
    pub expected_nodes: u64,
    /// The sum of those nodes' own bytes.
    pub expected_self_bytes: u64,
    /// Mutator threads.
    pub threads: usize,
    /// Rounds of churn.
    pub rounds: u64,
    /// Whether every safepoint collected, and what.
    pub zeal: Option<ZealKind>,
    /// Whether the heap's verifier ran.
    pub heap_verifier: bool,
    /// Objects that had to die and were seen to be dead.
    pub deaths_checked: u64,
    /// The oracle beside the file.
    pub oracle: OracleVerdict,
    /// How often heap and model disagreed.
    pub disagreements: u64,
    /// The first disagreement.
    pub first_disagreement: Option<String>,
    /// Everything was checked and agreed.
    pub verified: bool,
    /// Building and churning took so long.
    pub wall_s: f64,
    /// What the heap did.
    #[serde(flatten)]
    pub figures: Figures,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |bytes: u64| Bytes::new(bytes as usize);
        writeln!(f, "graph      {} nodes, {} edges", self.nodes, self.edges)?;
        writeln!(
            f,
            "           {} strong, {} weak, {} cut, {} WeakMap entries (a value is kept by table and key together)",
            self.strong_edges, self.weak_edges, self.cut_edges, self.weak_map_entries
        )?;
        writeln!(f, "reachable  {} nodes, {} bytes", self.reachable_nodes, self.reachable_self_bytes)?;
        let oracle = match self.oracle {
            OracleVerdict::None => "no oracle",
            OracleVerdict::Agrees => "the oracle agrees",
            OracleVerdict::Disagrees => "the oracle disagrees",
        };
        writeln!(
            f,
            "expected   {} nodes, {} bytes; {oracle}; {} deaths checked",
            self.expected_nodes, self.expected_self_bytes, self.deaths_checked
        )?;
        let plural = if self.threads == 1 { "thread" } else { "threads" };
        writeln!(f, "run        {} {plural}, {} rounds, {:.2} s", self.threads, self.rounds, self.wall_s)?;
        let g = &self.figures;
        writeln!(f, "collected  {} scavenges, {} full, {} moving all", g.scavenges, g.full_collections, g.evacuations)?;
        let [copied, promoted, freed] = [g.bytes_copied, g.bytes_promoted, g.bytes_freed].map(size);
        writeln!(f, "           {copied} copied, {promoted} promoted, {freed} freed")?;
        writeln!(f)?;
        writeln!(f, "{:<24} {:>8} {:>10} {:>10} {:>10}", "pauses", "count", "p50 ms", "p99 ms", "max ms")?;
        for p in &g.pauses {
            writeln!(f, "{:<24} {:>8} {:>10.3} {:>10.3} {:>10.3}", p.kind, p.count, p.p50_ms, p.p99_ms, p.max_ms)?;
        }
        writeln!(f)?;
        match &self.first_disagreement {
            None if self.verified => write!(f, "verified"),
            None => write!(f, "NOT VERIFIED"),
            Some(first) => write!(f, "NOT VERIFIED: {} disagreements, first: {first}", self.disagreements),
        }
    }
}
