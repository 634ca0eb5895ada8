//! Locks: ordinary Rust data in the heap, with the barrier at acquisition.
use crate::common::{Bag, Table, age, heap, litter, moving_heap, node, root_node};
use orinoco::{Cx, Gc, Lock, Root, Trace, safepoint};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn root_bag(cx: &Cx) -> Root<Bag<'static>> {
    cx.root(cx.alloc(Bag::default()))
}

#[test]
fn young_objects_put_into_an_old_container_survive() {
    heap().enter((), |m| {
        let bag = root_bag(m);
        age(m);
        for i in 0..10 {
            {
                let cx: &Cx = m;
                bag.get(cx).items.lock(cx).push(node(cx, i));
            }
            litter(m, 2 << 20);
            m.collect_young();
            let items = bag.get(m);
            assert!(items.items.lock(m).iter().zip(0..).all(|(n, i)| n.v == i));
        }
        assert_eq!(bag.get(m).items.lock(m).len(), 10);
    });
}

#[test]
fn a_lock_is_remembered_anew_in_every_cycle_of_either_kind() {
    heap().enter((), |m| {
        let bag = root_bag(m);
        age(m);
        for i in 0..40u64 {
            {
                let cx: &Cx = m;
                bag.get(cx).items.lock(cx).push(node(cx, i));
            }
            if i % 3 == 0 {
                m.collect()
            } else {
                m.collect_young()
            }
            let sum: u64 = bag.get(m).items.lock(m).iter().map(|n| n.v).sum();
            assert_eq!(sum, i * (i + 1) / 2);
        }
    });
}

#[test]
fn a_forgotten_guards_container_is_still_looked_at() {
    heap().enter((), |m| {
        let bag = root_bag(m);
        age(m);
        let weak = {
            let cx: &Cx = m;
            let young = node(cx, 7);
            let weak = cx.root(cx.weak(young));
            let bag = bag.get(cx);
            let mut guard = bag.items.lock(cx);
            guard.push(young);
            std::mem::forget(guard);
            weak
        };
        for _ in 0..4 {
            litter(m, 2 << 20);
            m.collect_young();
            m.collect();
            assert_eq!(weak.get(m).peek(m).expect("it is in the bag").v, 7);
        }
    });
}

#[test]
fn locking_twice_panics_rather_than_waits_for_itself() {
    heap().enter((), |m| {
        let cx: &Cx = m;
        let bag = cx.alloc(Bag::default());
        let again = catch_unwind(AssertUnwindSafe(|| {
            let _first = bag.items.lock(cx);
            let _second = bag.items.lock(cx);
        }));
        let text = *again.unwrap_err().downcast::<&str>().unwrap();
        assert!(text.contains("already holds this `Lock`"), "{text}");
        assert_eq!(bag.items.lock(cx).len(), 0, "the first guard was released by the panic");
    });
}

#[test]
fn a_panic_under_a_lock_releases_it_and_its_stores_count() {
    heap().enter((), |m| {
        let bag = root_bag(m);
        age(m);
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let cx: &Cx = m;
            bag.get(cx).items.with(cx, |items| {
                items.push(node(cx, 1));
                std::panic::resume_unwind(Box::new("guest"));
            })
        }));
        assert!(unwound.is_err());
        m.collect_young();
        assert_eq!(bag.get(m).items.lock(m)[0].v, 1);
    });
}

#[test]
fn locks_on_the_rust_stack_and_locks_that_move_into_the_heap_work_alike() {
    moving_heap().enter((), |m| {
        let lock = Lock::new(vec![]);
        lock.lock(m).push(node(m, 3));
        assert_eq!(lock.lock(m)[0].v, 3);
        let bag = m.alloc(Bag { items: lock });
        let bag = safepoint!(m; bag);
        {
            let cx: &Cx = m;
            bag.items.lock(cx).push(node(cx, 4));
        }
        let bag = safepoint!(m; bag);
        assert_eq!(bag.items.lock(m).iter().map(|n| n.v).collect::<Vec<_>>(), [3, 4]);
    });
}

#[test]
fn the_contents_of_two_locks_can_be_exchanged() {
    heap().enter((), |m| {
        let (old, other) = (root_bag(m), root_bag(m));
        age(m);
        {
            let cx: &Cx = m;
            let fresh = cx.alloc(Bag::default());
            fresh.items.lock(cx).push(node(cx, 1));
            let (a, b) = (old.get(cx), other.get(cx));
            std::mem::swap(&mut *a.items.lock(cx), &mut *fresh.items.lock(cx));
            b.items.lock(cx).push(node(cx, 2));
            std::mem::swap(&mut *a.items.lock(cx), &mut *b.items.lock(cx));
        }
        litter(m, 2 << 20);
        m.collect_young();
        let of = |root: &Root<Bag<'static>>| root.get(m).items.lock(m)[0].v;
        assert_eq!((of(&old), of(&other)), (2, 1));
    });
}

#[test]
fn every_standard_container_can_be_under_a_lock() {
    type Three<'gc> = [Option<Gc<'gc, crate::common::Node<'gc>>>; 3];
    #[derive(Trace, Default)]
    struct All<'gc> {
        deque: Lock<VecDeque<(u32, Gc<'gc, crate::common::Node<'gc>>)>>,
        tree: Lock<BTreeMap<String, Vec<Gc<'gc, crate::common::Node<'gc>>>>>,
        boxed: Lock<Option<Box<Three<'gc>>>>,
        text: Lock<String>,
    }
    heap().enter((), |m| {
        let all = {
            let all = m.alloc(All::default());
            m.root(all)
        };
        age(m);
        for i in 0..30u64 {
            {
                let cx: &Cx = m;
                let all = all.get(cx);
                all.deque.lock(cx).push_front((1, node(cx, i)));
                all.tree.lock(cx).entry(format!("k{}", i % 3)).or_default().push(node(cx, i));
                all.boxed.lock(cx).get_or_insert_default()[i as usize % 3] = Some(node(cx, i));
                all.text.lock(cx).push('x');
            }
            m.collect_young();
        }
        let all = all.get(m);
        assert!(all.deque.lock(m).iter().rev().zip(0..).all(|((one, n), i)| *one == 1 && n.v == i));
        assert!(all.tree.lock(m).iter().zip(0..).all(|((_, ns), k)| ns.iter().all(|n| n.v % 3 == k) && ns.len() == 10));
        assert_eq!(all.boxed.lock(m).as_ref().unwrap().map(|n| n.unwrap().v), [27, 28, 29]);
        assert_eq!(all.text.lock(m).len(), 30);
    });
}

#[test]
fn mutators_take_turns_at_one_lock() {
    let heap = heap();
    let table: Root<Table<'static>> = heap.enter((), |m| {
        let table = m.alloc(Table::default());
        m.root(table)
    });
    let counter = heap.enter((), |m| root_node(m, 0));
    std::thread::scope(|s| {
        for t in 0..4 {
            let (heap, table, counter) = (&heap, &table, &counter);
            s.spawn(move || {
                heap.enter((), |m| {
                    for i in 0..3000 {
                        {
                            let cx: &Cx = m;
                            let table = table.get(cx);
                            let mut entries = table.entries.lock(cx);
                            let before = entries.remove(&0).map_or(0, |n| n.v);
                            entries.insert(0, node(cx, before + 1));
                            entries.insert(1 + t, counter.get(cx));
                        }
                        if i % 4 == 0 {
                            m.safepoint();
                        }
                    }
                });
            });
        }
    });
    heap.enter((), |m| {
        let table = table.get(m);
        let entries = table.entries.lock(m);
        assert_eq!((entries[&0].v, entries.len()), (12_000, 5), "no increment was lost");
    });
}
