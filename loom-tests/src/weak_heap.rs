//! Weak containers of a whole heap under its verifier: one thread puts old values into tables, young keys into old tables and
//! new tables into old places while marking goes on, and looks at what it may not lose.

use crate::heap::below;
use orinoco::{Bytes, Cx, Field, FinalizationRegistry, Gc, Heap, HeapConfig, Root, Slot, Trace, WeakCell, WeakMap};

/// Places for keys, each with a place for a weak reference to it.
const PLACES: usize = 2048;
const MAPS: usize = 8;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    number: u64,
}

type Place<T> = Slot<Option<T>>;
type Cell<'gc> = Gc<'gc, WeakCell<Node<'gc>>>;
type Map<'gc> = WeakMap<Node<'gc>, Gc<'gc, Node<'gc>>>;

#[derive(Trace)]
struct World<'gc> {
    keys: Gc<'gc, [Place<Gc<'gc, Node<'gc>>>]>,
    cells: Gc<'gc, [Place<Cell<'gc>>]>,
    maps: Gc<'gc, [Place<Gc<'gc, Map<'gc>>>]>,
    registry: Gc<'gc, FinalizationRegistry<Gc<'gc, Node<'gc>>>>,
}

fn node<'gc>(cx: &'gc Cx, number: u64) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node { next: Field::null(), number })
}

impl<'gc> World<'gc> {
    fn new(cx: &'gc Cx) -> Gc<'gc, Self> {
        cx.alloc(World {
            keys: cx.alloc_slice(PLACES, |i| Slot::new(Some(node(cx, i as u64)))),
            cells: cx.alloc_slice(PLACES, |_| Slot::new(None)),
            maps: cx.alloc_slice(MAPS, |_| Slot::new(Some(Map::new(cx)))),
            registry: FinalizationRegistry::new(cx),
        })
    }
    fn map(&self, seed: &mut u64) -> Gc<'gc, Map<'gc>> {
        self.maps[below(seed, MAPS)].get().expect("a map is replaced by another")
    }
    fn step(&self, cx: &'gc Cx, seed: &mut u64) {
        let (i, j) = (below(seed, PLACES), below(seed, PLACES));
        match below(seed, 16) {
            0..4 => {
                let key = node(cx, i as u64);
                self.keys[i].set(cx, Some(key));
                self.cells[i].set(cx, Some(cx.weak(key)));
                self.map(seed).insert(cx, key, node(cx, i as u64));
                self.registry.register(cx, key, node(cx, i as u64));
            }
            4 => self.keys[i].set(cx, None),
            // A value leaves an ordinary place, or a table, for another table.
            5..10 => {
                let (Some(key), value) = (self.keys[i].get(), self.keys[j].get()) else { return };
                if let Some(value) = value.filter(|_| i != j) {
                    self.keys[j].set(cx, None);
                    self.map(seed).insert(cx, key, value);
                }
            }
            10..14 => {
                let Some(key) = self.keys[i].get() else { return };
                if let Some(value) = self.map(seed).remove(cx, key) {
                    self.map(seed).insert(cx, key, value);
                }
            }
            14 if below(seed, 20) == 0 => self.maps[below(seed, MAPS)].set(cx, Some(Map::new(cx))),
            _ => _ = self.registry.poll(cx),
        }
    }
}

/// Works on a small heap for `rounds` safepoints; returns how many marking cycles that took.
///
/// # Panics
/// When something that was seen is gone; in a pause, when the verifier finds a rule broken.
pub fn run(rounds: u64, mut seed: u64) -> u64 {
    let config = HeapConfig::new()
        .limit(Bytes::mib(64))
        .nursery(Bytes::kib(256))
        .initial_old(Bytes::kib(512))
        .helpers(1)
        .verify(true);
    let heap = Heap::new(config).expect("the configuration is in range");
    heap.enter((), |m| {
        let world: Root<World<'static>> = {
            let world = World::new(m);
            m.root(world)
        };
        (0..3).for_each(|_| m.collect_young());
        let mut seen: Vec<(usize, u64, Root<WeakCell<Node<'static>>>)> = Vec::new();
        for round in 0..rounds {
            {
                let cx: &Cx = m;
                let world = world.get(cx);
                (0..96).for_each(|_| world.step(cx, &mut seed));
                let i = below(&mut seed, PLACES);
                if let Some(cell) = world.cells[i].get()
                    && let Some(target) = cell.upgrade(cx)
                {
                    seen.push((i, target.number, cx.root(cell)));
                    // It lives by having been seen alone.
                    world.keys[i].set(cx, None);
                }
                (0..200).for_each(|_| _ = cx.alloc([0u64; 15]));
            }
            m.safepoint();
            for (i, number, cell) in &seen {
                let target =
                    cell.get(m).peek(m).unwrap_or_else(|| panic!("what was seen at {i} is gone in the same turn"));
                assert_eq!(target.number, *number);
            }
            if round % 24 == 23 {
                seen.clear();
                m.end_turn();
            }
        }
        m.collect();
    });
    heap.statistics().full_collections
}
