//! Limits: refusals are errors, and the heap is usable afterwards.
use crate::common::{Node, config, heap, litter, node, root_node, rounds, values};
use orinoco::{AllocError, Bytes, Cx, Field, Gc, Heap, HeapConfig, HeapError, Zeal};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn small_heap() -> Heap {
    Heap::new(config().limit(Bytes::mib(6)).nursery(Bytes::kib(512))).unwrap()
}

/// Grows a list by up to `n` nodes.
fn grow<'gc>(cx: &'gc Cx, list: &mut Option<Gc<'gc, Node<'gc>>>, n: u64) -> Result<(), AllocError> {
    for v in 0..n {
        *list = Some(cx.try_alloc(Node { next: Field::new(*list), v })?);
    }
    Ok(())
}

#[test]
fn a_full_heap_refuses_and_is_usable_again_once_there_is_garbage() {
    let heap = small_heap();
    heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
        for _ in 0..2 {
            let mut refusals = 0;
            while refusals < 2 {
                let (cx, list) = m.split();
                match grow(cx, list, 10_000) {
                    Ok(()) => m.safepoint(),
                    Err(AllocError::LimitReached) => {
                        refusals += 1;
                        m.collect();
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            let (_, list) = m.split();
            let length = std::iter::successors(*list, |n| n.next.get()).count();
            assert!(length * 24 > 3 << 20, "only {length} nodes fit 6 MiB");
            *list = None;
            m.collect();
            let (cx, list) = m.split();
            grow(cx, list, 10_000).expect("all of it was garbage");
            m.collect();
            assert!(values(*m.split().1).into_iter().eq((0..10_000).rev()), "what is alive is whole");
            *m.split().1 = None;
        }
    });
}

#[test]
fn a_window_without_safepoints_is_refused_at_the_limit_and_not_killed() {
    let heap = small_heap();
    heap.enter((), |m| {
        let cx: &Cx = m;
        let refused = (0..10_000_000u64).find_map(|v| cx.try_alloc(Node { next: Field::null(), v }).err());
        assert_eq!(refused, Some(AllocError::LimitReached));
        assert!(cx.try_alloc_slice(1 << 20, |_| 0u8).is_err() && cx.try_alloc_str(&"x".repeat(1 << 20)).is_err());
        m.collect();
        assert_eq!(node(m, 3).v, 3);
        m.verify();
    });
}

#[test]
fn the_panicking_form_unwinds_out_of_the_turn_and_leaves_the_heap_whole() {
    let heap = small_heap();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
            let (cx, list) = m.split();
            loop {
                *list = Some(cx.alloc(Node { next: Field::new(*list), v: 1 }));
            }
        })
    }));
    let text = *unwound.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("limit is reached"), "{text}");
    heap.enter((), |m| {
        m.collect();
        grow(m, &mut None, 100_000).unwrap();
        m.verify();
    });
}

#[test]
fn absurd_lengths_are_refused_before_anything_is_touched() {
    heap().enter((), |m| {
        let cx: &Cx = m;
        for n in [usize::MAX, usize::MAX / 2, usize::MAX / 8, isize::MAX as usize / 8, 1 << 45, 1 << 30] {
            let refused = cx.try_alloc_slice(n, |_| -> u64 { panic!("an element was made") });
            assert!(refused.is_err(), "{n} elements");
        }
        assert_eq!(cx.try_alloc_slice(usize::MAX, |_| 0u16).err(), Some(AllocError::TooLarge));
        m.collect();
    });
}

#[test]
fn large_objects_are_refused_at_the_limit_and_given_back_when_dead() {
    let heap = small_heap();
    heap.enter((), |m| {
        for round in 0..20 {
            let mut refused = false;
            for _ in 0..2 {
                match m.try_alloc_slice(2 << 20, |i| (i + round) as u8) {
                    Ok(big) => assert_eq!(big[4096], (4096 + round) as u8),
                    Err(e) => {
                        assert_eq!(e, AllocError::LimitReached);
                        refused = true;
                    }
                }
            }
            if refused || round % 2 == 0 {
                m.collect();
                assert!(m.try_alloc_slice(2 << 20, |_| 0u8).is_ok(), "round {round}: nothing of it is alive");
                m.collect();
            }
        }
    });
}

#[test]
fn a_nursery_that_survives_whole_at_the_limit_is_an_error_or_fits_but_never_a_crash() {
    for nursery in [256, 512, 1024] {
        let heap = Heap::new(config().limit(Bytes::mib(4)).nursery(Bytes::kib(nursery))).unwrap();
        heap.enter(vec![], |m: &mut orinoco::Mutator<Vec<Gc<'static, Node<'static>>>>| {
            'full: loop {
                for _ in 0..4000 {
                    let (cx, all) = m.split();
                    match cx.try_alloc(Node { next: Field::null(), v: all.len() as u64 }) {
                        Ok(n) => all.push(n),
                        Err(_) => break 'full,
                    }
                }
                m.safepoint();
            }
            m.collect();
            assert!(m.split().1.iter().zip(0..).all(|(n, i)| n.v == i));
            m.verify();
            m.split().1.clear();
            m.collect();
            assert_eq!(node(m, 1).v, 1);
        });
    }
}

/// A list of `n` nodes with one number.
fn comb<'gc>(cx: &'gc Cx, n: u64, number: u64) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
    let mut list = None;
    for _ in 0..n {
        list = Some(cx.try_alloc(Node { next: Field::new(list), v: number })?);
    }
    Ok(list.expect("at least one node was asked for"))
}

#[test]
fn threads_that_allocate_without_end_are_each_refused_let_go_and_finish_their_work() {
    const THREADS: u64 = 8;
    let heap = Heap::new(config().limit(Bytes::mib(8)).nursery(Bytes::kib(512))).unwrap();
    for round in 0..crate::common::rounds(20) {
        let everybody = std::sync::Barrier::new(THREADS as usize);
        std::thread::scope(|scope| {
            for index in 0..THREADS {
                let (heap, everybody) = (&heap, &everybody);
                scope.spawn(move || {
                    heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
                        let refused = loop {
                            let (cx, list) = m.split();
                            match grow(cx, list, 100) {
                                Ok(()) => m.safepoint(),
                                Err(refused) => break refused,
                            }
                        };
                        assert!(matches!(refused, AllocError::LimitReached | AllocError::HeapFull), "{refused}");
                        *m.split().1 = None;
                        m.park(|| everybody.wait());
                        let number = round * THREADS + index;
                        for _ in 0..4 {
                            m.attempt(|cx, list| {
                                *list = Some(comb(cx, 1000, number)?);
                                Ok(())
                            })
                            .expect("after a collection there is room");
                            m.safepoint();
                            let kept = values(*m.split().1);
                            assert!(kept.len() == 1000 && kept.iter().all(|v| *v == number));
                        }
                    });
                });
            }
        });
    }
    heap.enter((), |m| {
        m.collect();
        assert_eq!(m.verify().objects, 0);
    });
}

#[test]
fn a_refused_large_object_fits_after_the_next_safepoint_if_what_held_its_place_is_dead() {
    let heap = small_heap();
    heap.enter((), |m| {
        for _ in 0..20 {
            // Old and dead by the time the next is refused: a young collection would not find that out.
            let refused = (0..3).find_map(|_| m.try_alloc_slice(2 << 20, |_| 1u8).err());
            if let Some(refused) = refused {
                assert!(refused.collection_may_help());
                m.safepoint();
                assert!(m.try_alloc_slice(2 << 20, |_| 0u8).is_ok());
            }
        }
    });
    assert!(heap.statistics().full_collections + heap.statistics().evacuations > 0);
}

/// The program keeps all that fits and asks for a little more, again and again. Without a refusal that lasts, each little
/// would cost a whole collection, and the program would be refused nothing and get nothing done.
#[test]
fn a_heap_full_of_live_data_is_refused_for_good_and_not_collected_without_end() {
    if crate::common::zealous() {
        return; // Every safepoint collects then.
    }
    let heap = small_heap();
    heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
        loop {
            let (cx, list) = m.split();
            if grow(cx, list, 1000).is_err() {
                break;
            }
            m.safepoint();
        }
        m.safepoint();
        let (mut refusals, mut fulls) = (0, 0);
        for _ in 0..20_000 {
            let (cx, list) = m.split();
            let more = comb(cx, 50, 0).and_then(|_| grow(cx, list, 2));
            if more.is_err_and(|e| e == AllocError::HeapFull) {
                refusals += 1;
                fulls = heap.statistics().full_collections;
                break;
            }
            m.safepoint();
        }
        assert_eq!(refusals, 1, "{:?}", heap.statistics());
        let live = std::iter::successors(*m.split().1, |n| n.next.get()).count();
        assert!(live * 24 > 4 << 20, "refused with {live} nodes alive");
        assert!(fulls < 100, "{fulls} whole collections before the heap was called full");
        *m.split().1 = None;
        m.attempt(|cx, list| grow(cx, list, 50_000)).expect("everything was let go");
        for _ in 0..100 {
            *m.split().1 = None;
            m.attempt(|cx, list| grow(cx, list, 50_000)).expect("a heap that breathes again refuses nothing");
        }
    });
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |config: HeapConfig, setting: &str| match Heap::new(config) {
        Err(HeapError::Config { setting: found, .. }) => assert_eq!(found, setting),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("`{setting}` was accepted"),
    };
    refused(HeapConfig::new().limit(Bytes::kib(4)), "limit");
    refused(HeapConfig::new().nursery(Bytes::kib(4)), "nursery");
    refused(HeapConfig::new().helpers(100_000), "helpers");
    assert!(Heap::new(HeapConfig::new().helpers(0)).is_ok());
}

#[test]
fn everything_works_without_helper_threads() {
    let heap = Heap::new(config().helpers(0)).unwrap();
    heap.enter((), |m| {
        let root = {
            let list = crate::common::list(m, 50_000).unwrap();
            m.root(list)
        };
        for _ in 0..3 {
            crate::common::litter(m, 4 << 20);
            m.collect_young();
            m.collect();
            m.collect_compact();
        }
        assert!(values(Some(root.get(m))).into_iter().eq((0..50_000).rev()));
    });
}

#[test]
fn statistics_can_be_read_at_any_time_from_any_thread() {
    let heap = heap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|s| {
        s.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let statistics = heap.statistics();
                assert!(statistics.committed <= statistics.limit);
            }
        });
        heap.enter((), |m| {
            for _ in 0..20 {
                crate::common::litter(m, 1 << 20);
                m.collect_young();
                m.collect();
            }
        });
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let statistics = heap.statistics();
    assert!(statistics.scavenges >= 20 && statistics.full_collections >= 20, "{statistics:?}");
}

/// What stays where it is in a young collection makes its region old, with next to nothing in it. Old bytes hardly grow then,
/// so that no cycle was due; whole collections near the limit found nearly everything in use, and refused what would have fit.
#[test]
fn a_heap_of_regions_with_little_in_them_is_compacted_before_it_is_full() {
    let sticky: Zeal = "young:4,retain".parse().unwrap();
    for config in [config().zeal(sticky), config().zeal(sticky).concurrent_marking(false).incremental_marking(false)] {
        let heap = Heap::new(config.limit(Bytes::mib(16)).nursery(Bytes::mib(1))).unwrap();
        heap.enter((), |m| {
            let mut kept = std::collections::VecDeque::new();
            for v in 0..rounds(4000) {
                kept.push_back(root_node(m, v));
                if kept.len() > 200 {
                    kept.pop_front();
                }
                litter(m, 32 << 10);
                m.safepoint();
            }
            let first = kept.front().expect("some are kept").get(m).v;
            assert!(kept.iter().zip(first..).all(|(root, v)| root.get(m).v == v));
        });
    }
}
