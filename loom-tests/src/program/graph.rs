//! The plain graph: what a heap should hold. It never frees, and its numbers are the objects' names.

use std::collections::HashSet;

/// An object's number.
pub type Name = usize;

/// Fields of a thing.
pub const FIELDS: usize = 3;
/// References that a mutator holds in its root structure.
pub const REGISTERS: usize = 6;

/// What an object should hold.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its fields, if it is a thing.
    pub fields: [Option<Name>; FIELDS],
    /// A reference that was written at birth, and never again.
    pub fixed: Option<Name>,
    /// The row that it refers to.
    pub row: Option<Name>,
    /// The things under its lock.
    pub bag: Vec<Name>,
    /// The thing that it refers to weakly.
    pub weak: Option<Name>,
    /// The elements, if it is a row.
    pub elements: Vec<Option<Name>>,
    /// The identity hash, once somebody asked for it.
    pub hash: Option<u64>,
}

impl Node {
    fn targets(&self) -> impl Iterator<Item = Name> + '_ {
        let one = self.fields.iter().chain([&self.fixed, &self.row]).chain(&self.elements).flatten();
        one.chain(&self.bag).copied()
    }
}

/// Everything that was ever made.
#[derive(Default)]
pub struct Graph {
    /// By name.
    pub nodes: Vec<Node>,
    /// For each mutator, the things in its registers; a mutator that left has none.
    pub registers: Vec<[Option<Name>; REGISTERS]>,
    /// For each mutator, the row in its register.
    pub rows: Vec<Option<Name>>,
    /// What is held by roots that are owned.
    pub roots: Vec<Name>,
    /// Key and value of the weak map; the value is a thing, or nothing but a number.
    pub map: Vec<(Name, Option<Name>)>,
    /// Whom the registry waits for.
    pub registered: Vec<Name>,
    /// Who was said to be dead; nobody may see them again.
    pub dead: HashSet<Name>,
}

impl Graph {
    /// A new object.
    pub fn add(&mut self, node: Node) -> Name {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
    /// All that can be reached: from the roots, and through values of the weak map whose keys can be.
    pub fn reachable(&self) -> HashSet<Name> {
        let mut seen = HashSet::new();
        let registers = self.registers.iter().flatten().chain(&self.rows).flatten();
        let mut todo: Vec<Name> = registers.chain(&self.roots).copied().collect();
        loop {
            while let Some(name) = todo.pop() {
                if seen.insert(name) {
                    todo.extend(self.nodes[name].targets());
                }
            }
            let live = self.map.iter().filter(|(key, _)| seen.contains(key)).filter_map(|(_, value)| *value);
            todo.extend(live.filter(|value| !seen.contains(value)));
            if todo.is_empty() {
                return seen;
            }
        }
    }
}
