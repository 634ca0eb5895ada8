//! Drop glue: after the pause, once, on a mutator, and without a way back to the heap.
use crate::common::{Node, Noisy, NoisyBox, age, heap, litter, moving_heap, node, noisy_box};
use orinoco::{Cx, Gc, Heap, Root, Trace};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn counter() -> Arc<AtomicU64> {
    Arc::default()
}
fn count(counter: &Arc<AtomicU64>) -> u64 {
    counter.load(Ordering::SeqCst)
}

#[derive(Trace)]
struct Resource<'gc> {
    #[trace(skip)]
    noisy: Noisy,
    peer: Option<Gc<'gc, Node<'gc>>>,
    text: String,
    list: Vec<Gc<'gc, Node<'gc>>>,
}
fn resource<'gc>(cx: &'gc Cx, drops: &Arc<AtomicU64>) -> Gc<'gc, Resource<'gc>> {
    let (peer, list) = (Some(node(cx, 1)), vec![node(cx, 2)]);
    cx.alloc(Resource { noisy: Noisy::new(drops), peer, text: "x".repeat(40), list })
}

#[test]
fn the_dead_are_dropped_once_and_the_living_with_their_heap() {
    let drops = counter();
    {
        let heap = moving_heap();
        heap.enter((), |m| {
            let kept = {
                let kept = resource(m, &drops);
                m.root(kept)
            };
            for _ in 0..5 {
                resource(m, &drops);
            }
            m.safepoint();
            assert_eq!(count(&drops), 5);
            m.collect();
            assert_eq!(count(&drops), 5);
            let kept = kept.get(m);
            assert!(kept.noisy.is_whole() && kept.text.len() == 40);
            assert_eq!((kept.peer.unwrap().v, kept.list[0].v), (1, 2));
        });
    }
    assert_eq!(count(&drops), 6);
}

#[test]
fn objects_die_at_every_age_and_are_dropped_once() {
    let drops = counter();
    let heap = heap();
    heap.enter((), |m| {
        let mut roots: Vec<Root<Resource<'static>>> = Vec::new();
        let mut made = 0;
        for round in 0..12 {
            for _ in 0..50 {
                let made_now = resource(m, &drops);
                roots.push(m.root(made_now));
                made += 1;
            }
            litter(m, 1 << 20);
            if round % 4 == 3 {
                m.collect()
            } else {
                m.collect_young()
            }
            roots.retain({
                let mut i = 0;
                move |_| {
                    i += 1;
                    i % 3 != 0
                }
            });
        }
        m.collect();
        assert_eq!(count(&drops), made - roots.len() as u64);
        assert!(roots.iter().all(|r| r.get(m).noisy.is_whole()));
        drop(roots);
        m.collect();
        assert_eq!(count(&drops), made);
    });
}

#[test]
fn arrays_of_things_with_drop_glue_are_dropped_element_by_element() {
    let drops = counter();
    heap().enter((), |m| {
        let kept = {
            let small = m.alloc_slice(7, |_| noisy_box(&drops));
            m.alloc_slice(50_000, |_| noisy_box(&drops));
            m.alloc_slice(0, |_| noisy_box(&drops));
            m.root(small)
        };
        m.collect();
        assert_eq!(count(&drops), 50_000);
        age(m);
        assert!(kept.get(m).iter().all(|b: &NoisyBox| b.0.is_whole()));
        drop(kept);
        m.collect();
        assert_eq!(count(&drops), 50_007);
    });
}

#[test]
fn a_drop_that_panics_does_not_keep_others_from_being_dropped() {
    struct Bomb(Arc<AtomicU64>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                std::panic::resume_unwind(Box::new("a destructor's bug"));
            }
        }
    }
    #[derive(Trace)]
    struct Holder {
        #[trace(skip)]
        _bomb: Bomb,
    }
    let drops = counter();
    let heap = heap();
    heap.enter((), |m| {
        for _ in 0..10 {
            m.alloc(Holder { _bomb: Bomb(drops.clone()) });
        }
        let mut panics = 0;
        for _ in 0..20 {
            panics += u32::from(catch_unwind(AssertUnwindSafe(|| m.collect())).is_err());
        }
        assert_eq!((count(&drops), panics > 0), (10, true), "each was dropped once, and somebody heard of it");
        let n = node(m, 1);
        assert_eq!(orinoco::safepoint!(m; n).v, 1);
        m.verify();
    });
}

#[test]
fn a_drop_may_not_run_a_heap_but_the_heap_survives_the_attempt() {
    struct Evil(Heap);
    impl Drop for Evil {
        fn drop(&mut self) {
            self.0.enter((), |m| m.collect());
        }
    }
    #[derive(Trace)]
    struct Holder {
        #[trace(skip)]
        _evil: Evil,
    }
    for same in [false, true] {
        let heap = heap();
        let target = if same { heap.clone() } else { crate::common::heap() };
        let refused = catch_unwind(AssertUnwindSafe(|| {
            heap.enter((), |m| {
                m.alloc(Holder { _evil: Evil(target.clone()) });
                m.collect();
            });
        }));
        let text = *refused.unwrap_err().downcast::<&str>().unwrap();
        assert!(text.contains("already runs a mutator"), "{text}");
        heap.enter((), |m| m.collect());
    }
}

#[test]
fn a_drop_may_do_what_any_code_may_do_beside_a_running_world() {
    struct Busy(Heap, Arc<AtomicU64>);
    impl Drop for Busy {
        fn drop(&mut self) {
            let heap = self.0.clone();
            assert!(heap.statistics().scavenges + heap.statistics().full_collections > 0);
            let seen = std::thread::spawn(move || {
                heap.enter((), |m| {
                    m.collect();
                    node(m, 3).v
                })
            });
            self.1.fetch_add(seen.join().unwrap(), Ordering::SeqCst);
        }
    }
    #[derive(Trace)]
    struct Holder {
        #[trace(skip)]
        _busy: Busy,
    }
    let sum = counter();
    let heap = heap();
    heap.enter((), |m| {
        for _ in 0..3 {
            m.alloc(Holder { _busy: Busy(heap.clone(), sum.clone()) });
        }
        m.collect();
        m.collect();
        assert_eq!(count(&sum), 9, "another thread collected while this one dropped");
    });
}

#[test]
fn what_a_dying_object_owns_may_be_handles_of_the_heap_itself() {
    #[derive(Trace)]
    struct Owner {
        #[trace(skip)]
        _root: Root<Node<'static>>,
        #[trace(skip)]
        _attached: std::sync::Mutex<orinoco::Attached<()>>,
        #[trace(skip)]
        _heap: Heap,
    }
    let heap = heap();
    heap.enter((), |m| {
        let weak = {
            let cx: &Cx = m;
            let n = node(cx, 5);
            let weak = cx.root(cx.weak(n));
            cx.alloc(Owner { _root: cx.root(n), _attached: heap.attach(()).into(), _heap: heap.clone() });
            weak
        };
        m.collect();
        m.collect();
        assert!(weak.get(m).peek(m).is_none(), "the root died with its owner");
        assert_eq!(heap.mutators(), 1);
    });
}

#[test]
fn a_seated_mutator_can_be_let_go_by_a_destructor() {
    #[derive(Trace)]
    struct Owner {
        #[trace(skip)]
        _attached: std::sync::Mutex<orinoco::Attached<()>>,
    }
    let heap = heap();
    let mut attached = heap.attach(());
    attached.run(|m| m.safepoint());
    heap.enter((), |m| {
        m.alloc(Owner { _attached: attached.into() });
        m.collect();
        m.collect();
        m.verify();
    });
    heap.enter((), |m| m.collect());
    assert_eq!(heap.mutators(), 0);
}

#[test]
fn a_heap_may_die_with_an_object_of_another_heap() {
    #[derive(Trace)]
    struct Owner {
        #[trace(skip)]
        _heap: Heap,
    }
    let drops = counter();
    let inner = heap();
    inner.enter((), |m| {
        let kept = m.alloc(noisy_box(&drops));
        std::mem::forget(m.root(kept));
    });
    heap().enter((), |m| {
        m.alloc(Owner { _heap: inner });
        m.collect();
        m.collect();
        assert_eq!(count(&drops), 1, "its objects were dropped with it");
    });
}

#[test]
fn a_mutators_roots_are_dropped_when_it_leaves_and_not_before() {
    #[derive(Trace)]
    struct Roots<'gc> {
        #[trace(skip)]
        _noisy: Noisy,
        n: Option<Gc<'gc, Node<'gc>>>,
    }
    let drops = counter();
    let heap = heap();
    heap.enter(Roots { _noisy: Noisy::new(&drops), n: None }, |m| {
        let (cx, roots) = m.split();
        roots.n = Some(node(cx, 1));
        m.collect();
        assert_eq!(count(&drops), 0);
    });
    assert_eq!(count(&drops), 1);
}

#[test]
fn replaced_roots_are_dropped_in_their_window() {
    let drops = counter();
    heap().enter(vec![], |m: &mut orinoco::Mutator<Vec<Box<NoisyBox>>>| {
        m.split().1.push(Box::new(noisy_box(&drops)));
        m.collect();
        m.split().1.clear();
        assert_eq!(count(&drops), 1);
    });
}

#[test]
fn a_value_that_the_heap_refuses_is_dropped_there_and_then() {
    let drops = counter();
    let config = crate::common::config().limit(orinoco::Bytes::mib(2)).nursery(orinoco::Bytes::kib(256));
    Heap::new(config).unwrap().enter((), |m| {
        let cx: &Cx = m;
        while cx.try_alloc([0u64; 500]).is_ok() {}
        while cx.try_alloc(0u64).is_ok() {}
        assert!(cx.try_alloc(noisy_box(&drops)).is_err());
        assert_eq!(count(&drops), 1);
        assert!(cx.try_alloc_slice(100_000, |_| noisy_box(&drops)).is_err());
        assert_eq!(count(&drops), 1, "no element was made");
    });
}

#[test]
fn a_drop_that_panics_at_the_end_of_its_heap_is_heard_of() {
    struct Bomb(Arc<AtomicU64>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0.fetch_add(1, Ordering::SeqCst) == 1 {
                std::panic::resume_unwind(Box::new("a destructor's bug"));
            }
        }
    }
    #[derive(Trace)]
    struct Holder {
        #[trace(skip)]
        _bomb: Bomb,
    }
    let drops = counter();
    let heap = heap();
    heap.enter((), |m| {
        for _ in 0..5 {
            let kept = m.alloc(Holder { _bomb: Bomb(drops.clone()) });
            std::mem::forget(m.root(kept));
        }
        m.collect();
    });
    assert_eq!(count(&drops), 0);
    let unwound = catch_unwind(AssertUnwindSafe(|| drop(heap)));
    assert!(unwound.is_err() && count(&drops) >= 2, "{}", count(&drops));
}

#[test]
fn what_a_registry_holds_is_dropped_when_it_is_taken_back_or_the_registry_dies() {
    type Registry = orinoco::FinalizationRegistry<NoisyBox>;
    let drops = counter();
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        let (target, token) = (crate::common::root_node(m, 1), crate::common::root_node(m, 2));
        let register = |m: &Cx| registry.get(m).register_with(m, target.get(m), noisy_box(&drops), token.get(m));
        register(m);
        assert_eq!(registry.get(m).unregister(m, token.get(m)), 1);
        assert_eq!(count(&drops), 1);
        (0..3).for_each(|_| register(m));
        m.collect();
        assert_eq!(count(&drops), 1);
        drop(registry);
        m.collect();
        assert_eq!(count(&drops), 4);
    });
}

/// Takes its time to go.
struct Slow(Arc<AtomicU64>);
impl Drop for Slow {
    fn drop(&mut self) {
        let until = std::time::Instant::now() + std::time::Duration::from_micros(200);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
#[derive(Trace)]
struct SlowBox(#[trace(skip)] Slow);

#[test]
fn what_dies_in_crowds_is_dropped_a_slice_at_a_time() {
    const CROWD: u64 = 400;
    let drops = counter();
    let heap = heap();
    heap.enter((), |m| {
        (0..CROWD).for_each(|_| _ = m.alloc(SlowBox(Slow(drops.clone()))));
        // What the program does not ask for: the nursery runs out.
        while heap.statistics().scavenges + heap.statistics().evacuations == 0 {
            litter(m, 64 << 10);
            m.safepoint();
        }
        let first = count(&drops);
        assert!(0 < first && first < CROWD, "{first} of {CROWD} in one slice of a millisecond");
        let statistics = heap.statistics();
        assert_eq!(statistics.values_dropped, first);
        assert_eq!(statistics.values_to_drop as u64, CROWD - first);
        let mut safepoints = 0;
        while count(&drops) < CROWD {
            safepoints += 1;
            assert!(safepoints < 10_000_000, "the rest is never dropped");
            litter(m, 4 << 10);
            m.safepoint();
        }
        assert_eq!(heap.statistics().values_to_drop, 0);
    });
}

#[test]
fn a_collection_that_is_asked_for_drops_everything_before_it_returns() {
    let drops = counter();
    let heap = heap();
    heap.enter((), |m| {
        (0..50).for_each(|_| _ = m.alloc(SlowBox(Slow(drops.clone()))));
        m.collect();
        assert_eq!(count(&drops), 50);
    });
}

#[test]
fn what_waits_to_be_dropped_is_dropped_between_turns_and_with_its_heap() {
    let drops = counter();
    {
        let heap = heap();
        let mut mutator = heap.attach(());
        mutator.run(|m| {
            (0..100).for_each(|_| _ = m.alloc(SlowBox(Slow(drops.clone()))));
            while heap.statistics().scavenges + heap.statistics().evacuations == 0 {
                litter(m, 64 << 10);
                m.safepoint();
            }
        });
        let before = count(&drops);
        assert!(before < 100);
        while count(&drops) == before {
            mutator.run(|_| ());
        }
        assert!(count(&drops) < 100, "a turn's end drops a slice");
    }
    assert_eq!(count(&drops), 100, "a heap drops all that is left");
}
