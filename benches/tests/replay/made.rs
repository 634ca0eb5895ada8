//! Snapshots made by hand, in the shape in which V8 writes them.

use orinoco_benches::snapshot::{Snapshot, SnapshotError};
use serde_json::{Value, json};

/// A node's own bytes, and its edges: type, name, target.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub size: u64,
    pub edges: Vec<(&'static str, String, u32)>,
}

/// A graph to be written as a snapshot. Node *n* has the id 2*n* + 1, as in V8.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub nodes: Vec<Node>,
}

const NODE_FIELDS: [&str; 6] = ["type", "name", "id", "self_size", "edge_count", "detachedness"];
const EDGE_TYPES: [&str; 7] = ["context", "element", "property", "internal", "hidden", "shortcut", "weak"];

impl Made {
    /// Adds a node; tells its ordinal.
    pub fn node(&mut self, size: u64) -> u32 {
        self.nodes.push(Node { size, edges: Vec::new() });
        self.nodes.len() as u32 - 1
    }

    /// Adds an edge.
    pub fn edge(&mut self, from: u32, kind: &'static str, to: u32) {
        let name = format!("e{}", self.nodes[from as usize].edges.len());
        self.nodes[from as usize].edges.push((kind, name, to));
    }

    /// Adds the two halves of a `WeakMap`'s entry.
    pub fn pair(&mut self, table: u32, key: u32, value: u32) {
        for from in [table, key] {
            self.half(from, table, key, value);
        }
    }

    /// Adds one half of an entry, at its table or at its key.
    pub fn half(&mut self, from: u32, table: u32, key: u32, value: u32) {
        let [t, k, v] = [table, key, value].map(|n| 2 * n + 1);
        let edges = &mut self.nodes[from as usize].edges;
        let name =
            format!("{} / part of key (Key @{k}) -> value (Value @{v}) pair in WeakMap (table @{t})", edges.len() + 1);
        edges.push(("internal", name, value));
    }

    /// The snapshot's JSON.
    pub fn json(&self) -> Value {
        let mut strings = vec![String::from("<dummy>")];
        let [mut nodes, mut edges] = [vec![], vec![]];
        for (ordinal, node) in self.nodes.iter().enumerate() {
            let row = [3, 0, 2 * ordinal as u64 + 1, node.size, node.edges.len() as u64, 0];
            nodes.extend(row);
            for (at, (kind, name, to)) in node.edges.iter().enumerate() {
                let kind = EDGE_TYPES.iter().position(|t| t == kind).expect("a type of V8's");
                let name = if matches!(EDGE_TYPES[kind], "element" | "hidden") {
                    at as u64
                } else {
                    strings.push(name.clone());
                    strings.len() as u64 - 1
                };
                edges.extend([kind as u64, name, u64::from(*to) * NODE_FIELDS.len() as u64]);
            }
        }
        json!({
            "snapshot": {
                "meta": {
                    "node_fields": NODE_FIELDS,
                    "node_types": [["hidden", "array", "string", "object"], "string", "number", "number", "number", "number"],
                    "edge_fields": ["type", "name_or_index", "to_node"],
                    "edge_types": [EDGE_TYPES, "string_or_number", "node"],
                },
                "node_count": self.nodes.len(),
                "edge_count": edges.len() / 3,
                "trace_function_count": 0,
            },
            "nodes": nodes,
            "edges": edges,
            "trace_tree": [1, [2, [3]]],
            "locations": [],
            "strings": strings,
        })
    }

    /// The snapshot's text, its sections in the order in which V8 writes them.
    pub fn text(&self) -> String {
        write(&self.json())
    }

    /// The snapshot, read.
    pub fn read(&self) -> Snapshot {
        read(&self.json()).expect("the snapshot is sound")
    }
}

/// Writes sections in V8's order; a JSON object would have them sorted by name.
pub fn write(snapshot: &Value) -> String {
    let mut text = String::from("{");
    for section in ["snapshot", "nodes", "edges", "trace_tree", "locations", "strings"] {
        if let Some(value) = snapshot.get(section) {
            text += &format!("{}\"{section}\":{value}", if text.len() > 1 { ",\n" } else { "" });
        }
    }
    text + "}"
}

/// Reads a snapshot from its JSON.
pub fn read(snapshot: &Value) -> Result<Snapshot, SnapshotError> {
    Snapshot::read(write(snapshot).as_bytes())
}

/// A root, a node, and an edge between them.
pub fn small() -> Made {
    let mut made = Made::default();
    let [root, node] = [16, 24].map(|size| made.node(size));
    made.edge(root, "property", node);
    made
}
