//! What a program can do, each operation to the heap and to the graph.

use super::bytes::Bytes;
use super::graph::{FIELDS, Graph, Name, Node, REGISTERS};
use super::heap::{Place, Registers, Thing, World};
use orinoco::{Cx, Field, Gc, Lock, Mutator, Slot};

/// The most mutators at a time.
const MUTATORS: usize = 4;
/// Lengths of rows: the last is a large object.
const LENGTHS: [usize; 8] = [0, 1, 3, 8, 40, 600, 2_000, 20_000];

/// One operation, by the next bytes.
pub fn one(world: &mut World, bytes: &mut Bytes<'_>) {
    world.done.operations += 1;
    match bytes.byte() {
        0..=7 => mutators(world, bytes),
        8..=23 => collect(world, bytes),
        24..=39 => roots(world, bytes),
        40..=63 => walk(world, bytes),
        _ => turn(world, bytes),
    }
}

/// One comes, or one goes.
fn mutators(world: &mut World, bytes: &mut Bytes<'_>) {
    let there = world.mutators.iter().filter(|mutator| mutator.is_some()).count();
    if there < MUTATORS && bytes.below(2) == 0 {
        world.attach();
    } else {
        let number = bytes.below(world.mutators.len());
        world.detach(number);
    }
}

/// One that is there.
fn pick(world: &mut World, bytes: &mut Bytes<'_>) -> usize {
    let number = bytes.below(world.mutators.len());
    if world.mutators[number].is_some() {
        return number;
    }
    world.mutators.iter().position(Option::is_some).unwrap_or_else(|| {
        world.attach();
        world.mutators.len() - 1
    })
}

/// Many moves within one window: what a marker beside them could miss.
fn walk(world: &mut World, bytes: &mut Bytes<'_>) {
    let number = pick(world, bytes);
    let mut mutator = world.mutators[number].take().expect("it was picked");
    mutator.run(|m| {
        for _ in 0..4 << bytes.below(5) {
            let (cx, registers) = m.split();
            let mut hand = Hand { cx, registers, number, graph: &mut world.graph };
            hand.load(bytes);
            hand.store(bytes);
            if bytes.below(4) == 0 {
                m.safepoint();
            }
        }
    });
    world.mutators[number] = Some(mutator);
}

/// A collection of some kind, led by some mutator; then everything is compared, more often than not.
fn collect(world: &mut World, bytes: &mut Bytes<'_>) {
    let (number, kind) = (pick(world, bytes), bytes.below(8));
    let mutator = world.mutators[number].as_mut().expect("it was picked");
    mutator.run(|m| match kind {
        0 => m.collect(),
        1 => m.collect_compact(),
        2 | 3 => m.collect_young(),
        4 => drop(m.verify()),
        // Many safepoints, with garbage between them: collections when the collector thinks it is time.
        5 => (0..64).for_each(|_| {
            let _ = m.try_alloc([0u64; 500]);
            m.safepoint();
        }),
        _ => m.safepoint(),
    });
    world.done.collections += 1;
    if bytes.below(4) != 0 {
        world.compare(kind == 0);
    }
}

/// Roots that are owned come, go, and change.
fn roots(world: &mut World, bytes: &mut Bytes<'_>) {
    let (number, what, register) = (pick(world, bytes), bytes.below(4), bytes.below(REGISTERS));
    let graph = &mut world.graph;
    let at = bytes.below(world.roots.len().max(1));
    let mutator = world.mutators[number].as_mut().expect("it was picked");
    let name = graph.registers[number][register];
    mutator.run(|m: &mut Mutator<Registers<'static>>| {
        let (cx, registers) = m.split();
        let thing = registers.things[register];
        match (what, thing.zip(name)) {
            (0, Some((thing, name))) if world.roots.len() < 64 => {
                world.roots.push(cx.root(thing));
                graph.roots.push(name);
            }
            (1, Some((thing, name))) if !world.roots.is_empty() => {
                world.roots[at].set(cx, thing);
                graph.roots[at] = name;
            }
            (2, _) if !world.roots.is_empty() => {
                registers.things[register] = Some(world.roots[at].get(cx));
                graph.registers[number][register] = Some(graph.roots[at]);
            }
            _ if !world.roots.is_empty() => {
                drop(world.roots.swap_remove(at));
                graph.roots.swap_remove(at);
            }
            _ => {}
        }
    });
}

/// Some operations of one mutator in one window; nothing moves meanwhile.
fn turn(world: &mut World, bytes: &mut Bytes<'_>) {
    let number = pick(world, bytes);
    let mut mutator = world.mutators[number].take().expect("it was picked");
    mutator.run(|m| {
        let (cx, registers) = m.split();
        for _ in 0..=bytes.below(16) {
            if bytes.is_empty() {
                break;
            }
            let mut hand = Hand { cx, registers: &mut *registers, number, graph: &mut world.graph };
            match bytes.byte() % 16 {
                0 | 1 => world.done.refused += u64::from(!hand.make(bytes)),
                2 => world.done.refused += u64::from(!hand.make_chain(bytes)),
                3 => world.done.refused += u64::from(!hand.make_row(bytes)),
                4..=6 => hand.store(bytes),
                7 | 8 => hand.load(bytes),
                9 => hand.exchange(bytes),
                10 => hand.elements(bytes),
                11 => hand.bag(bytes),
                12 => world.done.refused += u64::from(!hand.weak(bytes)),
                13 => hand.forget(bytes),
                14 => hand.map(world.map.get(cx), bytes),
                _ => hand.register(world.registry.get(cx), bytes),
            }
        }
    });
    world.mutators[number] = Some(mutator);
}

/// One mutator's registers, in one window, and the graph's.
struct Hand<'a, 'gc> {
    cx: &'gc Cx,
    registers: &'a mut Registers<'gc>,
    number: usize,
    graph: &'a mut Graph,
}

type Held<'gc> = Option<(Gc<'gc, Thing<'gc>>, Name)>;

impl<'gc> Hand<'_, 'gc> {
    /// What some register holds.
    fn any(&self, bytes: &mut Bytes<'_>) -> Held<'gc> {
        let register = bytes.below(REGISTERS);
        self.registers.things[register].zip(self.graph.registers[self.number][register])
    }
    /// Takes a thing, or nothing, into some register.
    fn take(&mut self, held: Held<'gc>, bytes: &mut Bytes<'_>) {
        let register = bytes.below(REGISTERS);
        self.registers.things[register] = held.map(|held| held.0);
        self.graph.registers[self.number][register] = held.map(|held| held.1);
    }
    fn row(&self) -> Option<(super::heap::Row<'gc>, Name)> {
        self.registers.row.zip(self.graph.rows[self.number])
    }
    /// A new thing, whose fields are written at its birth.
    fn make(&mut self, bytes: &mut Bytes<'_>) -> bool {
        let fields: [Held<'gc>; FIELDS] = std::array::from_fn(|_| self.any(bytes).filter(|_| bytes.below(2) == 0));
        let (fixed, row) = (self.any(bytes), self.row().filter(|_| bytes.below(4) == 0));
        let name = self.graph.nodes.len();
        let thing = self.cx.try_alloc(Thing {
            name,
            fields: fields.map(|field| Field::new(field.map(|held| held.0))),
            fixed: fixed.map(|held| held.0),
            row: Slot::new(row.map(|held| held.0)),
            bag: Lock::new(Vec::new()),
            weak: Slot::new(None),
            text: name.to_string(),
        });
        let Ok(thing) = thing else { return false };
        self.graph.add(Node {
            fields: fields.map(|field| field.map(|held| held.1)),
            fixed: fixed.map(|held| held.1),
            row: row.map(|held| held.1),
            ..Node::default()
        });
        self.take(Some((thing, name)), bytes);
        true
    }
    /// New things, each of which refers to the one before; what they all refer to besides is some register's.
    fn make_chain(&mut self, bytes: &mut Bytes<'_>) -> bool {
        let (field, besides) = (bytes.below(FIELDS), self.any(bytes));
        let mut last: Held<'gc> = None;
        for _ in 0..8 << bytes.below(4) {
            let name = self.graph.nodes.len();
            let mut links = [besides; FIELDS];
            links[field] = last;
            let thing = self.cx.try_alloc(Thing {
                name,
                fields: links.map(|link| Field::new(link.map(|held| held.0))),
                fixed: None,
                row: Slot::new(None),
                bag: Lock::new(Vec::new()),
                weak: Slot::new(None),
                text: name.to_string(),
            });
            let Ok(thing) = thing else { return false };
            self.graph.add(Node { fields: links.map(|link| link.map(|held| held.1)), ..Node::default() });
            last = Some((thing, name));
        }
        self.take(last, bytes);
        true
    }
    /// A new row, with a thing or nothing in every place.
    fn make_row(&mut self, bytes: &mut Bytes<'_>) -> bool {
        let (length, held) = (LENGTHS[bytes.below(LENGTHS.len())], self.any(bytes));
        let every = 1 + bytes.below(8);
        let at = |i: usize| held.filter(|_| i.is_multiple_of(every));
        let row = self.cx.try_alloc_slice(length, |i| Place::new(at(i).map(|held| held.0)));
        let Ok(row) = row else { return false };
        let elements = (0..length).map(|i| at(i).map(|held| held.1)).collect();
        let name = self.graph.add(Node { elements, ..Node::default() });
        self.registers.row = Some(row);
        self.graph.rows[self.number] = Some(name);
        true
    }
    /// A reference into a field, or the row's.
    fn store(&mut self, bytes: &mut Bytes<'_>) {
        let Some((host, name)) = self.any(bytes) else { return };
        let field = bytes.below(FIELDS + 1);
        if field == FIELDS {
            let row = self.row();
            host.row.set(self.cx, row.map(|held| held.0));
            self.graph.nodes[name].row = row.map(|held| held.1);
        } else {
            let target = self.any(bytes);
            host.fields[field].set(self.cx, target.map(|held| held.0));
            self.graph.nodes[name].fields[field] = target.map(|held| held.1);
        }
    }
    /// A reference out of a field, or of an element, or the row's.
    fn load(&mut self, bytes: &mut Bytes<'_>) {
        let Some((host, name)) = self.any(bytes) else { return };
        match bytes.below(FIELDS + 3) {
            field if field < FIELDS => {
                let held = host.fields[field].get().zip(self.graph.nodes[name].fields[field]);
                self.take(held, bytes);
            }
            FIELDS => {
                self.registers.row = host.row.get();
                self.graph.rows[self.number] = self.graph.nodes[name].row;
            }
            _ => {
                let Some((row, name)) = self.row().filter(|(row, _)| !row.is_empty()) else { return };
                let at = bytes.below(row.len());
                let held = row[at].get().zip(self.graph.nodes[name].elements[at]);
                self.take(held, bytes);
            }
        }
    }
    /// Swap, and compare-and-exchange.
    fn exchange(&mut self, bytes: &mut Bytes<'_>) {
        let Some((host, name)) = self.any(bytes) else { return };
        let (field, new) = (bytes.below(FIELDS), self.any(bytes));
        let should = &mut self.graph.nodes[name].fields[field];
        let word = new.map(|held| held.0);
        if bytes.below(2) == 0 {
            let before = host.fields[field].swap(self.cx, word);
            assert_eq!(before.map(|thing| thing.name), *should, "a swap found something else");
            *should = new.map(|held| held.1);
        } else {
            let old = self.registers.things[bytes.below(REGISTERS)];
            let expected = old.map(|thing| thing.name) == *should;
            let done = host.fields[field].compare_exchange(self.cx, old, word).is_ok();
            assert_eq!(done, expected, "a compare-and-exchange found something else");
            if done {
                *should = new.map(|held| held.1);
            }
        }
    }
    /// One element, or many.
    fn elements(&mut self, bytes: &mut Bytes<'_>) {
        let Some((row, name)) = self.row().filter(|(row, _)| !row.is_empty()) else { return };
        let (at, to) = (bytes.below(row.len()), bytes.below(row.len()));
        let count = 1 + bytes.below(row.len() - at.max(to));
        let held = self.any(bytes);
        let should = &mut self.graph.nodes[name].elements;
        match bytes.below(4) {
            0 => {
                row[at].set(self.cx, held.map(|held| held.0));
                should[at] = held.map(|held| held.1);
            }
            1 => {
                Gc::fill(row, self.cx, at..at + count, held.map(|held| held.0));
                should[at..at + count].fill(held.map(|held| held.1));
            }
            2 => {
                Gc::copy_within(row, self.cx, at..at + count, to);
                should.copy_within(at..at + count, to);
            }
            _ if at.abs_diff(to) >= count => {
                Gc::swap_ranges(row, self.cx, at, row, to, count);
                (0..count).for_each(|i| should.swap(at + i, to + i));
            }
            _ => {}
        }
    }
    /// Into a bag, or out of it.
    fn bag(&mut self, bytes: &mut Bytes<'_>) {
        let Some((host, name)) = self.any(bytes) else { return };
        let should = &mut self.graph.nodes[name].bag;
        if bytes.below(3) == 0 {
            let popped = host.bag.lock(self.cx).pop();
            let held = popped.zip(should.pop());
            self.take(held, bytes);
        } else {
            let register = bytes.below(REGISTERS);
            let held = self.registers.things[register].zip(self.graph.registers[self.number][register]);
            if let Some((thing, target)) = held {
                host.bag.lock(self.cx).push(thing);
                should.push(target);
            }
        }
    }
    /// A weak reference is made, or followed: it leads to its target, or the target cannot be reached any more.
    fn weak(&mut self, bytes: &mut Bytes<'_>) -> bool {
        let Some((host, name)) = self.any(bytes) else { return true };
        if bytes.below(2) == 0 {
            let Some((target, weak)) = self.any(bytes) else { return true };
            // The cell is a small object; at the limit it panics, as `alloc` does.
            let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.cx.weak(target)));
            let Ok(cell) = made else { return false };
            host.weak.set(self.cx, Some(cell));
            self.graph.nodes[name].weak = Some(weak);
            return true;
        }
        let target = host.weak.get().and_then(|weak| weak.upgrade(self.cx));
        let should = self.graph.nodes[name].weak;
        match target {
            Some(target) => {
                assert_eq!(Some(target.name), should, "a weak reference is to another thing");
                assert!(!self.graph.dead.contains(&target.name), "a weak reference leads to who was said to be dead");
                self.take(Some((target, target.name)), bytes);
            }
            None => {
                let dead = should.is_none_or(|name| !self.graph.reachable().contains(&name));
                assert!(dead, "a weak reference lost a target that can be reached");
            }
        }
        true
    }
    /// Lets go of what a register holds; or asks for its identity.
    fn forget(&mut self, bytes: &mut Bytes<'_>) {
        if bytes.below(4) == 0 {
            let Some((thing, name)) = self.any(bytes) else { return };
            let hash = Gc::identity_hash(thing, self.cx);
            let known = *self.graph.nodes[name].hash.get_or_insert(hash);
            assert_eq!(known, hash, "an identity changed");
        } else if bytes.below(4) == 0 {
            self.registers.row = None;
            self.graph.rows[self.number] = None;
        } else {
            self.take(None, bytes);
        }
    }
    /// Into the weak map, out of it, or looked up.
    fn map(&mut self, map: Gc<'gc, super::heap::Map<'gc>>, bytes: &mut Bytes<'_>) {
        let Some((key, name)) = self.any(bytes) else { return };
        let at = self.graph.map.iter().position(|entry| entry.0 == name);
        let should = at.map(|at| self.graph.map[at].1);
        match bytes.below(3) {
            0 => {
                let value = self.any(bytes);
                let before = map.insert(self.cx, key, value.map(|held| held.0));
                assert_eq!(before.map(|value| value.map(|thing| thing.name)), should, "an entry is another");
                let entry = (name, value.map(|held| held.1));
                match at {
                    Some(at) => self.graph.map[at] = entry,
                    None => self.graph.map.push(entry),
                }
            }
            1 => {
                let before = map.remove(self.cx, key);
                assert_eq!(before.map(|value| value.map(|thing| thing.name)), should, "an entry is another");
                if let Some(at) = at {
                    self.graph.map.swap_remove(at);
                }
            }
            _ => {
                let value = map.get(self.cx, key);
                assert_eq!(value.map(|value| value.map(|thing| thing.name)), should, "an entry is another");
                let held = value.flatten().zip(should.flatten());
                self.take(held, bytes);
            }
        }
    }
    /// The registry waits for a death.
    fn register(&mut self, registry: Gc<'gc, super::heap::Registry>, bytes: &mut Bytes<'_>) {
        let Some((thing, name)) = self.any(bytes) else { return };
        if !self.graph.registered.contains(&name) {
            registry.register(self.cx, thing, name as u64);
            self.graph.registered.push(name);
        }
    }
}
