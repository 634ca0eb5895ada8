//! Random operations on a heap, held against a plain graph that never frees.
//!
//! The model is a table of nodes by number; each step does the same to both. After every collection the whole of what is
//! reachable from the roots must agree, and what the model says is unreachable must be gone from the weak references.
use crate::common::{Rng, config, zealous};
use orinoco::{Bytes, Cx, Field, Gc, Heap, HeapConfig, Lock, Mutator, Root, Slot, Trace, WeakCell, Zeal};
use std::collections::{HashMap, HashSet};

/// A node with every kind of edge. The number is its name in the model.
#[derive(Trace)]
struct Vertex<'gc> {
    number: usize,
    /// Never written after birth.
    fixed: Option<Gc<'gc, Vertex<'gc>>>,
    slot: Field<'gc, Vertex<'gc>>,
    array: Gc<'gc, [Field<'gc, Vertex<'gc>>]>,
    bag: Lock<Vec<Gc<'gc, Vertex<'gc>>>>,
    /// Text of the length that the number says, to see that bytes survive too.
    text: String,
    boxed: Box<[Option<Gc<'gc, Vertex<'gc>>>; 2]>,
}

const ARRAY: usize = 3;

#[derive(Clone, Default)]
struct Model {
    fixed: Option<usize>,
    slot: Option<usize>,
    array: [Option<usize>; ARRAY],
    bag: Vec<usize>,
    boxed: [Option<usize>; 2],
}

impl Model {
    fn edges(&self) -> impl Iterator<Item = usize> + '_ {
        let options = [self.fixed, self.slot].into_iter().chain(self.array).chain(self.boxed);
        options.flatten().chain(self.bag.iter().copied())
    }
}

struct World {
    model: Vec<Model>,
    /// The roots of the heap, with the number of what each holds.
    roots: Vec<(Root<Vertex<'static>>, usize)>,
    weak: HashMap<usize, Root<WeakCell<Vertex<'static>>>>,
    rng: Rng,
}

type Stack = Vec<Gc<'static, Vertex<'static>>>;

impl World {
    /// Any vertex that is reachable, by a short walk from a root.
    fn pick<'gc>(&mut self, cx: &'gc Cx) -> Option<Gc<'gc, Vertex<'gc>>> {
        if self.roots.is_empty() {
            return None;
        }
        let i = self.rng.below(self.roots.len());
        let mut at = self.roots[i].0.get(cx);
        for _ in 0..self.rng.below(6) {
            let next = match self.rng.below(5) {
                0 => at.fixed,
                1 => at.slot.get(),
                2 => at.array[self.rng.below(ARRAY)].get(),
                3 => at.boxed[self.rng.below(2)],
                _ => {
                    let bag = at.bag.lock(cx);
                    if bag.is_empty() { None } else { Some(bag[self.rng.below(bag.len())]) }
                }
            };
            at = next.unwrap_or(at);
        }
        Some(at)
    }
    fn pick_maybe<'gc>(&mut self, cx: &'gc Cx) -> Option<Gc<'gc, Vertex<'gc>>> {
        if self.rng.below(4) == 0 { None } else { self.pick(cx) }
    }

    fn birth(&mut self, cx: &Cx) {
        let number = self.model.len();
        let fixed = self.pick_maybe(cx).filter(|_| number.is_multiple_of(4));
        let slot = self.pick_maybe(cx);
        let array: [_; ARRAY] = std::array::from_fn(|_| self.pick_maybe(cx));
        let boxed = [self.pick_maybe(cx), self.pick_maybe(cx)];
        let named = |v: Option<Gc<'_, Vertex<'_>>>| v.map(|v| v.number);
        self.model.push(Model {
            fixed: named(fixed),
            slot: named(slot),
            array: array.map(named),
            bag: vec![],
            boxed: boxed.map(named),
        });
        let vertex = cx.alloc(Vertex {
            number,
            fixed,
            slot: Slot::new(slot),
            array: cx.alloc_slice(ARRAY, |i| Slot::new(array[i])),
            bag: Lock::default(),
            text: "v".repeat(number % 50),
            boxed: Box::new(boxed),
        });
        self.roots.push((cx.root(vertex), number));
        if number.is_multiple_of(3) {
            self.weak.insert(number, cx.root(cx.weak(vertex)));
        }
    }

    fn step(&mut self, cx: &Cx) {
        match self.rng.below(12) {
            0..4 => self.birth(cx),
            4 => {
                let (Some(at), to) = (self.pick(cx), self.pick_maybe(cx)) else { return };
                at.slot.set(cx, to);
                self.model[at.number].slot = to.map(|v| v.number);
            }
            5 => {
                let (Some(at), to) = (self.pick(cx), self.pick_maybe(cx)) else { return };
                let before = at.slot.swap(cx, to);
                let model = std::mem::replace(&mut self.model[at.number].slot, to.map(|v| v.number));
                assert_eq!(before.map(|v| v.number), model);
            }
            6 => {
                let (Some(at), to) = (self.pick(cx), self.pick_maybe(cx)) else { return };
                let i = self.rng.below(ARRAY);
                at.array[i].set(cx, to);
                self.model[at.number].array[i] = to.map(|v| v.number);
            }
            7 => {
                let (Some(a), Some(b)) = (self.pick(cx), self.pick(cx)) else { return };
                let (from, to) = (self.rng.below(ARRAY), self.rng.below(ARRAY));
                let count = self.rng.below(ARRAY + 1 - from.max(to));
                Gc::copy_from(a.array, cx, to, b.array, from..from + count);
                let source = self.model[b.number].array;
                self.model[a.number].array[to..to + count].copy_from_slice(&source[from..from + count]);
            }
            8 => {
                let (Some(at), Some(to)) = (self.pick(cx), self.pick(cx)) else { return };
                let (mut bag, model) = (at.bag.lock(cx), &mut self.model[at.number].bag);
                if bag.len() > 6 {
                    bag.clear();
                    model.clear();
                }
                bag.push(to);
                model.push(to.number);
            }
            9 => {
                let (Some(a), Some(b)) = (self.pick(cx), self.pick(cx)) else { return };
                if a.number != b.number {
                    std::mem::swap(&mut *a.bag.lock(cx), &mut *b.bag.lock(cx));
                    let taken = std::mem::take(&mut self.model[a.number].bag);
                    self.model[a.number].bag = std::mem::replace(&mut self.model[b.number].bag, taken);
                }
            }
            10 => {
                let Some(v) = self.pick(cx) else { return };
                let i = self.rng.below(self.roots.len());
                self.roots[i].0.set(cx, v);
                self.roots[i].1 = v.number;
            }
            _ => {
                if self.roots.len() > 8 {
                    let i = self.rng.below(self.roots.len());
                    self.roots.swap_remove(i);
                }
                if self.rng.below(60) == 0 {
                    // An era ends: nearly everything is garbage at once.
                    self.roots.truncate(1);
                }
            }
        }
    }

    fn reachable(&self, extra: &[usize]) -> HashSet<usize> {
        let mut seen: HashSet<usize> = HashSet::new();
        let mut todo: Vec<usize> = self.roots.iter().map(|r| r.1).chain(extra.iter().copied()).collect();
        while let Some(n) = todo.pop() {
            if seen.insert(n) {
                todo.extend(self.model[n].edges());
            }
        }
        seen
    }

    /// The heap, as far as it is reachable, is the model.
    fn check<'gc>(&self, cx: &'gc Cx, stack: &[Gc<'gc, Vertex<'gc>>]) -> usize {
        let mut seen: HashMap<usize, Gc<'_, Vertex<'_>>> = HashMap::new();
        let roots = self.roots.iter().map(|(root, number)| (root.get(cx), *number));
        let mut todo: Vec<(Gc<'_, Vertex<'_>>, usize)> = roots.collect();
        todo.extend(stack.iter().map(|v| (*v, v.number)));
        while let Some((v, number)) = todo.pop() {
            assert_eq!(v.number, number);
            if let Some(before) = seen.insert(number, v) {
                assert!(Gc::ptr_eq(before, v), "vertex {number} is two objects");
                continue;
            }
            let model = &self.model[number];
            assert!(v.text.len() == number % 50 && v.text.bytes().all(|b| b == b'v'));
            let bag = v.bag.lock(cx).clone();
            let slots = [v.fixed, v.slot.get()].into_iter().chain(v.array.iter().map(Slot::get)).chain(*v.boxed);
            let options = [model.fixed, model.slot].into_iter().chain(model.array).chain(model.boxed);
            let pairs: Vec<_> = slots.zip(options).collect();
            assert_eq!(bag.len(), model.bag.len());
            for (found, expected) in
                pairs.into_iter().chain(bag.iter().map(|v| Some(*v)).zip(model.bag.iter().map(|n| Some(*n))))
            {
                assert_eq!(found.map(|v| v.number), expected, "an edge of vertex {number}");
                todo.extend(found.zip(expected));
            }
        }
        seen.len()
    }
}

fn run(test: &str, config: HeapConfig, steps: usize) {
    let heap = Heap::new(config).unwrap();
    let rng = Rng::from_env(test);
    let mut world = World { model: vec![], roots: vec![], weak: HashMap::new(), rng };
    heap.enter(Stack::new(), |m: &mut Mutator<Stack>| {
        for i in 0..steps {
            {
                let (cx, stack) = m.split();
                world.step(cx);
                if world.rng.below(20) == 0 {
                    stack.extend(world.pick(cx));
                }
                if stack.len() > 10 {
                    stack.clear();
                }
            }
            m.safepoint();
            let full = match world.rng.below(400) {
                0 => {
                    m.collect();
                    true
                }
                1 => {
                    m.collect_compact();
                    true
                }
                2..8 => {
                    m.collect_young();
                    false
                }
                _ => continue,
            };
            let (cx, stack) = m.split();
            let on_stack: Vec<usize> = stack.iter().map(|v| v.number).collect();
            let alive = world.reachable(&on_stack);
            assert_eq!(world.check(cx, stack), alive.len(), "step {i}");
            for (number, weak) in &world.weak {
                match weak.get(cx).peek(cx) {
                    Some(v) => assert_eq!(v.number, *number),
                    None => {
                        assert!(!alive.contains(number), "step {i}: vertex {number} lives, its weak reference does not")
                    }
                }
                let floating = weak.get(cx).peek(cx).is_some() && !alive.contains(number);
                assert!(!(full && floating), "step {i}: vertex {number} is dead, and a full collection kept it");
            }
            world.weak.retain(|_, weak| weak.get(cx).peek(cx).is_some());
        }
        m.verify();
    });
}

fn steps() -> usize {
    if zealous() { 1_500 } else { 8_000 }
}

#[test]
fn a_random_graph_agrees_with_its_model() {
    run("a_random_graph_agrees_with_its_model", config(), steps());
}

#[test]
fn a_random_graph_agrees_with_its_model_without_helpers() {
    run("a_random_graph_agrees_with_its_model_without_helpers", config().helpers(0), steps());
}

#[test]
fn a_random_graph_agrees_with_its_model_in_a_tiny_nursery_with_several_helpers() {
    let config = config().nursery(Bytes::kib(256)).helpers(3).initial_old(Bytes::kib(512));
    run("a_random_graph_agrees_with_its_model_in_a_tiny_nursery_with_several_helpers", config, steps());
}

#[test]
fn a_random_graph_agrees_with_its_model_when_everything_moves_at_every_step() {
    run(
        "a_random_graph_agrees_with_its_model_when_everything_moves_at_every_step",
        config().zeal(Zeal::EVERYTHING),
        1_500,
    );
}

#[test]
fn a_random_graph_agrees_with_its_model_when_every_step_collects_the_young() {
    run("a_random_graph_agrees_with_its_model_when_every_step_collects_the_young", config().zeal(Zeal::YOUNG), 2_000);
}
