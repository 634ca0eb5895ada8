//! The graph that the heap must agree with, and what of it survives: a plain traversal on plain arrays.
//!
//! Invariants:
//! - M1: lists keep the order of the file, so slot *i* of a node on the heap is link *i* here.
//! - M2: an entry's table and key are fixed; its values are distinct and in order.

use fixedbitset::FixedBitSet;
use sha2::{Digest, Sha256};

use super::cut::Cut;
use crate::snapshot::{EdgeClass, Snapshot};

/// What a table says about a key. A producer writes one value for each, but nothing keeps a file from having more.
#[derive(Debug)]
pub struct Entry {
    /// The table's ordinal.
    pub table: u32,
    /// The key's ordinal.
    pub key: u32,
    /// The values' ordinals, kept while table and key are.
    pub values: Vec<u32>,
}

/// A graph after the cut, in the three ways in which its nodes refer to each other.
#[derive(Debug)]
pub struct Model {
    size: Vec<u64>,
    strong: Lists,
    weak: Lists,
    entries: Vec<Entry>,
    /// The entries of each table and of each key.
    of_table: Lists,
    of_key: Lists,
    total_bytes: u64,
}

/// A set of surviving nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The nodes, by ordinal.
    pub set: FixedBitSet,
    /// How many they are.
    pub nodes: u64,
    /// The sum of their sizes as in the file.
    pub bytes: u64,
}

impl Model {
    /// The graph of `snapshot` without the edges that `cut` takes. Weak edges and halves of pairs are never cut.
    pub fn new(snapshot: &Snapshot, cut: Option<Cut>) -> Model {
        let nodes = snapshot.node_count();
        let edges = |class| {
            let kept = move |e: &(u32, u32, EdgeClass)| {
                e.2 == class && !(class == EdgeClass::Strong && cut.is_some_and(|c| c.takes(e.0)))
            };
            (0..nodes).flat_map(move |n| snapshot.edges(n).filter(kept).map(move |(_, to, _)| (n, to)))
        };
        let mut entries: Vec<Entry> = Vec::new();
        for pair in snapshot.pairs() {
            match entries.last_mut() {
                Some(last) if (last.table, last.key) == (pair.table, pair.key) => last.values.push(pair.value),
                _ => entries.push(Entry { table: pair.table, key: pair.key, values: vec![pair.value] }),
            }
        }
        let numbered = || (0u32..).zip(&entries);
        Model {
            size: (0..nodes).map(|n| snapshot.self_size(n)).collect(),
            strong: Lists::new(nodes, || edges(EdgeClass::Strong)),
            weak: Lists::new(nodes, || edges(EdgeClass::Weak)),
            of_table: Lists::new(nodes, || numbered().map(|(i, e)| (e.table, i))),
            of_key: Lists::new(nodes, || numbered().map(|(i, e)| (e.key, i))),
            total_bytes: (0..nodes).map(|n| snapshot.self_size(n)).sum(),
            entries,
        }
    }

    /// How many nodes there are, reachable or not.
    pub fn nodes(&self) -> u32 {
        self.size.len() as u32
    }

    /// The sum of all nodes' sizes.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// How many edges are left after the cut: strong, weak, and entries of tables.
    pub fn counts(&self) -> [usize; 3] {
        [self.strong.to.len(), self.weak.to.len(), self.entries.len()]
    }

    /// A node's own bytes.
    pub fn size(&self, node: u32) -> usize {
        self.size[node as usize] as usize
    }

    /// The nodes that `node` keeps.
    pub fn strong(&self, node: u32) -> &[u32] {
        self.strong.of(node)
    }

    /// The nodes that `node` knows and does not keep.
    pub fn weak(&self, node: u32) -> &[u32] {
        self.weak.of(node)
    }

    /// The entries of the table `node`.
    pub fn entries_of(&self, node: u32) -> impl Iterator<Item = &Entry> {
        self.of_table.of(node).iter().map(|e| &self.entries[*e as usize])
    }

    /// The entries in which `node` is the key.
    pub fn entries_for(&self, node: u32) -> impl Iterator<Item = &Entry> {
        self.of_key.of(node).iter().map(|e| &self.entries[*e as usize])
    }

    /// What survives when no edge leads to the nodes of `without` any more.
    pub fn reach(&self, without: &FixedBitSet) -> Reach {
        let mut set = FixedBitSet::with_capacity(self.size.len());
        set.insert(0);
        let mut stack = vec![0];
        let mut bytes = 0;
        while let Some(node) = stack.pop() {
            bytes += self.size[node as usize];
            // Whichever of table and key comes off the stack later finds the other one in the set.
            let held = |e: &&Entry| set.contains(e.table as usize) && set.contains(e.key as usize);
            let entries = self.entries_of(node).chain(self.entries_for(node)).filter(held);
            let values: Vec<u32> = entries.flat_map(|e| &e.values).copied().collect();
            for to in self.strong(node).iter().chain(&values) {
                if !without.contains(*to as usize) && !set.put(*to as usize) {
                    stack.push(*to);
                }
            }
        }
        Reach { nodes: set.count_ones(..) as u64, set, bytes }
    }

    /// What survives of the whole graph.
    pub fn reach_all(&self) -> Reach {
        self.reach(&FixedBitSet::new())
    }
}

impl Reach {
    /// Whether the node survives.
    pub fn has(&self, node: u32) -> bool {
        self.set.contains(node as usize)
    }

    /// The digest that an oracle gives: SHA-256 over one bit a node, the lowest bit of a byte first.
    pub fn digest(&self) -> String {
        let mut packed: Vec<u8> = self.set.as_slice().iter().flat_map(|word| word.to_le_bytes()).collect();
        packed.truncate(self.set.len().div_ceil(8));
        Sha256::digest(packed).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// For each node a list, all in one array.
#[derive(Debug)]
struct Lists {
    first: Vec<u32>,
    to: Vec<u32>,
}

impl Lists {
    /// Sorts arrows by their source; those of one source keep their order.
    fn new<I: Iterator<Item = (u32, u32)>>(nodes: u32, arrows: impl Fn() -> I) -> Lists {
        let mut first = vec![0; nodes as usize + 1];
        for (from, _) in arrows() {
            first[from as usize + 1] += 1;
        }
        for n in 1..first.len() {
            first[n] += first[n - 1];
        }
        let mut next = first.clone();
        let mut to = vec![0; first[nodes as usize] as usize];
        for (from, target) in arrows() {
            let place = &mut next[from as usize];
            to[*place as usize] = target;
            *place += 1;
        }
        Lists { first, to }
    }

    fn of(&self, node: u32) -> &[u32] {
        &self.to[self.first[node as usize] as usize..self.first[node as usize + 1] as usize]
    }
}
