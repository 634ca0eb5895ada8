//! V8 heap snapshots, read as graphs: sizes, strong and weak edges, and `WeakMap` pairs.
//!
//! ```text
//!   file ─▶ source ─▶ text ─▶ parse ─▶ draft ─▶ Snapshot
//!           unpacks,          walks    checks
//!           bounds            the JSON every figure
//! ```
//!
//! The text is never held: numbers go into columns as they come, and of the strings only those that name a pair are
//! kept. Nothing in the file is believed: a count is a promise to be kept, never a size to allocate.

mod draft;
mod error;
mod oracle;
mod pair;
mod parse;
mod schema;
mod source;

use std::io::Read;

pub use error::{Flaw, SnapshotError};
pub use oracle::{Oracle, OracleError};
pub use source::open;

/// What an edge keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeClass {
    /// It keeps its target.
    Strong,
    /// It keeps nothing.
    Weak,
    /// It is one of the two edges that a producer writes for a `WeakMap` pair; see [`Snapshot::pairs`].
    Half,
}

/// An entry of a `WeakMap`: the value is kept while both table and key are. Nodes are meant by ordinal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The table's node.
    pub table: u32,
    /// The key's node.
    pub key: u32,
    /// The value's node.
    pub value: u32,
}

/// A heap graph as in the file. Nodes go by ordinal, edges by their place in the file, both from 0.
#[derive(Debug)]
pub struct Snapshot {
    self_size: Vec<u64>,
    /// Where each node's edges begin, and one more: where the last one's end.
    first_edge: Vec<u32>,
    edge_to: Vec<u32>,
    edge_class: Vec<EdgeClass>,
    pairs: Vec<Pair>,
}

impl Snapshot {
    /// Reads a snapshot, plain or packed with gzip or Zstandard.
    ///
    /// # Errors
    /// When the input cannot be read, or is not a sound snapshot; see [`SnapshotError`].
    pub fn read(input: impl Read) -> Result<Snapshot, SnapshotError> {
        let allowance = source::Allowance::default();
        allowance.grant(0);
        let text = source::unpack(input, &allowance)?;
        parse::parse(text, &allowance)
    }

    /// How many nodes there are; at least one, the root.
    pub fn node_count(&self) -> u32 {
        self.self_size.len() as u32
    }

    /// How many edges there are, halves of pairs included.
    pub fn edge_count(&self) -> u32 {
        self.edge_to.len() as u32
    }

    /// The node's own size in bytes.
    pub fn self_size(&self, node: u32) -> u64 {
        self.self_size[node as usize]
    }

    /// The node's edges: their places in the file, targets, and classes.
    pub fn edges(&self, node: u32) -> impl Iterator<Item = (u32, u32, EdgeClass)> {
        let [from, to] = [node as usize, node as usize + 1].map(|n| self.first_edge[n]);
        (from..to).map(|e| (e, self.edge_to[e as usize], self.edge_class[e as usize]))
    }

    /// The `WeakMap` pairs, each once, in order.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}
