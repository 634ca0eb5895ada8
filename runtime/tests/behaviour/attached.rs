//! Mutators between turns: parked, moved to other threads, let go of, forgotten.
use crate::common::{Node, config, heap, moving_heap, node, root_node};
use orinoco::{Attached, Gc, Heap, Zeal};
use std::panic::{AssertUnwindSafe, catch_unwind};

type One = Option<Gc<'static, Node<'static>>>;

#[test]
fn a_parked_mutators_roots_move_while_others_collect() {
    let heap = moving_heap();
    let mut a = heap.attach(None::<Gc<'static, Node<'static>>>);
    a.run(|m| {
        let (cx, root) = m.split();
        *root = Some(node(cx, 5));
        m.safepoint();
    });
    heap.enter((), |m| m.collect());
    assert_eq!(a.run(|m| m.split().1.unwrap().v), 5);
}

#[test]
fn a_parked_mutator_can_go_to_another_thread_with_its_roots() {
    let heap = moving_heap();
    let mut a: Attached<One> = heap.attach(None);
    for i in 0..20 {
        a = std::thread::scope(|s| {
            s.spawn(move || {
                a.run(|m| {
                    let (cx, root) = m.split();
                    assert_eq!(root.map_or(0, |n| n.v), i);
                    let next = node(cx, i + 1);
                    next.next.set(cx, *root);
                    *root = Some(next);
                    m.safepoint();
                });
                a
            })
            .join()
            .unwrap()
        });
        heap.enter((), |m| m.collect());
    }
    a.run(|m| assert_eq!(crate::common::values(*m.split().1).len(), 20));
}

#[test]
fn a_thread_runs_one_mutator_at_a_time() {
    let (a, b) = (heap(), heap());
    let refused = |f: &dyn Fn()| {
        let text = *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<&str>().unwrap();
        assert!(text.contains("already runs a mutator"), "{text}");
    };
    refused(&|| a.enter((), |_| b.enter((), |_| ())));
    refused(&|| a.enter((), |_| a.enter((), |_| ())));
    a.enter((), |m| {
        let root = root_node(m, 1);
        let other = m.park(|| b.enter((), |other| node(other, 5).v));
        assert_eq!(root.get(m).v + other, 6);
        let same = m.park(|| a.enter((), |other| root.get(other).v));
        assert_eq!(same, 1);
        assert!(catch_unwind(AssertUnwindSafe(|| b.enter((), |_| ()))).is_err(), "running again");
    });
}

#[test]
fn parked_sections_nest_across_heaps() {
    let heaps = [heap(), moving_heap(), heap()];
    let sum = heaps[0].enter((), |a| {
        let x = root_node(a, 1);
        let rest = a.park(|| {
            heaps[1].enter((), |b| {
                let y = root_node(b, 2);
                let rest =
                    b.park(|| heaps[2].enter((), |c| c.park(|| heaps[0].enter((), |d| x.get(d).v)) + node(c, 4).v));
                b.safepoint();
                y.get(b).v + rest
            })
        });
        a.collect();
        x.get(a).v + rest
    });
    assert_eq!(sum, 1 + 2 + 4 + 1);
}

#[test]
fn a_turn_that_panics_leaves_a_mutator_that_can_run_again() {
    let heap = heap();
    let mut a: Attached<One> = heap.attach(None);
    for i in 0..3 {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            a.run(|m| {
                let (cx, root) = m.split();
                *root = Some(node(cx, i));
                std::panic::resume_unwind(Box::new("guest"));
            })
        }));
        assert!(unwound.is_err());
        heap.enter((), |m| m.collect());
        assert_eq!(a.run(|m| m.split().1.unwrap().v), i);
    }
}

#[test]
fn a_parked_section_that_panics_comes_back_to_the_heap() {
    let heap = heap();
    heap.enter((), |m| {
        let root = root_node(m, 3);
        let unwound = catch_unwind(AssertUnwindSafe(|| m.park(|| std::panic::resume_unwind(Box::new("io")))));
        assert!(unwound.is_err());
        m.collect();
        assert_eq!(root.get(m).v, 3);
        assert!(catch_unwind(AssertUnwindSafe(|| heap.enter((), |_| ()))).is_err(), "it runs, so no other may");
    });
}

#[test]
fn a_forgotten_mutator_leaks_its_roots_and_blocks_nobody() {
    let heap = heap();
    let mut a: Attached<One> = heap.attach(None);
    let weak = a.run(|m| {
        let (cx, root) = m.split();
        let n = node(cx, 1);
        *root = Some(n);
        cx.root(cx.weak(n))
    });
    std::mem::forget(a);
    heap.enter((), |m| {
        m.collect();
        assert_eq!(weak.get(m).peek(m).unwrap().v, 1);
    });
}

#[test]
fn a_mutator_that_is_let_go_takes_its_roots_along() {
    let heap = heap();
    let mut a: Attached<One> = heap.attach(None);
    let weak = a.run(|m| {
        let (cx, root) = m.split();
        let n = node(cx, 1);
        *root = Some(n);
        cx.root(cx.weak(n))
    });
    heap.enter((), |m| {
        drop(a);
        m.collect();
        assert!(weak.get(m).peek(m).is_none());
    });
    assert_eq!(heap.mutators(), 0);
}

#[test]
fn letting_go_of_a_mutator_while_another_one_runs_waits_for_nobody() {
    let heap = heap();
    for _ in 0..200 {
        let mut b: Attached<One> = heap.attach(None);
        b.run(|m| {
            let (cx, root) = m.split();
            *root = Some(node(cx, 1));
        });
        std::thread::scope(|s| {
            s.spawn(|| heap.enter((), |m| m.collect_young()));
            heap.enter((), |m| {
                drop(b);
                m.safepoint();
            });
        });
    }
    assert_eq!(heap.mutators(), 0);
}

#[test]
fn what_a_mutator_stored_is_remembered_after_it_has_left() {
    let heap = heap();
    let old = heap.enter((), |m| {
        let old = root_node(m, 1);
        crate::common::age(m);
        old
    });
    for i in 0..20 {
        heap.enter((), |m| old.get(m).next.set(m, Some(node(m, i))));
        heap.enter((), |m| {
            crate::common::litter(m, 2 << 20);
            m.collect_young();
            assert_eq!(old.get(m).next.get().unwrap().v, i);
        });
    }
}

#[test]
fn heaps_come_and_go_on_many_threads_at_once() {
    std::thread::scope(|s| {
        for t in 0..4u64 {
            s.spawn(move || {
                for i in 0..15 {
                    let heap =
                        Heap::new(config().zeal(if i % 2 == 0 { Zeal::EVERYTHING } else { Zeal::YOUNG })).unwrap();
                    let root = heap.enter((), |m| {
                        let root = root_node(m, t * 100 + i);
                        m.safepoint();
                        root
                    });
                    heap.enter((), |m| {
                        m.collect();
                        assert_eq!(root.get(m).v, t * 100 + i);
                    });
                    drop(heap);
                    drop(root);
                }
            });
        }
    });
}

#[test]
fn thousands_of_parked_mutators_are_all_looked_at() {
    let heap = heap();
    let mut all: Vec<Attached<One>> = (0..2000).map(|_| heap.attach(None)).collect();
    for (a, i) in all.iter_mut().zip(0..) {
        a.run(|m| {
            let (cx, root) = m.split();
            *root = Some(node(cx, i));
        });
    }
    assert_eq!(heap.mutators(), 2000);
    heap.enter((), |m| m.collect_compact());
    for (a, i) in all.iter_mut().zip(0..) {
        a.run(|m| assert_eq!(m.split().1.unwrap().v, i));
    }
}
