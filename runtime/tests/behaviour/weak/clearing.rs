//! Clearing in slices: under the zeal of steps each stop clears one slice of what refers to the dead, and the program looks
//! at everything in between.
use super::*;
use crate::common::config;
use orinoco::{Bytes, Heap, Zeal};

/// Targets; each has two weak cells, an entry, and a record.
const TARGETS: usize = 1200;

#[derive(Trace)]
struct Watched<'gc> {
    /// Two cells for each target, far apart.
    cells: Gc<'gc, [Slot<Option<Weak<'gc, Node<'gc>>>>]>,
    map: Gc<'gc, Map<'gc>>,
    registry: Gc<'gc, Registry<'gc>>,
    alive: Gc<'gc, [Slot<Option<Gc<'gc, Node<'gc>>>>]>,
}

fn sliced() -> Heap {
    let zeal: Zeal = "step".parse().expect("it is a word of zeal");
    Heap::new(config().nursery(Bytes::kib(256)).zeal(zeal)).expect("in range")
}

fn watched<'gc>(cx: &'gc Cx) -> Gc<'gc, Watched<'gc>> {
    let (map, registry) = (Map::new(cx), Registry::new(cx));
    let alive: Gc<'_, [Slot<Option<Gc<'_, Node<'_>>>>]> = cx.alloc_slice(TARGETS, |_| Slot::new(None));
    let cells: Gc<'_, [Slot<Option<Weak<'_, Node<'_>>>>]> = cx.alloc_slice(2 * TARGETS, |_| Slot::new(None));
    for i in 0..TARGETS {
        let target = node(cx, i as u64);
        alive[i].set(cx, Some(target));
        cells[i].set(cx, Some(cx.weak(target)));
        cells[TARGETS + i].set(cx, Some(cx.weak(target)));
        map.insert(cx, target, node(cx, i as u64));
        registry.register(cx, target, node(cx, i as u64));
    }
    cx.alloc(Watched { cells, map, registry, alive })
}

impl<'gc> Watched<'gc> {
    fn peek(&self, cx: &'gc Cx, i: usize) -> Option<Gc<'gc, Node<'gc>>> {
        self.cells[i].get().expect("cells stay").peek(cx)
    }
    /// How many targets are dead; nobody says of one that it is and of the same one that it is not.
    fn dead(&self, cx: &'gc Cx) -> usize {
        let mut dead = 0;
        for i in 0..TARGETS {
            let (one, other) = (self.peek(cx, i), self.peek(cx, TARGETS + i));
            assert_eq!(one.is_some(), other.is_some(), "one reference to {i} is cleared, and another is not");
            dead += usize::from(one.is_none());
            assert!(one.is_none_or(|target| target.v == i as u64));
        }
        while let Some(held) = self.registry.poll(cx) {
            assert!(self.peek(cx, held.v as usize).is_none(), "{} is dead for its registry and can be seen", held.v);
        }
        dead
    }
}

#[test]
fn a_target_dies_for_all_at_once_though_it_is_cleared_in_slices() {
    sliced().enter((), |m| {
        let all = {
            let all = watched(m);
            m.root(all)
        };
        age(m);
        for i in (0..TARGETS).filter(|i| i % 3 != 0) {
            all.get(m).alive[i].set(m, None);
        }
        m.begin_collection();
        let mut between = 0;
        for _ in 0..20_000 {
            let (dead, entries) = {
                let all = all.get(m);
                (all.dead(m), all.map.len(m))
            };
            assert!(dead == 0 || dead == TARGETS / 3 * 2, "{dead} are dead, and the others not yet");
            if dead > 0 && entries > TARGETS / 3 {
                between += 1;
                let cx: &Cx = m;
                let all = all.get(cx);
                // The living are what they were, and what is put in now stays.
                for i in (0..TARGETS).step_by(3) {
                    let key = all.alive[i].get().expect("it was kept");
                    assert_eq!(all.map.get(cx, key).map(|value| value.v), Some(i as u64));
                }
                let new = node(cx, 1);
                all.cells[1].set(cx, Some(cx.weak(new)));
                all.cells[TARGETS + 1].set(cx, Some(cx.weak(new)));
                all.cells[1].set(cx, all.cells[2].get());
                all.cells[TARGETS + 1].set(cx, all.cells[2].get());
            }
            if dead > 0 && entries == TARGETS / 3 {
                assert!(between > 2, "the program looked {between} times while clearing went on");
                return;
            }
            litter(m, 16 << 10);
            m.safepoint();
        }
        panic!("clearing does not end");
    });
}

#[test]
fn whole_collections_finish_what_slices_have_begun() {
    for collect in [EVERY_WAY[1], EVERY_WAY[2]] {
        sliced().enter((), |m| {
            let all = {
                let all = watched(m);
                m.root(all)
            };
            age(m);
            for i in (0..TARGETS).filter(|i| i % 2 == 0) {
                all.get(m).alive[i].set(m, None);
            }
            m.begin_collection();
            while all.get(m).dead(m) == 0 {
                litter(m, 16 << 10);
                m.safepoint();
            }
            assert!(all.get(m).map.len(m) > TARGETS / 2, "clearing has only begun");
            m.collect_young();
            collect(m);
            let all = all.get(m);
            assert_eq!((all.dead(m), all.map.len(m), all.registry.len(m)), (TARGETS / 2, TARGETS / 2, TARGETS / 2));
        });
    }
}

/// Each stop cleared a slice, as late as it was, and each round more weak references were promoted than that: clearing never ended, nothing
/// was swept, and the heap grew to its limit. It took a machine on which a slice was all that a stop had time for.
#[test]
fn clearing_ends_though_more_is_promoted_in_each_stop_than_a_slice_clears() {
    const A_ROUND: usize = 600;
    let heap = sliced();
    heap.enter((), |m| {
        let (target, ring) = {
            let cx: &Cx = m;
            let ring: Gc<'_, [Slot<Option<Weak<'_, Node<'_>>>>]> = cx.alloc_slice(4 * A_ROUND, |_| Slot::new(None));
            (cx.root(node(cx, 1)), cx.root(ring))
        };
        let mut round = 0;
        let mut play = |m: &mut Mutator<()>| {
            let cx: &Cx = m;
            for i in 0..A_ROUND {
                ring.get(cx)[(round * A_ROUND + i) % (4 * A_ROUND)].set(cx, Some(cx.weak(target.get(cx))));
            }
            round += 1;
            litter(m, 256 << 10);
            m.safepoint();
        };
        (0..8).for_each(|_| play(m));
        let before = heap.statistics().full_collections;
        m.begin_collection();
        let ended = (0..2000).any(|_| {
            play(m);
            heap.statistics().full_collections > before
        });
        assert!(ended, "{:?}", heap.statistics());
    });
}
