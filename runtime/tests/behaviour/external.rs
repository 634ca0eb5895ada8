//! Memory that objects own outside of the heap: counted from birth to death, wherever the object goes, and never below zero.
use crate::common::{Node, age, config, heap, moving_heap, node};
use orinoco::{AllocError, Bytes, Cx, External, Gc, Heap, Lock, Trace};
use std::collections::{BTreeMap, HashMap};

#[derive(Trace)]
struct Owner<'gc> {
    name: String,
    list: Vec<Gc<'gc, Node<'gc>>>,
    table: Lock<HashMap<u64, u64>>,
    rest: (Option<Box<[u8]>>, [Vec<String>; 1]),
}

fn owner<'gc>(cx: &'gc Cx, bytes: usize) -> Gc<'gc, Owner<'gc>> {
    cx.alloc(Owner {
        name: "n".repeat(bytes),
        list: vec![node(cx, 1); bytes / 8],
        table: Lock::default(),
        rest: (Some(vec![0; bytes].into()), [vec!["s".repeat(bytes)]]),
    })
}

fn external(heap: &Heap) -> usize {
    heap.memory_usage().external.get()
}

#[test]
fn what_an_object_owns_counts_from_its_birth_to_its_death_whatever_moves_it() {
    for heap in [heap(), moving_heap()] {
        heap.enter((), |m| {
            let kept = m.root(owner(m, 100_000));
            m.collect();
            let counted = external(&heap);
            assert!((400_000..401_000).contains(&counted), "{counted}");
            for round in 0..30 {
                owner(m, 50_000 + round);
                if round % 7 == 0 {
                    age(m);
                }
                m.safepoint();
            }
            m.collect();
            assert_eq!(external(&heap), counted, "what has died is counted no longer, what lives is");
            assert!(kept.get(m).rest.1[0][0].len() == 100_000);
            drop(kept);
            m.collect();
            assert_eq!(external(&heap), 0);
        });
    }
}

#[test]
fn what_grows_and_shrinks_under_a_lock_is_counted_when_the_lock_is_given_back() {
    let heap = heap();
    heap.enter((), |m| {
        let kept = m.root(owner(m, 0));
        for aged in [false, true] {
            if aged {
                age(m);
            }
            m.collect_young();
            let before = external(&heap);
            kept.get(m).table.with(m, |t| t.extend((0..100_000).map(|i| (i, i))));
            m.collect_young();
            let grown = external(&heap) - before;
            assert!(grown > 100_000 * 16, "{grown}");
            kept.get(m).table.with(m, |t| *t = HashMap::new());
            m.collect_young();
            assert_eq!(external(&heap), before);
        }
        // A lock that is not in the heap yet counts when it is.
        let lock = Lock::new(Vec::<u64>::new());
        lock.lock(m).reserve_exact(100_000);
        m.collect_young();
        let before = external(&heap);
        let moved_in = m.root(m.alloc(lock));
        m.collect();
        assert_eq!(external(&heap) - before, 800_000);
        drop((moved_in, kept));
        m.collect();
        assert_eq!(external(&heap), 0);
    });
}

#[test]
fn a_forgotten_guard_hides_a_change_and_the_count_stops_at_zero() {
    let heap = heap();
    heap.enter((), |m| {
        {
            let lock = m.alloc(Lock::new(Vec::<u64>::new()));
            let mut guard = lock.lock(m);
            guard.reserve_exact(1000);
            std::mem::forget(guard);
        }
        m.collect();
        assert_eq!(external(&heap), 0);
        let kept = m.root(m.alloc(vec![0u64; 1000]));
        m.collect();
        assert_eq!(external(&heap), 8000);
        drop(kept);
    });
}

#[test]
fn arrays_and_maps_of_owners_count_what_all_of_them_own() {
    let heap = heap();
    heap.enter((), |m| {
        let array = m.root(m.alloc_slice(100, |i| "x".repeat(i * 10)));
        m.collect();
        assert_eq!(external(&heap), (0..100).map(|i| i * 10).sum::<usize>());
        let map: BTreeMap<u64, Vec<u8>> = (0..100).map(|i| (i, vec![0; 1000])).collect();
        let map = m.root(m.alloc(map));
        m.collect();
        assert!(external(&heap) > 49_500 + 100_000);
        drop((array, map));
        m.collect();
        assert_eq!(external(&heap), 0);
    });
}

#[test]
fn what_is_owned_outside_counts_for_the_limit_and_its_garbage_makes_room() {
    let heap = Heap::new(config().limit(Bytes::mib(16)).nursery(Bytes::kib(512))).unwrap();
    heap.enter(Vec::<Gc<'static, Vec<u8>>>::new(), |m| {
        for round in 0..3 {
            let refused = loop {
                let (cx, all) = m.split();
                match cx.try_alloc(vec![round; 256 << 10]) {
                    Ok(buffer) => all.push(buffer),
                    Err(refused) => break refused,
                }
                // More than the limit is never owned for long, though each object is three words.
                assert!(m.split().1.len() <= 80, "{} buffers of 256 KiB", m.split().1.len());
                m.safepoint();
            };
            assert!(matches!(refused, AllocError::LimitReached | AllocError::HeapFull), "{refused}");
            assert!(m.split().1.len() > 32, "refused at {}", m.split().1.len());
            m.split().1.clear();
            m.attempt(|cx, all| {
                all.push(cx.try_alloc(vec![round; 256 << 10])?);
                Ok(())
            })
            .expect("everything was let go");
            m.split().1.clear();
            m.collect();
            assert_eq!(external(&heap), 0);
        }
    });
}

#[test]
fn small_objects_that_own_much_are_collected_long_before_the_nursery_is_full() {
    let heap = Heap::new(config().limit(Bytes::gib(1))).unwrap();
    heap.enter((), |m| {
        let mut most = 0;
        for _ in 0..2000 {
            m.alloc(vec![0u8; 1 << 20]);
            m.safepoint();
            most = most.max(external(&heap));
        }
        // 48 kB of objects in a nursery of a mebibyte, and two gibibytes that they own.
        let seen = heap.statistics();
        assert!(seen.scavenges + seen.evacuations > 20, "{seen:?}");
        assert!(most < 256 << 20, "{most}");
    });
}

#[test]
fn what_is_declared_counts_until_it_is_dropped_and_is_refused_at_the_limit() {
    #[derive(Trace)]
    struct Mapped(External);
    let heap = Heap::new(config().limit(Bytes::mib(8)).nursery(Bytes::kib(512))).unwrap();
    heap.enter((), |m| {
        let object = m.try_external(Bytes::mib(5)).unwrap();
        let object = m.root(m.alloc(Mapped(object)));
        assert_eq!((external(&heap), object.get(m).0.bytes()), (5 << 20, Bytes::mib(5)));
        assert_eq!(m.try_external(Bytes::mib(5)).err(), Some(AllocError::LimitReached));
        assert_eq!(m.try_external(Bytes::mib(50)).err(), Some(AllocError::TooLarge));
        assert_eq!(m.try_external(Bytes::new(usize::MAX)).err(), Some(AllocError::TooLarge));
        drop(object);
        m.safepoint();
        assert!(m.attempt(|cx, ()| cx.try_external(Bytes::mib(5))).is_ok(), "the object is dead");
        assert_eq!(external(&heap), 0);
    });
}
