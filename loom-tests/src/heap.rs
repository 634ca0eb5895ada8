//! A whole heap under its verifier: the witness for sites in rooms that read real memory.
//!
//! One thread moves lists about between old objects while marking goes on, in the one way that an insertion barrier is
//! for: out of what the marker has not seen, into what it has. The verifier walks the heap before and after each
//! collection, and once more beside the marker's own trace; what it finds ends the process, with the rule that was broken.

use orinoco::{Bytes, Compaction, Cx, Field, Gc, Heap, HeapConfig, Lock, Mutator, Root, Slot, Trace};

/// Slots of an array, and lists of the whole.
const SLOTS: usize = 512;
const ARRAYS: usize = 16;
/// Old objects with one slot.
const SINGLES: usize = 64;
/// Nodes of a list.
const LENGTH: u64 = 3;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    value: u64,
}

type Place<'gc> = Slot<Option<Gc<'gc, Node<'gc>>>>;

#[derive(Trace)]
struct Bag<'gc> {
    lists: Lock<Vec<Gc<'gc, Node<'gc>>>>,
}

/// What to do between two safepoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Lists change places between old arrays, and new ones come.
    Slots,
    /// Lists go into old locked vectors and come out again.
    Locks,
    /// As `Slots`, and every old region is emptied in every cycle; lists are lent to old objects with one slot as well, for
    /// an array that has many is recorded for some list or other whatever the barrier does.
    Moves,
    /// Keys, values and tables of every age (see `weak_heap`).
    Weak,
}

impl Work {
    /// The work spelled `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "slots" => Some(Self::Slots),
            "locks" => Some(Self::Locks),
            "moves" => Some(Self::Moves),
            "weak" => Some(Self::Weak),
            _ => None,
        }
    }
}

/// The next of a sequence of numbers that a seed determines (Marsaglia's xorshift).
pub(crate) fn below(seed: &mut u64, n: usize) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 11) as usize % n
}

fn list<'gc>(cx: &'gc Cx, value: u64) -> Gc<'gc, Node<'gc>> {
    let first = cx.alloc(Node { next: Field::null(), value });
    (1..LENGTH).fold(first, |next, _| cx.alloc(Node { next: Field::new(Some(next)), value }))
}

fn sum(head: Gc<'_, Node<'_>>) -> u64 {
    std::iter::successors(Some(head), |node| node.next.get()).map(|node| node.value).sum()
}

/// Works on a small heap for `rounds` safepoints; returns how many marking cycles that took.
///
/// # Panics
/// When a list was lost; in a pause, when the verifier finds a rule broken.
pub fn run(work: Work, rounds: u64, mut seed: u64) -> u64 {
    if work == Work::Weak {
        return crate::weak_heap::run(rounds, seed);
    }
    let config = HeapConfig::new()
        .limit(Bytes::mib(64))
        .nursery(Bytes::kib(256))
        .initial_old(Bytes::kib(512))
        .helpers(1)
        .compaction(if work == Work::Moves { Compaction::Always } else { Compaction::Off })
        .verify(true);
    let heap = Heap::new(config).expect("the configuration is in range");
    heap.enter((), |m: &mut Mutator<()>| {
        // Twice as many of which half is full: there is as much to move, which is more than a batch.
        let count = if work == Work::Moves { 2 * ARRAYS } else { ARRAYS };
        let arrays: Vec<Root<[Place<'static>]>> = (0..count)
            .map(|_| {
                let cx: &Cx = m;
                // Half of the places are empty where lists are lent: so is half of what they are lent to.
                let full = |at: usize| work != Work::Moves || at.is_multiple_of(2);
                cx.root(cx.alloc_slice(SLOTS, |at| Place::new(full(at).then(|| list(cx, 1)))))
            })
            .collect();
        let singles: Vec<Root<[Place<'static>]>> = (0..SINGLES)
            .map(|_| {
                let cx: &Cx = m;
                cx.root(cx.alloc_slice(1, |_| Place::new(None)))
            })
            .collect();
        let bags: Vec<Root<Bag<'static>>> = (0..ARRAYS)
            .map(|_| {
                let cx: &Cx = m;
                cx.root(cx.alloc(Bag { lists: Lock::default() }))
            })
            .collect();
        (0..3).for_each(|_| m.collect_young());
        for _ in 0..rounds {
            {
                let cx: &Cx = m;
                (0..64).for_each(|_| match work {
                    Work::Slots => change_places(cx, &arrays, &mut seed),
                    Work::Moves => {
                        change_places(cx, &arrays, &mut seed);
                        lend(cx, &arrays, &singles, &mut seed);
                        behead(cx, &arrays, &mut seed);
                    }
                    Work::Locks => in_and_out(cx, &arrays, &bags, &mut seed),
                    Work::Weak => unreachable!("it has a heap of its own"),
                });
                (0..32).for_each(|_| renew(cx, &arrays, &mut seed));
                (0..256).for_each(|_| _ = cx.alloc([0u64; 15]));
            }
            m.safepoint();
        }
        m.collect();
        let cx: &Cx = m;
        let in_array = |array: Gc<'_, [Place<'_>]>| array.iter().filter_map(|place| place.get()).map(sum).sum::<u64>();
        let in_arrays: u64 = arrays.iter().chain(&singles).map(|array| in_array(array.get(cx))).sum();
        let in_bag = |bag: Gc<'_, Bag<'_>>| bag.lists.lock(cx).iter().map(|head| sum(*head)).sum::<u64>();
        let in_bags: u64 = bags.iter().map(|bag| in_bag(bag.get(cx))).sum();
        assert_eq!(in_arrays + in_bags, (SLOTS * ARRAYS) as u64 * LENGTH, "a list was lost");
    });
    heap.statistics().full_collections
}

fn change_places(cx: &Cx, arrays: &[Root<[Place<'static>]>], seed: &mut u64) {
    let (one, other) = (arrays[below(seed, arrays.len())].get(cx), arrays[below(seed, arrays.len())].get(cx));
    let (i, j) = (below(seed, SLOTS), below(seed, SLOTS));
    if std::ptr::eq(&one[i], &other[j]) {
        return;
    }
    let moved = one[i].swap(cx, None);
    let displaced = other[j].swap(cx, moved);
    one[i].set(cx, displaced);
}

/// What an array's place has goes to a single one, and what that has comes back.
fn lend(cx: &Cx, arrays: &[Root<[Place<'static>]>], singles: &[Root<[Place<'static>]>], seed: &mut u64) {
    let place = &arrays[below(seed, arrays.len())].get(cx)[below(seed, SLOTS)];
    let single = &singles[below(seed, SINGLES)].get(cx)[0];
    let lent = place.swap(cx, None);
    place.set(cx, single.swap(cx, lent));
}

/// Lists die old, and young ones become old in their places: so that marking has to begin again and again.
fn renew(cx: &Cx, arrays: &[Root<[Place<'static>]>], seed: &mut u64) {
    let place = &arrays[below(seed, arrays.len())].get(cx)[below(seed, SLOTS)];
    if place.get().is_some() {
        place.set(cx, Some(list(cx, 1)));
    }
}

/// A list has a young head before its old rest: once promoted, that refers to what may be about to move.
fn behead(cx: &Cx, arrays: &[Root<[Place<'static>]>], seed: &mut u64) {
    let place = &arrays[below(seed, arrays.len())].get(cx)[below(seed, SLOTS)];
    if let Some(head) = place.get() {
        place.set(cx, Some(cx.alloc(Node { next: Field::new(head.next.get()), value: head.value })));
    }
}

fn in_and_out(cx: &Cx, arrays: &[Root<[Place<'static>]>], bags: &[Root<Bag<'static>>], seed: &mut u64) {
    let (array, bag) = (arrays[below(seed, arrays.len())].get(cx), bags[below(seed, ARRAYS)].get(cx));
    let place = &array[below(seed, SLOTS)];
    match place.get() {
        Some(head) => {
            place.set(cx, None);
            bag.lists.lock(cx).push(head);
        }
        None => place.set(cx, bag.lists.lock(cx).pop()),
    }
}
