//! Owned roots: from any thread, at any time, and never of another heap.
use crate::common::{Node, heap, moving_heap, node, root_node, values};
use orinoco::{Cx, Field, Gc, Root, keep};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn a_root_follows_its_object() {
    moving_heap().enter((), |m| {
        let root = root_node(m, 5);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10 {
            seen.insert(Gc::addr(root.get(m)));
            m.safepoint();
            assert_eq!(root.get(m).v, 5);
        }
        assert!(seen.len() > 1, "it moved");
    });
}

#[test]
fn a_root_of_another_heap_is_refused() {
    let (a, b) = (heap(), heap());
    let root = a.enter((), |m| root_node(m, 1));
    let refused = |f: &dyn Fn(&Cx)| {
        let unwound = catch_unwind(AssertUnwindSafe(|| b.enter((), |m| f(m))));
        let text = *unwound.unwrap_err().downcast::<&str>().unwrap();
        assert!(text.contains("belongs to another heap"), "{text}");
    };
    refused(&|cx| assert_eq!(root.get(cx).v, 1));
    refused(&|cx| root.set(cx, node(cx, 2)));
    refused(&|cx| drop(root.clone_in(cx)));
    a.enter((), |m| assert_eq!(root.get(m).v, 1));
}

#[test]
fn a_root_outlives_its_heap_and_is_refused_by_the_next_one() {
    let a = heap();
    let root = a.enter((), |m| root_node(m, 1));
    drop(a);
    let next = heap();
    assert!(catch_unwind(AssertUnwindSafe(|| next.enter((), |m| root.get(m).v))).is_err());
    drop(root);
    next.enter((), |m| {
        let roots: Vec<_> = (0..1000).map(|i| root_node(m, i)).collect();
        m.collect();
        assert!(roots.iter().zip(0..).all(|(r, i)| r.get(m).v == i), "slots of the dead heap are reused whole");
    });
}

#[test]
fn a_root_can_be_set_and_cloned() {
    moving_heap().enter((), |m| {
        let a = root_node(m, 1);
        let b = a.clone_in(m);
        m.safepoint();
        assert!(Gc::ptr_eq(a.get(m), b.get(m)));
        a.set(m, node(m, 2));
        m.safepoint();
        assert_eq!((a.get(m).v, b.get(m).v), (2, 1));
    });
}

#[test]
fn a_root_set_in_an_old_chunk_keeps_a_young_object() {
    heap().enter((), |m| {
        let roots: Vec<_> = (0..500).map(|i| root_node(m, i)).collect();
        crate::common::age(m);
        for (i, root) in roots.iter().enumerate().step_by(37) {
            root.set(m, node(m, 1000 + i as u64));
        }
        for _ in 0..3 {
            crate::common::litter(m, 2 << 20);
            m.collect_young();
        }
        for (i, root) in roots.iter().enumerate() {
            let expected = if i % 37 == 0 { 1000 + i as u64 } else { i as u64 };
            assert_eq!(root.get(m).v, expected);
        }
    });
}

#[test]
fn roots_are_dropped_on_any_thread_and_their_slots_are_used_again() {
    moving_heap().enter((), |m| {
        for i in 0..500 {
            let root = root_node(m, i);
            let other = root.clone_in(m);
            m.safepoint();
            assert_eq!(root.get(m).v, i);
            m.park(|| std::thread::spawn(move || drop(root)).join().unwrap());
            m.safepoint();
            assert_eq!(other.get(m).v, i);
        }
    });
}

#[test]
fn a_million_roots_come_and_go() {
    let heap = heap();
    heap.enter((), |m| {
        for _ in 0..10 {
            let roots: Vec<Root<Node<'static>>> = (0..100_000).map(|i| root_node(m, i)).collect();
            m.collect_young();
            assert!(roots.iter().zip(0..).all(|(r, i)| r.get(m).v == i));
        }
        m.collect();
    });
}

#[test]
fn roots_dropped_while_others_collect_are_not_resurrected() {
    let heap = heap();
    let (send, receive) = std::sync::mpsc::sync_channel::<Root<Node<'static>>>(64);
    std::thread::scope(|s| {
        s.spawn(move || receive.into_iter().for_each(drop));
        let heap = &heap;
        s.spawn(move || {
            heap.enter((), |m| {
                for i in 0..20_000 {
                    let root = root_node(m, i);
                    if i % 64 == 0 {
                        m.collect_young();
                    }
                    assert_eq!(root.get(m).v, i);
                    m.park(|| send.send(root).unwrap());
                }
            });
        });
    });
    heap.enter((), |m| m.collect());
}

#[test]
fn a_local_of_another_mutator_is_refused() {
    let (a, b) = (moving_heap(), moving_heap());
    a.enter((), |m| {
        let n = node(m, 5);
        let (refused, n) = keep!(m; k = n => {
            catch_unwind(AssertUnwindSafe(|| m.park(|| b.enter((), |other| k.get(other).v))))
        });
        let text = *refused.unwrap_err().downcast::<&str>().unwrap();
        assert!(text.contains("belongs to another mutator"), "{text}");
        assert_eq!(n.v, 5);
    });
}

#[test]
fn an_object_can_be_a_global_of_all_threads() {
    static GLOBAL: std::sync::OnceLock<Root<Node<'static>>> = std::sync::OnceLock::new();
    let heap = heap();
    heap.enter((), |m| {
        let first = m.alloc(Node { next: Field::null(), v: 0 });
        assert!(GLOBAL.set(m.root(first)).is_ok());
    });
    std::thread::scope(|s| {
        for t in 1..4 {
            let heap = &heap;
            s.spawn(move || {
                heap.enter((), |m| {
                    let cx: &Cx = m;
                    let global = GLOBAL.get().unwrap().get(cx);
                    let mine = node(cx, t);
                    loop {
                        let next = global.next.get();
                        mine.next.set(cx, next);
                        if global.next.compare_exchange(cx, next, Some(mine)).is_ok() {
                            break;
                        }
                    }
                    m.safepoint();
                });
            });
        }
    });
    heap.enter((), |m| {
        m.collect();
        let mut seen = values(Some(GLOBAL.get().unwrap().get(m)));
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3]);
    });
}
