//! The heap that a program works on, beside the graph; and the comparison of the two.

use super::Done;
use super::bytes::Bytes;
use super::graph::{FIELDS, Graph, Name, REGISTERS};
use orinoco::{
    Attached, Cx, Field, FinalizationRegistry, Gc, Heap, HeapConfig, Lock, Mutator, Root, Slot, Trace, Weak, WeakMap,
    Zeal,
};
use std::collections::{HashMap, HashSet};

/// An object with every kind of edge.
#[derive(Trace)]
pub struct Thing<'gc> {
    pub name: Name,
    pub fields: [Field<'gc, Thing<'gc>>; FIELDS],
    pub fixed: Option<Gc<'gc, Thing<'gc>>>,
    pub row: Slot<Option<Row<'gc>>>,
    pub bag: Lock<Vec<Gc<'gc, Thing<'gc>>>>,
    pub weak: Slot<Option<Weak<'gc, Thing<'gc>>>>,
    /// Has drop glue, and says the name again: what is dropped early or twice does not agree.
    pub text: String,
}

/// A place of a row.
pub type Place<'gc> = Slot<Option<Gc<'gc, Thing<'gc>>>>;
/// An array of references; some are large objects.
pub type Row<'gc> = Gc<'gc, [Place<'gc>]>;
/// From things to things; neither keeps a key alive.
pub type Map<'gc> = WeakMap<Thing<'gc>, Option<Gc<'gc, Thing<'gc>>>>;
/// Says which things have died.
pub type Registry = FinalizationRegistry<u64>;

/// What a mutator holds.
#[derive(Trace, Default)]
pub struct Registers<'gc> {
    pub things: [Option<Gc<'gc, Thing<'gc>>>; REGISTERS],
    pub row: Option<Row<'gc>>,
}

/// Too short for anything.
const SHORT: std::time::Duration = std::time::Duration::from_micros(100);

/// A heap, its mutators, and the graph that it should hold.
pub struct World {
    pub done: Done,
    pub graph: Graph,
    /// By number; one that left leaves its place.
    pub mutators: Vec<Option<Attached<Registers<'static>>>>,
    /// With the names in `graph.roots`.
    pub roots: Vec<Root<Thing<'static>>>,
    pub map: Root<Map<'static>>,
    pub registry: Root<Registry>,
    pub heap: Heap,
}

impl World {
    /// A heap as the first bytes say.
    pub fn new(bytes: &mut Bytes<'_>) -> Self {
        let config = HeapConfig::new()
            .limit(orinoco::Bytes::mib(2 << bytes.below(4)))
            .nursery(orinoco::Bytes::kib(256 << bytes.below(3)))
            .initial_old(orinoco::Bytes::kib(256 << bytes.below(4)))
            .helpers(bytes.below(3))
            .concurrent_marking(bytes.below(4) != 0)
            .zeal([Zeal::OFF, Zeal::OFF, Zeal::YOUNG, Zeal::EVERYTHING][bytes.below(4)])
            .verify(bytes.below(8) != 0);
        let config = match bytes.below(4) {
            // A pause that never has time: marking returns from its finishing stop, copies are retained.
            0 => config.pause_target(SHORT).step_cap(SHORT),
            1 => config.deterministic(u64::from(bytes.byte())),
            _ => config,
        };
        let heap = Heap::new(config).expect("the configuration is in range");
        let (map, registry) = heap.enter((), |m: &mut Mutator<()>| {
            let cx: &Cx = m;
            (cx.root(Map::new(cx)), cx.root(Registry::new(cx)))
        });
        let mut world = Self {
            done: Done::default(),
            graph: Graph::default(),
            mutators: Vec::new(),
            roots: Vec::new(),
            map,
            registry,
            heap,
        };
        world.attach();
        world
    }
    /// A mutator more.
    pub fn attach(&mut self) {
        self.mutators.push(Some(self.heap.attach(Registers::default())));
        self.graph.registers.push([None; REGISTERS]);
        self.graph.rows.push(None);
    }
    /// A mutator less.
    pub fn detach(&mut self, number: usize) {
        self.mutators[number] = None;
        self.graph.registers[number] = [None; REGISTERS];
        self.graph.rows[number] = None;
    }
    /// The last collection, the last comparison, and the end of the heap.
    pub fn end(mut self) -> Done {
        let number = self.mutators.iter().position(Option::is_some).unwrap_or_else(|| {
            self.attach();
            self.mutators.len() - 1
        });
        self.mutators[number].as_mut().expect("it is there").run(|m| m.collect());
        self.done.collections += 1;
        self.compare(true);
        self.done
    }

    /// Everything that is reachable is there and as it should be, and nothing that was said to be dead is. After a full
    /// collection the dead are known to be. Nothing moves meanwhile: no window has a safepoint.
    pub fn compare(&mut self, all_dead_are_known: bool) {
        let mut addresses = Addresses::default();
        for number in 0..self.mutators.len() {
            let (things, row) = (self.graph.registers[number], self.graph.rows[number]);
            let Some(mutator) = &mut self.mutators[number] else { continue };
            mutator.run(|m| {
                let (cx, registers) = m.split();
                let mut walk = Walk::new(cx, &self.graph, &mut addresses);
                registers.things.iter().zip(things).for_each(|(thing, name)| walk.thing(*thing, name));
                walk.row(registers.row, row);
                walk.go();
            });
        }
        let heap = self.heap.clone();
        heap.enter((), |m: &mut Mutator<()>| {
            let cx: &Cx = m;
            let mut walk = Walk::new(cx, &self.graph, &mut addresses);
            self.roots
                .iter()
                .zip(&self.graph.roots)
                .for_each(|(root, name)| walk.thing(Some(root.get(cx)), Some(*name)));
            walk.go();
            self.compare_weak(cx, all_dead_are_known);
        });
        self.done.compared += addresses.compared;
    }
    /// What the weak map and the registry say of the dead.
    fn compare_weak(&mut self, cx: &Cx, all_dead_are_known: bool) {
        let reachable = self.graph.reachable();
        let graph = &mut self.graph;
        let entries = self.map.get(cx).len(cx);
        let known = graph.map.iter().filter(|(key, _)| reachable.contains(key)).count();
        assert!(entries >= known, "an entry of the weak map is lost");
        assert!(!all_dead_are_known || entries == known, "an entry of the weak map outlived its key");
        while let Some(dead) = self.registry.get(cx).poll(cx) {
            let dead = usize::try_from(dead).expect("a name");
            assert!(!reachable.contains(&dead), "{dead} is said to be dead and can be reached");
            let at = graph.registered.iter().position(|name| *name == dead);
            graph.registered.swap_remove(at.expect("each death is told once"));
            graph.dead.insert(dead);
        }
        let untold = graph.registered.iter().find(|name| !reachable.contains(name));
        assert!(!all_dead_are_known || untold.is_none(), "the death of {untold:?} was not told");
    }
}

/// Where each name is. In all windows together, one name is one object.
#[derive(Default)]
struct Addresses {
    of: HashMap<Name, usize>,
    at: HashMap<usize, Name>,
    compared: u64,
}

impl Addresses {
    fn meet(&mut self, name: Name, address: usize) {
        let before = *self.of.entry(name).or_insert(address);
        assert_eq!(before, address, "{name} is two objects");
        let there = *self.at.entry(address).or_insert(name);
        assert_eq!(there, name, "one object is {name} and another");
    }
}

/// A walk over the heap and the graph, side by side, in one window.
struct Walk<'a, 'gc> {
    cx: &'gc Cx,
    graph: &'a Graph,
    addresses: &'a mut Addresses,
    seen: HashSet<Name>,
    things: Vec<(Gc<'gc, Thing<'gc>>, Name)>,
    rows: Vec<(Row<'gc>, Name)>,
}

impl<'a, 'gc> Walk<'a, 'gc> {
    fn new(cx: &'gc Cx, graph: &'a Graph, addresses: &'a mut Addresses) -> Self {
        Self { cx, graph, addresses, seen: HashSet::new(), things: Vec::new(), rows: Vec::new() }
    }
    /// A reference to a thing, as it is and as it should be.
    fn thing(&mut self, is: Option<Gc<'gc, Thing<'gc>>>, should: Option<Name>) {
        assert_eq!(is.map(|thing| thing.name), should, "a reference is to another thing");
        if let Some((thing, name)) = is.zip(should) {
            self.addresses.meet(name, Gc::addr(thing));
            if self.seen.insert(name) {
                self.things.push((thing, name));
            }
        }
    }
    /// A reference to a row. A row has no room for its name: its address stands for it.
    fn row(&mut self, is: Option<Row<'gc>>, should: Option<Name>) {
        assert_eq!(is.is_some(), should.is_some(), "a reference to a row came or went");
        if let Some((row, name)) = is.zip(should) {
            self.addresses.meet(name, Gc::addr(row));
            if self.seen.insert(name) {
                self.rows.push((row, name));
            }
        }
    }
    fn go(&mut self) {
        loop {
            if let Some((thing, name)) = self.things.pop() {
                self.look_into(thing, name);
            } else if let Some((row, name)) = self.rows.pop() {
                let should = &self.graph.nodes[name].elements;
                assert_eq!(row.len(), should.len(), "a row has another length");
                row.iter().zip(should).for_each(|(place, name)| self.thing(place.get(), *name));
            } else {
                self.addresses.compared += self.seen.len() as u64;
                return;
            }
        }
    }
    fn look_into(&mut self, thing: Gc<'gc, Thing<'gc>>, name: Name) {
        let should = &self.graph.nodes[name];
        assert_eq!(thing.text, name.to_string(), "what has drop glue changed");
        thing.fields.iter().zip(should.fields).for_each(|(field, name)| self.thing(field.get(), name));
        self.thing(thing.fixed, should.fixed);
        self.row(thing.row.get(), should.row);
        {
            let bag = thing.bag.lock(self.cx);
            assert_eq!(bag.len(), should.bag.len(), "a bag has another size");
            bag.iter().zip(&should.bag).for_each(|(thing, name)| self.thing(Some(*thing), Some(*name)));
        }
        if let Some(hash) = should.hash {
            assert_eq!(Gc::identity_hash(thing, self.cx), hash, "an identity changed");
        }
        if let Some(target) = thing.weak.get().and_then(|weak| weak.upgrade(self.cx)) {
            assert_eq!(Some(target.name), should.weak, "a weak reference is to another thing");
        }
    }
}
