//! Compares what the heap holds with what the model says, object by object and field by field.
//!
//! The walk goes from the root through the heap itself, with nothing but references: strong fields, and the values of
//! entries whose table and key it has met. It polls like any mutator, so objects move under it.
//!
//! Invariants:
//! - V1: nobody else runs during a walk, so what it sees is one state of the graph.
//! - V2: an object is put on the stack once, when the walk first arrives at it; so two objects that claim one ordinal
//!   are both looked at, and told.

use fixedbitset::FixedBitSet;
use orinoco::{Cx, Gc, Root};

use super::{
    error::ReplayError,
    graph::{Directory, Node, pattern},
    model::{Model, Reach},
    team::{Runner, Step, Vm, steps},
};

/// Where to begin, and what must be there.
pub struct Walk<'a> {
    /// The graph.
    pub model: &'a Model,
    /// The part of it that must be reachable; the rest must not be.
    pub expected: &'a Reach,
    /// The root on the heap.
    pub root: &'a Root<Node<'static>>,
    /// Takes the nodes that are met.
    pub directory: &'a Root<Directory<'static>>,
    /// A number that no earlier walk had.
    pub number: u32,
    /// Bytes of work between two polls.
    pub rhythm: usize,
}

/// What the walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Nodes met.
    pub nodes: u64,
    /// The sum of their own bytes, as the heap has them.
    pub bytes: u64,
    /// How often heap and model disagree.
    pub disagreements: u64,
    /// The first disagreement, in words.
    pub first: Option<String>,
}

impl Findings {
    /// Notes a disagreement.
    pub fn disagree(&mut self, words: impl FnOnce() -> String) {
        self.disagreements += 1;
        self.first.get_or_insert_with(words);
    }

    /// Adds the disagreements of `other`; the counts become the later ones.
    pub fn follow(&mut self, other: Findings) {
        let first = self.first.take().or(other.first);
        *self = Findings { disagreements: self.disagreements + other.disagreements, first, ..other };
    }
}

impl Walk<'_> {
    /// Walks the heap.
    ///
    /// # Errors
    /// When the heap is full; comparing needs next to nothing, the heap's own work may.
    pub fn run(&self, m: &mut Runner) -> Result<Findings, ReplayError> {
        let mut state = State { walk: self, met: self.empty_set(), found: Findings::default() };
        {
            let (cx, vm) = m.split();
            let root = self.root.get(cx);
            root.arrive(self.number);
            vm.stack.push(root);
        }
        steps(m, self.rhythm, |cx, vm| Ok(vm.stack.pop().map_or(Step::Done, |node| state.look_at(cx, vm, node))))?;
        steps(m, self.rhythm, |cx, vm| {
            Ok(vm.weak_hosts.pop().map_or(Step::Done, |node| state.look_at_weak(cx, node)))
        })?;
        m.split().1.met.clear();
        let State { met, mut found, .. } = state;
        for gone in self.expected.set.difference(&met) {
            found.disagree(|| format!("node {gone} is gone"));
        }
        Ok(found)
    }

    fn empty_set(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.model.nodes() as usize)
    }
}

struct State<'a, 'w> {
    walk: &'a Walk<'w>,
    met: FixedBitSet,
    found: Findings,
}

impl State<'_, '_> {
    fn look_at<'gc>(&mut self, cx: &'gc Cx, vm: &mut Vm<'gc>, node: Gc<'gc, Node<'gc>>) -> Step {
        let (model, ordinal) = (self.walk.model, node.ordinal);
        if ordinal >= model.nodes() {
            self.found.disagree(|| format!("something that is no node is reachable; it says {ordinal}"));
            return Step::Spent(1);
        }
        if self.met.put(ordinal as usize) {
            self.found.disagree(|| format!("two objects stand for node {ordinal}"));
        }
        if !self.walk.expected.has(ordinal) {
            self.found.disagree(|| format!("node {ordinal} is reachable and should be dead"));
        }
        let payload: &[u8] = node.payload.map_or(&[], Gc::get);
        self.found.nodes += 1;
        self.found.bytes += payload.len() as u64;
        let sound = payload.iter().enumerate().all(|(at, byte)| *byte == pattern(ordinal, at));
        if payload.len() != model.size(ordinal) || !sound {
            self.found.disagree(|| format!("the bytes of node {ordinal} are not its own"));
        }
        let (fields, to) = (Node::fields(node), model.strong(ordinal));
        if fields.len() != to.len() || Node::weak_fields(node).len() != model.weak(ordinal).len() {
            self.found.disagree(|| format!("node {ordinal} has another number of edges"));
        }
        for (at, (field, to)) in fields.iter().zip(to).enumerate() {
            self.follow(vm, field.get(), *to, || format!("edge {at} of node {ordinal}"));
        }
        if node.weak.is_some() || node.table.is_some() {
            vm.weak_hosts.push(node);
        }
        self.look_at_entries(cx, vm, node);
        self.walk.directory.get(cx).set(cx, ordinal, Some(node));
        Step::Spent(payload.len() + 8 * fields.len() + 64)
    }

    /// Follows the entries of which this node is the second half to be met.
    fn look_at_entries<'gc>(&mut self, cx: &'gc Cx, vm: &mut Vm<'gc>, node: Gc<'gc, Node<'gc>>) {
        let model = self.walk.model;
        for entry in model.entries_of(node.ordinal).chain(model.entries_for(node.ordinal)) {
            vm.met.insert(node.ordinal, node);
            let (Some(host), Some(key)) = (vm.met.get(&entry.table), vm.met.get(&entry.key)) else { continue };
            let words = || format!("the entry of key {} in table {}", entry.key, entry.table);
            let Some(values) = host.table.and_then(|table| table.get(cx, *key)) else {
                self.found.disagree(|| format!("{} is gone", words()));
                continue;
            };
            if values.len() != entry.values.len() {
                self.found.disagree(|| format!("{} has another number of values", words()));
            }
            for (field, to) in Gc::get(values).iter().zip(&entry.values) {
                self.follow(vm, field.get(), *to, words);
            }
        }
    }

    /// A reference must be there if its target is to live, and then to the right node.
    fn follow<'gc>(
        &mut self,
        vm: &mut Vm<'gc>,
        found: Option<Gc<'gc, Node<'gc>>>,
        to: u32,
        place: impl FnOnce() -> String,
    ) {
        let right = found.map(|node| node.ordinal) == self.walk.expected.has(to).then_some(to);
        if !right {
            self.found.disagree(|| match found {
                Some(node) => format!("{} leads to node {}, not {to}", place(), node.ordinal),
                None => format!("{} is empty, not {to}", place()),
            });
        }
        if let Some(node) = found.filter(|node| node.arrive(self.walk.number)) {
            vm.stack.push(node);
        }
    }

    /// When the walk is over: a weak field leads to what the walk has met, or nowhere, and a table has an entry for
    /// each key that lives, and no more.
    fn look_at_weak<'gc>(&mut self, cx: &'gc Cx, node: Gc<'gc, Node<'gc>>) -> Step {
        let (model, ordinal) = (self.walk.model, node.ordinal);
        let fields = Node::weak_fields(node);
        for (at, (field, to)) in fields.iter().zip(model.weak(ordinal)).enumerate() {
            let found = field.get().and_then(|cell| cell.peek(cx));
            let right = match found {
                Some(node) => node.ordinal == *to && node.was_seen(self.walk.number),
                None => !self.walk.expected.has(*to),
            };
            if !right {
                let found = found.map(|node| node.ordinal);
                self.found.disagree(|| format!("weak edge {at} of node {ordinal}, to {to}, leads to {found:?}"));
            }
        }
        if let Some(table) = node.table {
            let live = model.entries_of(ordinal).filter(|entry| self.walk.expected.has(entry.key)).count();
            if table.len(cx) != live {
                let found = table.len(cx);
                self.found.disagree(|| format!("table {ordinal} has {found} entries, not {live}"));
            }
        }
        Step::Spent(8 * fields.len() + 64)
    }
}
