//! Weak references: cleared with their target, in every kind of collection.
use super::*;

#[test]
fn a_weak_reference_is_cleared_when_its_target_dies_in_every_kind_of_collection() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let (target, weak) = {
                let n = node(m, 1);
                let weak = m.weak(n);
                (m.root(n), m.root(weak))
            };
            collect(m);
            assert_eq!(weak.get(m).peek(m).unwrap().v, 1);
            drop(target);
            m.collect();
            assert!(weak.get(m).peek(m).is_none());
        });
        heap().enter((), |m| {
            let weak = {
                let weak = m.weak(node(m, 1));
                m.root(weak)
            };
            collect(m);
            assert!(weak.get(m).peek(m).is_none(), "a young target dies in any collection");
        });
    }
}

#[test]
fn an_upgraded_target_is_the_object_itself_wherever_it_moved() {
    moving_heap().enter((), |m| {
        let n = node(m, 1);
        let weak = m.weak(n);
        let (n, weak) = safepoint!(m; n, weak);
        assert!(Gc::ptr_eq(weak.peek(m).unwrap(), n));
        let (n, weak) = safepoint!(m; n, weak);
        assert!(Gc::ptr_eq(weak.peek(m).unwrap(), n));
        let (two, other) = {
            let n = node(m, 2);
            (m.weak(n), m.weak(n))
        };
        assert!(Gc::ptr_eq(two.peek(m).unwrap(), other.peek(m).unwrap()), "two weak references, one target");
    });
}

#[test]
fn an_old_weak_reference_follows_a_target_of_any_age() {
    heap().enter((), |m| {
        let target = root_node(m, 1);
        let weak = {
            let weak = m.weak(target.get(m));
            m.root(weak)
        };
        for _ in 0..5 {
            litter(m, 1 << 20);
            m.collect_young();
            assert!(Gc::ptr_eq(weak.get(m).peek(m).unwrap(), target.get(m)));
        }
        m.collect_compact();
        assert!(Gc::ptr_eq(weak.get(m).peek(m).unwrap(), target.get(m)));
        drop(target);
        m.collect();
        assert!(weak.get(m).peek(m).is_none());
    });
}

#[test]
fn a_weak_reference_can_be_a_field_a_slot_and_part_of_a_list() {
    #[derive(Trace)]
    struct Watcher<'gc> {
        fixed: Weak<'gc, Node<'gc>>,
        slot: Slot<Option<Weak<'gc, Node<'gc>>>>,
        list: Lock<Vec<Weak<'gc, Node<'gc>>>>,
    }
    heap().enter((), |m| {
        let kept = root_node(m, 1);
        let watcher = {
            let cx: &Cx = m;
            let (kept, lost) = (cx.weak(kept.get(cx)), cx.weak(node(cx, 2)));
            cx.root(cx.alloc(Watcher { fixed: kept, slot: Slot::new(Some(lost)), list: Lock::new(vec![kept, lost]) }))
        };
        age(m);
        m.collect();
        let cx: &Cx = m;
        let watcher = watcher.get(cx);
        assert_eq!(watcher.fixed.peek(cx).unwrap().v, 1);
        assert!(watcher.slot.get().unwrap().peek(cx).is_none());
        let alive: Vec<bool> = watcher.list.lock(cx).iter().map(|w| w.peek(cx).is_some()).collect();
        assert_eq!(alive, [true, false]);
    });
}

#[test]
fn weak_references_of_a_cycle_die_together() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let weaks: Vec<Root<_>> = {
                let cx: &Cx = m;
                let nodes: Vec<_> = (0..5).map(|v| node(cx, v)).collect();
                nodes.iter().zip(nodes.iter().cycle().skip(1)).for_each(|(a, b)| a.next.set(cx, Some(*b)));
                nodes.iter().map(|n| cx.root(cx.weak(*n))).collect()
            };
            collect(m);
            assert!(weaks.iter().all(|w| w.get(m).peek(m).is_none()));
        });
    }
}

#[test]
fn what_an_upgrade_returned_lives_to_the_end_of_its_window() {
    let heap = heap();
    let target: Root<Node<'static>> = heap.enter((), |m| root_node(m, 42));
    let weak = heap.enter((), |m| {
        let weak = m.weak(target.get(m));
        m.root(weak)
    });
    let done = AtomicBool::new(false);
    std::thread::scope(|s| {
        let (heap, weak, target, done) = (&heap, &weak, &target, &done);
        s.spawn(move || {
            heap.enter((), |m| {
                for i in 0..300 {
                    target.set(m, node(m, 42));
                    if i % 2 == 0 { m.collect() } else { m.collect_young() }
                }
                done.store(true, Ordering::Relaxed);
            });
        });
        s.spawn(move || {
            heap.enter((), |m| {
                while !done.load(Ordering::Relaxed) {
                    if let Some(n) = weak.get(m).peek(m) {
                        for _ in 0..100 {
                            assert_eq!(n.v, 42);
                        }
                    }
                    weak.set(m, m.weak(target.get(m)));
                    m.safepoint();
                }
            });
        });
    });
}

#[test]
fn a_weak_reference_to_a_young_object_is_cleared_by_a_young_collection() {
    heap().enter((), |m| {
        let old = {
            // An old cell as well as a young one, each with a young target that nothing holds.
            let holder = m.alloc(Lock::new(Vec::<Weak<'_, Node<'_>>>::new()));
            m.root(holder)
        };
        age(m);
        {
            let cx: &Cx = m;
            let target = node(cx, 1);
            old.get(cx).lock(cx).push(cx.weak(target));
        }
        let young = {
            let weak = m.weak(node(m, 2));
            m.root(weak)
        };
        m.collect_young();
        assert!(young.get(m).peek(m).is_none());
        assert!(old.get(m).lock(m)[0].peek(m).is_none());
    });
}
