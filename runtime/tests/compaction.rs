//! Regions emptied beside the young generation, while the program keeps changing who refers to what lives there.
//!
//! A graph whose nodes have every kind of place that can refer to an object is held against a plain model with numbers
//! for references. Verification is on: each reference must lead to an object (V2), and each reference from an old object
//! to one that is to be moved must be recorded (V6).
#![forbid(unsafe_code)]
use orinoco::{
    Bytes, Compaction, Cx, Field, FinalizationRegistry, Gc, Heap, HeapConfig, Lock, Mutator, Root, Slot, Trace, Weak,
    WeakMap, Word,
};

#[derive(Clone, Copy, Trace, Word)]
enum Value<'gc> {
    Num(f64),
    Node(Gc<'gc, Node<'gc>>),
}

#[derive(Trace)]
struct Node<'gc> {
    id: u64,
    next: Field<'gc, Node<'gc>>,
    tagged: Slot<Value<'gc>>,
    /// Never written after birth.
    born_with: Option<Gc<'gc, Node<'gc>>>,
    locked: Lock<Vec<Gc<'gc, Node<'gc>>>>,
    weak: Field<'gc, Watch<'gc>>,
    array: Gc<'gc, [Slot<Option<Gc<'gc, Node<'gc>>>>]>,
    ballast: Field<'gc, [u64]>,
}

#[derive(Trace)]
struct Watch<'gc> {
    target: Weak<'gc, Node<'gc>>,
}

#[derive(Trace)]
#[trace(root)]
struct Table<'gc> {
    nodes: Vec<Gc<'gc, Node<'gc>>>,
    /// From each node to the node beside it in the model's `keyed`.
    map: Option<Gc<'gc, WeakMap<Node<'gc>, Gc<'gc, Node<'gc>>>>>,
    deaths: Option<Gc<'gc, FinalizationRegistry<u64>>>,
}

/// What each node refers to, by number, and whose number is whose.
#[derive(Clone, Default)]
struct Model {
    next: Vec<Option<usize>>,
    tagged: Vec<Option<usize>>,
    locked: Vec<Vec<usize>>,
    weak: Vec<Option<usize>>,
    array: Vec<[Option<usize>; WIDTH]>,
    keyed: Vec<Option<usize>>,
    hashes: Vec<u64>,
}

const WIDTH: usize = 5;

struct Rng(u64);
impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

type M<'m> = &'m mut Mutator<Table<'static>>;

fn node<'gc>(cx: &'gc Cx, id: usize, born_with: Option<Gc<'gc, Node<'gc>>>, ballast: usize) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node {
        id: id as u64,
        next: Field::null(),
        tagged: Slot::new(Value::Num(id as f64)),
        born_with,
        locked: Lock::default(),
        weak: Field::null(),
        array: cx.alloc_slice(WIDTH, |_| Slot::new(None)),
        ballast: Field::new(Some(cx.alloc_slice(ballast, |_| id as u64))),
    })
}

/// A change of one node, in the heap and in the model.
fn change<'gc>(cx: &'gc Cx, table: &Table<'gc>, model: &mut Model, rng: &mut Rng) {
    let n = table.nodes.len();
    let (i, j) = (rng.below(n), rng.below(n));
    let (one, other) = (table.nodes[i], table.nodes[j]);
    match rng.below(8) {
        0 => (one.next.set(cx, Some(other)), model.next[i] = Some(j)).0,
        1 => (one.tagged.set(cx, Value::Node(other)), model.tagged[i] = Some(j)).0,
        2 => {
            let mut list = one.locked.lock(cx);
            if list.len() > 3 {
                list.clear();
                model.locked[i].clear();
            }
            list.push(other);
            model.locked[i].push(j);
        }
        3 => {
            one.weak.set(cx, Some(cx.alloc(Watch { target: cx.weak(other) })));
            model.weak[i] = Some(j);
        }
        4 => {
            let at = rng.below(WIDTH);
            one.array[at].set(cx, Some(other));
            model.array[i][at] = Some(j);
        }
        5 => {
            table.map.unwrap().insert(cx, one, other);
            model.keyed[i] = Some(j);
        }
        6 => {
            // Let go of everything, so that what is old dies in places.
            one.next.set(cx, None);
            one.tagged.set(cx, Value::Num(0.0));
            (model.next[i], model.tagged[i]) = (None, None);
        }
        // Ballast of many sizes dies in the midst of what lives.
        _ => one.ballast.set(cx, Some(cx.alloc_slice(1 << rng.below(9), |_| i as u64))),
    }
}

/// Every reference in the heap leads where the model says.
fn check(cx: &Cx, table: &Table<'_>, model: &Model) {
    let map = table.map.unwrap();
    for (i, node) in table.nodes.iter().enumerate() {
        assert_eq!(node.id, i as u64);
        assert_eq!(Gc::identity_hash(*node, cx), model.hashes[i], "an identity hash changed");
        let id = |n: Option<Gc<'_, Node<'_>>>| n.map(|n| n.id as usize);
        assert_eq!(id(node.next.get()), model.next[i], "next of {i}");
        let tagged = match node.tagged.get() {
            Value::Node(n) => Some(n.id as usize),
            Value::Num(_) => None,
        };
        assert_eq!(tagged, model.tagged[i], "tagged of {i}");
        assert!(node.born_with.is_none_or(|n| n.id as usize == i / 2), "born with, of {i}");
        assert!(node.locked.lock(cx).iter().map(|n| n.id as usize).eq(model.locked[i].iter().copied()), "lock of {i}");
        let watched = node.weak.get().map(|w| w.target.upgrade(cx).expect("all nodes live").id as usize);
        assert_eq!(watched, model.weak[i], "weak of {i}");
        assert!(node.array.iter().map(|s| id(s.get())).eq(model.array[i]), "array of {i}");
        assert_eq!(id(map.get(cx, *node)), model.keyed[i], "key {i}");
        assert!(node.ballast.get().is_none_or(|b| b.iter().all(|w| *w == i as u64)), "ballast of {i}");
    }
    assert_eq!(table.deaths.unwrap().poll(cx), None, "nothing that is registered dies");
}

/// Builds a graph of `nodes`, changes it until `batches` were emptied, and holds it against its model all the while.
fn play(config: HeapConfig, nodes: usize, batches: u64, seed: u64, mut each: impl FnMut(M<'_>, usize)) {
    let config = config.verify(true).limit(Bytes::mib(128)).initial_old(Bytes::mib(1)).nursery(Bytes::kib(512));
    let heap = Heap::new(config).unwrap();
    let mut rng = Rng(seed);
    let mut model = Model::default();
    heap.enter(Table { nodes: Vec::new(), map: None, deaths: None }, |m| {
        {
            let (cx, table) = m.split();
            table.map = Some(WeakMap::new(cx));
            table.deaths = Some(FinalizationRegistry::new(cx));
            for i in 0..nodes {
                let born_with = table.nodes.get(i / 2).copied().filter(|_| i > 0);
                let fresh = node(cx, i, born_with, 1 << rng.below(9));
                table.deaths.unwrap().register(cx, fresh, i as u64);
                table.nodes.push(fresh);
                model.hashes.push(Gc::identity_hash(fresh, cx));
            }
        }
        model.next = vec![None; nodes];
        model.tagged = vec![None; nodes];
        model.locked = vec![Vec::new(); nodes];
        model.weak = vec![None; nodes];
        model.array = vec![[None; WIDTH]; nodes];
        model.keyed = vec![None; nodes];
        let held: Vec<Root<Node<'static>>> = {
            let (cx, table) = m.split();
            table.nodes.iter().step_by(7).map(|n| cx.root(*n)).collect()
        };
        let mut round = 0;
        while heap.statistics().compactions < batches {
            round += 1;
            assert!(round < 20_000, "seed {seed}: only {} batches were emptied", heap.statistics().compactions);
            {
                let (cx, table) = m.split();
                (0..400).for_each(|_| change(cx, table, &mut model, &mut rng));
            }
            m.safepoint();
            each(m, round);
            if round % 16 == 0 {
                let (cx, table) = m.split();
                check(cx, table, &model);
                assert!(held.iter().zip(table.nodes.iter().step_by(7)).all(|(r, n)| Gc::ptr_eq(r.get(cx), *n)));
            }
        }
        let (cx, table) = m.split();
        check(cx, table, &model);
    });
}

fn always() -> HeapConfig {
    HeapConfig::new().compaction(Compaction::Always)
}

#[test]
fn every_kind_of_reference_follows_what_moves_out_of_an_old_region() {
    play(always().helpers(1), 2_000, 12, 1, |_, _| {});
}

#[test]
fn references_follow_without_helpers() {
    play(always().helpers(0), 2_000, 12, 2, |_, _| {});
}

#[test]
fn references_follow_when_marking_is_one_stop() {
    play(always().helpers(1).concurrent_marking(false).incremental_marking(false), 2_000, 12, 3, |_, _| {});
}

#[test]
fn references_follow_under_any_of_many_seeds() {
    (0..4).for_each(|seed| play(always().deterministic(seed), 1_000, 6, seed, |_, _| {}));
}

#[test]
fn whole_collections_asked_for_at_any_time_empty_what_was_chosen() {
    let mut asked = 0;
    play(always().deterministic(5), 1_000, 6, 5, |m, round| {
        asked += 1;
        match round % 150 {
            30 => m.collect(),
            70 => m.collect_compact(),
            110 => m.collect_young(),
            _ => asked -= 1,
        }
    });
    assert!(asked > 0);
}
