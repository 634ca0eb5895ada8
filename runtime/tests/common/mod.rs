//! The toy embedder that the behaviour tests are built on: a few heap types, a root structure, and heaps.
//!
//! Every heap here has verification on. With `ORINOCO_ZEAL=1` in the environment, heaps that would collect when it pays
//! move every object at every safepoint instead, and poison what the objects left; so each test runs in both worlds. Other
//! words are those of `Zeal`: `ORINOCO_ZEAL=young:3,marking,forbid`. `ORINOCO_WITHOUT=concurrent,incremental,parallel,helpers`
//! leaves out techniques: each of them is a switch that no test may depend on.
#![allow(dead_code, reason = "each test binary uses what it needs")]
use orinoco::{Bytes, Cx, Field, Gc, Heap, HeapConfig, Lock, Mutator, Root, Slot, Trace, Word, Zeal};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A node of a singly linked list, or of any graph with one way out.
#[derive(Trace)]
pub struct Node<'gc> {
    pub next: Field<'gc, Node<'gc>>,
    pub v: u64,
}

/// A bag of nodes: an ordinary `Vec` of references under a lock.
#[derive(Trace, Default)]
pub struct Bag<'gc> {
    pub items: Lock<Vec<Gc<'gc, Node<'gc>>>>,
}

/// A map under a lock.
#[derive(Trace, Default)]
pub struct Table<'gc> {
    pub entries: Lock<HashMap<u64, Gc<'gc, Node<'gc>>>>,
}

/// An object that is never written after its birth.
#[derive(Trace, Clone, Copy)]
pub struct Tree<'gc> {
    pub left: Option<Gc<'gc, Tree<'gc>>>,
    pub right: Option<Gc<'gc, Tree<'gc>>>,
    pub depth: u32,
}

/// A dynamically typed value with doubles inline.
#[derive(Clone, Copy, Trace, Word)]
pub enum Value<'gc> {
    Num(f64),
    Nil,
    Bool(bool),
    Int(i32),
    Char(char),
    Node(Gc<'gc, Node<'gc>>),
    Str(Gc<'gc, str>),
}

/// A virtual machine's roots.
#[derive(Trace, Default)]
#[trace(root)]
pub struct Vm<'gc> {
    pub stack: Vec<Gc<'gc, Node<'gc>>>,
    pub globals: HashMap<String, Gc<'gc, Node<'gc>>>,
    pub last: std::cell::Cell<Option<Gc<'gc, Node<'gc>>>>,
    #[trace(skip)]
    pub steps: std::rc::Rc<std::cell::Cell<u32>>,
}

/// A mutator without roots of its own.
pub type Plain = Mutator<()>;

/// The zeal of the environment.
fn environment() -> Zeal {
    Zeal::from_env().expect("ORINOCO_ZEAL holds words of zeal")
}

/// Whether the whole run is under zeal.
pub fn zealous() -> bool {
    environment().is_on()
}

/// `n` repetitions, or a twentieth of them under zeal, where each one moves the whole heap.
pub fn rounds(n: u64) -> u64 {
    if zealous() { n / 20 } else { n }
}

/// The configuration of every test: verified, with one helper, under zeal and without techniques if the environment says so.
pub fn config() -> HeapConfig {
    let whole =
        HeapConfig::new().limit(Bytes::mib(256)).nursery(Bytes::mib(1)).helpers(1).verify(true).zeal(environment());
    let without = std::env::var("ORINOCO_WITHOUT").unwrap_or_default();
    without.split(',').filter(|word| !word.is_empty()).fold(whole, |config, word| match word {
        "concurrent" => config.concurrent_marking(false),
        "incremental" => config.incremental_marking(false),
        "parallel" => config.parallel_scavenge(false),
        "helpers" => config.helpers(0),
        other => panic!("ORINOCO_WITHOUT: {other:?} is no technique that can be left out"),
    })
}

/// A heap that collects when it pays, or under the zeal of the environment.
pub fn heap() -> Heap {
    Heap::new(config()).expect("the configuration is in range")
}

/// A heap that moves every object at every safepoint, always.
pub fn moving_heap() -> Heap {
    Heap::new(config().zeal(Zeal::EVERYTHING)).expect("the configuration is in range")
}

/// A heap with a young collection at every safepoint, always.
pub fn young_heap() -> Heap {
    Heap::new(config().zeal(Zeal::YOUNG)).expect("the configuration is in range")
}

pub fn node<'gc>(cx: &'gc Cx, v: u64) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node { next: Field::null(), v })
}

pub fn root_node(cx: &Cx, v: u64) -> Root<Node<'static>> {
    cx.root(node(cx, v))
}

/// A list of `n` nodes, `n - 1` first.
pub fn list<'gc>(cx: &'gc Cx, n: u64) -> Option<Gc<'gc, Node<'gc>>> {
    (0..n).fold(None, |next, v| Some(cx.alloc(Node { next: Field::new(next), v })))
}

/// The values along a list.
pub fn values(head: Option<Gc<'_, Node<'_>>>) -> Vec<u64> {
    std::iter::successors(head, |n| n.next.get()).map(|n| n.v).collect()
}

/// Collects until what `m`'s roots hold is in the old space: two survivals and one to be sure.
pub fn age<R>(m: &mut Mutator<R>) {
    for _ in 0..3 {
        m.collect_young();
    }
}

/// Garbage enough to make `bytes` of allocation.
pub fn litter(cx: &Cx, bytes: usize) {
    for _ in 0..bytes / 64 {
        cx.alloc([0u64; 7]);
    }
}

/// Counts drops, and checks that what is dropped is what was made.
pub struct Noisy {
    count: Arc<AtomicU64>,
    seal: u64,
}
impl Noisy {
    const SEAL: u64 = 0x5EA1_5EA1_5EA1_5EA1;
    pub fn new(count: &Arc<AtomicU64>) -> Self {
        Self { count: count.clone(), seal: Self::SEAL }
    }
    pub fn is_whole(&self) -> bool {
        self.seal == Self::SEAL
    }
}
impl Drop for Noisy {
    fn drop(&mut self) {
        assert!(self.is_whole(), "what is dropped is not what was made");
        self.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// A small generator, so that a failing run can be repeated: `ORINOCO_SEED` sets its start.
pub struct Rng(u64);
impl Rng {
    /// Starts from the environment's seed, or from the clock; the seed is printed, and shown when the test fails.
    pub fn from_env(test: &str) -> Self {
        let seed = match std::env::var("ORINOCO_SEED").ok().and_then(|s| s.parse().ok()) {
            Some(seed) => seed,
            None => std::time::UNIX_EPOCH.elapsed().map_or(1, |d| d.as_nanos() as u64),
        };
        eprintln!("{test}: repeat this run with ORINOCO_SEED={seed}");
        Self::new(seed)
    }
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// What a slot of a static array of options holds; shorthand for tests on arrays.
pub type Slots<'gc> = Gc<'gc, [Slot<Option<Gc<'gc, Node<'gc>>>>]>;

/// A [`Noisy`] that may live in the heap by itself.
#[derive(Trace)]
pub struct NoisyBox(#[trace(skip)] pub Noisy);

pub fn noisy_box(count: &Arc<AtomicU64>) -> NoisyBox {
    NoisyBox(Noisy::new(count))
}
