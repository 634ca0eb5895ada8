//! A snapshot in the making: takes rows, checks each against what is known so far, and closes the account at the end.
//!
//! ```text
//!            header            begin_nodes … end_nodes          begin_edges … end_edges
//!   nothing ────────▶ header ────────────────────────▶ nodes ────────────────────────▶ edges ──▶ finish
//!                                    begin_strings, after the header at any time ──────────────▲
//! ```

use std::collections::HashMap;

use super::{
    EdgeClass, Flaw, Pair, Snapshot,
    pair::PairName,
    schema::{EdgeKind, Header, Schema},
};

/// Ordinals and edges are kept in 32 bits, and one more than the last must fit too.
const MOST: u64 = u32::MAX as u64 - 1;
/// As much is set aside on the word of a header. What goes beyond grows with what is really read.
const TRUSTED: u64 = 1 << 16;

#[derive(Default)]
pub(super) struct Draft {
    schema: Option<Schema>,
    promised_nodes: u64,
    promised_edges: u64,
    nodes: Stage,
    edges: Stage,
    strings: Stage,

    self_size: Vec<u64>,
    total_size: u64,
    id: Vec<u64>,
    first_edge: Vec<u32>,
    /// The edges that the nodes so far have.
    edge_sum: u64,
    edge_to: Vec<u32>,
    edge_class: Vec<EdgeClass>,
    /// The index of the name of an edge that has a string for a name, or [`NO_NAME`].
    edge_name: Vec<u32>,
    /// The names that read as halves of pairs, by index.
    pair_names: HashMap<u32, PairName>,
    string_count: u64,
    /// The highest index of a string that a node and an edge use, and which one.
    node_string: Option<(u64, u64)>,
    edge_string: Option<(u64, u64)>,
}

const NO_NAME: u32 = u32::MAX;

#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    #[default]
    Absent,
    There,
}

impl Draft {
    pub(super) fn header(&mut self, header: &Header) -> Result<(), Flaw> {
        if self.schema.is_some() {
            return Err(Flaw::Twice("snapshot"));
        }
        for (what, count) in [("nodes", header.node_count), ("edges", header.edge_count)] {
            if count > MOST {
                return Err(Flaw::Absurd { what, count, most: MOST });
            }
        }
        self.promised_nodes = header.node_count;
        self.promised_edges = header.edge_count;
        self.schema = Some(Schema::new(header)?);
        Ok(())
    }

    /// Opens the array of nodes; tells how many numbers make one.
    pub(super) fn begin_nodes(&mut self) -> Result<usize, Flaw> {
        begin(&mut self.nodes, "nodes")?;
        let schema = self.schema.as_ref().ok_or(Flaw::Order { section: "nodes", needs: "snapshot" })?;
        let trusted = self.promised_nodes.min(TRUSTED) as usize;
        self.self_size.reserve(trusted);
        self.id.reserve(trusted);
        self.first_edge.reserve(trusted + 1);
        Ok(schema.node_width)
    }

    pub(super) fn node(&mut self, row: &[u64]) -> Result<(), Flaw> {
        let schema = self.schema.as_ref().expect("begun");
        let index = self.self_size.len() as u64;
        if row.len() < schema.node_width {
            return Err(Flaw::Ragged { what: "nodes", index });
        }
        if index == self.promised_nodes {
            return Err(Flaw::TooMany { what: "nodes", promised: self.promised_nodes });
        }
        let kind = row[schema.node_type];
        if kind >= schema.node_kinds as u64 {
            return Err(Flaw::UnknownType { what: "node", index, kind, count: schema.node_kinds });
        }
        self.node_string = self.node_string.max(Some((row[schema.node_name], index)));
        self.id.push(row[schema.node_id]);
        self.self_size.push(row[schema.node_size]);
        self.total_size = self.total_size.checked_add(row[schema.node_size]).ok_or(Flaw::SizeSum)?;
        self.first_edge.push(self.edge_sum as u32);
        self.edge_sum = self.edge_sum.saturating_add(row[schema.node_edges]);
        if self.edge_sum > self.promised_edges {
            return Err(Flaw::EdgeSum { promised: self.promised_edges, found: self.edge_sum });
        }
        Ok(())
    }

    pub(super) fn end_nodes(&mut self) -> Result<(), Flaw> {
        let found = self.self_size.len() as u64;
        if found != self.promised_nodes {
            return Err(Flaw::TooFew { what: "nodes", promised: self.promised_nodes, found });
        }
        if found == 0 {
            return Err(Flaw::NoRoot);
        }
        if self.edge_sum != self.promised_edges {
            return Err(Flaw::EdgeSum { promised: self.promised_edges, found: self.edge_sum });
        }
        self.first_edge.push(self.edge_sum as u32);
        Ok(())
    }

    /// Opens the array of edges; tells how many numbers make one.
    pub(super) fn begin_edges(&mut self) -> Result<usize, Flaw> {
        begin(&mut self.edges, "edges")?;
        let schema = self.schema.as_ref().ok_or(Flaw::Order { section: "edges", needs: "snapshot" })?;
        if self.nodes == Stage::Absent {
            return Err(Flaw::Order { section: "edges", needs: "nodes" });
        }
        let trusted = self.promised_edges.min(TRUSTED) as usize;
        self.edge_to.reserve(trusted);
        self.edge_class.reserve(trusted);
        self.edge_name.reserve(trusted);
        Ok(schema.edge_width)
    }

    pub(super) fn edge(&mut self, row: &[u64]) -> Result<(), Flaw> {
        let schema = self.schema.as_ref().expect("begun");
        let edge = self.edge_to.len() as u64;
        if row.len() < schema.edge_width {
            return Err(Flaw::Ragged { what: "edges", index: edge });
        }
        if edge == self.promised_edges {
            return Err(Flaw::TooMany { what: "edges", promised: self.promised_edges });
        }
        let (kind, name, to) = (row[schema.edge_type], row[schema.edge_name], row[schema.edge_to]);
        let Some(&kind) = usize::try_from(kind).ok().and_then(|k| schema.edge_kinds.get(k)) else {
            return Err(Flaw::UnknownType { what: "edge", index: edge, kind, count: schema.edge_kinds.len() });
        };
        let width = schema.node_width;
        if !to.is_multiple_of(width as u64) {
            return Err(Flaw::EdgeInsideNode { edge, to, width });
        }
        let target = to / width as u64;
        if target >= self.promised_nodes {
            return Err(Flaw::EdgeOutOfRange { edge, to, end: self.promised_nodes * width as u64 });
        }
        if kind == EdgeKind::Named {
            self.edge_string = self.edge_string.max(Some((name, edge)));
        }
        // An index that does not fit is out of range; `finish` says so.
        let named = kind == EdgeKind::Named && name < u64::from(NO_NAME);
        self.edge_name.push(if named { name as u32 } else { NO_NAME });
        self.edge_to.push(target as u32);
        self.edge_class.push(if kind == EdgeKind::Weak { EdgeClass::Weak } else { EdgeClass::Strong });
        Ok(())
    }

    pub(super) fn end_edges(&mut self) -> Result<(), Flaw> {
        let found = self.edge_to.len() as u64;
        if found != self.promised_edges {
            return Err(Flaw::TooFew { what: "edges", promised: self.promised_edges, found });
        }
        Ok(())
    }

    pub(super) fn begin_strings(&mut self) -> Result<(), Flaw> {
        begin(&mut self.strings, "strings")
    }

    pub(super) fn string(&mut self, bytes: &[u8]) {
        if let (Ok(index), Some(pair)) = (u32::try_from(self.string_count), PairName::parse(bytes)) {
            self.pair_names.insert(index, pair);
        }
        self.string_count += 1;
    }

    pub(super) fn finish(mut self) -> Result<Snapshot, Flaw> {
        if self.schema.is_none() {
            return Err(Flaw::Missing("snapshot"));
        }
        for (stage, section) in [(self.nodes, "nodes"), (self.edges, "edges"), (self.strings, "strings")] {
            if stage == Stage::Absent {
                return Err(Flaw::Missing(section));
            }
        }
        for (what, highest) in [("node", self.node_string), ("edge", self.edge_string)] {
            if let Some((string, index)) = highest.filter(|(string, _)| *string >= self.string_count) {
                return Err(Flaw::StringOutOfRange { what, index, string, count: self.string_count });
            }
        }
        let pairs = self.find_pairs();
        let Draft { self_size, first_edge, edge_to, edge_class, .. } = self;
        Ok(Snapshot { self_size, first_edge, edge_to, edge_class, pairs })
    }

    /// Tells the halves of pairs from edges: the name must agree with both ends, and the node that it names besides
    /// must exist. An edge that is merely called so stays an edge.
    fn find_pairs(&mut self) -> Vec<Pair> {
        let mut ordinal_of: HashMap<u64, Option<u32>> = HashMap::new();
        for name in self.pair_names.values() {
            ordinal_of.extend(name.keys.iter().chain([&name.table]).map(|id| (*id, None)));
        }
        for (ordinal, id) in self.id.iter().enumerate() {
            if let Some(place @ None) = ordinal_of.get_mut(id) {
                *place = Some(ordinal as u32);
            }
        }
        let find = |id: &u64| ordinal_of.get(id).copied().flatten();
        let mut pairs = Vec::new();
        for source in 0..self.id.len() {
            for edge in self.first_edge[source] as usize..self.first_edge[source + 1] as usize {
                let (Some(name), EdgeClass::Strong) =
                    (self.pair_names.get(&self.edge_name[edge]), self.edge_class[edge])
                else {
                    continue;
                };
                let (from, value) = (self.id[source], self.edge_to[edge]);
                if self.id[value as usize] != name.value {
                    continue;
                }
                let (table, key) = if from == name.table {
                    (Some(source as u32), name.keys.iter().rev().find_map(find))
                } else if name.keys.contains(&from) {
                    (find(&name.table), Some(source as u32))
                } else {
                    continue;
                };
                if let (Some(table), Some(key)) = (table, key) {
                    self.edge_class[edge] = EdgeClass::Half;
                    pairs.push(Pair { table, key, value });
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

fn begin(stage: &mut Stage, section: &'static str) -> Result<(), Flaw> {
    if *stage == Stage::There {
        return Err(Flaw::Twice(section));
    }
    *stage = Stage::There;
    Ok(())
}
