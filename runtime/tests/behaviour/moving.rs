//! Objects move at safepoints; references follow.
use crate::common::{Node, Plain, Tree, Vm, age, heap, list, litter, moving_heap, node, values, young_heap};
use orinoco::{Cx, Gc, Local, keep, safepoint};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn safepoint_yields_its_values_where_the_objects_are_now() {
    moving_heap().enter((), |m| {
        let a = node(m, 1);
        let b = node(m, 2);
        a.next.set(m, Some(b));
        let before = Gc::addr(a);
        let (a, b) = safepoint!(m; a, b);
        assert_ne!(Gc::addr(a), before, "under this zeal every object moves");
        assert!(Gc::ptr_eq(a.next.get().unwrap(), b));
        let a = safepoint!(m; a);
        assert_eq!((a.v, a.next.get().unwrap().v), (1, 2));
    });
}

#[test]
fn a_value_kept_across_a_call_is_re_bound_after_it() {
    fn deep(m: &mut Plain, n: u64) -> u64 {
        m.safepoint();
        let a = node(m, n);
        if n == 0 {
            return a.v;
        }
        let (sum, a) = keep!(m; a => deep(m, n - 1));
        assert_eq!(a.v, n);
        sum + a.v
    }
    assert_eq!(moving_heap().enter((), |m| deep(m, 40)), 820);
}

#[test]
fn frames_nest_as_deep_as_calls_do() {
    fn deep(m: &mut Plain, n: u64) {
        let a = node(m, n);
        let ((), a) = keep!(m; a => if n == 0 { m.collect_compact() } else { deep(m, n - 1) });
        assert_eq!(a.v, n);
    }
    heap().enter((), |m| deep(m, 1000));
}

#[test]
fn a_local_is_an_argument_and_a_loop_variable() {
    type Args = (Gc<'static, Node<'static>>, u64);
    fn callee(m: &mut Plain, args: Local<'_, Args>) -> u64 {
        m.safepoint();
        let (n, x) = args.get(m);
        let sum = n.v + x;
        m.safepoint();
        sum + args.get(m).0.v
    }
    moving_heap().enter((), |m| {
        let n = node(m, 5);
        let (sum, (n, _)) = keep!(m; k = (n, 10u64) => callee(m, k));
        assert_eq!((sum, n.v), (20, 5));

        let head = list(m, 10);
        let (sum, end) = keep!(m; at = head => {
            let mut sum = 0;
            while let Some(n) = at.get(m) {
                sum += n.v;
                at.set(m, n.next.get());
                m.safepoint();
            }
            sum
        });
        assert_eq!((sum, end.is_none()), (45, true));
    });
}

#[test]
fn a_frame_is_gone_after_its_body_has_panicked() {
    moving_heap().enter((), |m| {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let a = node(m, 1);
            let ((), _) = keep!(m; a => {
                m.safepoint();
                std::panic::resume_unwind(Box::new("guest"));
            });
        }));
        assert!(unwound.is_err());
        m.collect();
        let b = node(m, 2);
        assert_eq!(safepoint!(m; b).v, 2);
    });
}

#[test]
fn a_function_that_collects_can_return_a_reference_with_the_context_it_is_bound_to() {
    fn make<'gc>(m: &'gc mut Plain, v: u64) -> (&'gc Cx, Gc<'gc, Node<'gc>>) {
        m.safepoint();
        let cx: &'gc Cx = m;
        (cx, node(cx, v))
    }
    moving_heap().enter((), |m| {
        let (cx, a) = make(m, 3);
        let b = node(cx, 4);
        b.next.set(cx, Some(a));
        assert_eq!(values(Some(b)), [4, 3]);
        assert_eq!(make(m, 5).1.v, 5);
    });
}

#[test]
fn a_mutators_own_root_structure_is_traced_whatever_it_is_made_of() {
    moving_heap().enter(Vm::default(), |m| {
        for i in 0..20 {
            let (cx, vm) = m.split();
            let n = node(cx, i);
            vm.stack.push(n);
            vm.globals.insert(format!("k{i}"), n);
            vm.last.set(Some(n));
            vm.steps.set(vm.steps.get() + 1);
            m.safepoint();
        }
        let (_, vm) = m.split();
        assert!(vm.stack.iter().zip(0..).all(|(n, i)| n.v == i));
        assert_eq!((vm.globals["k7"].v, vm.last.get().unwrap().v, vm.steps.get()), (7, 19, 20));
        assert!(Gc::ptr_eq(vm.stack[7], vm.globals["k7"]), "one object stays one object");
        let taken = std::mem::take(vm);
        assert_eq!(taken.stack.len(), 20);
        drop(taken);
        m.collect();
        assert!(m.split().1.stack.is_empty());
    });
}

#[test]
fn a_tree_survives_every_kind_of_collection() {
    fn build<'gc>(cx: &'gc Cx, depth: u32) -> Gc<'gc, Tree<'gc>> {
        let child = |_| (depth > 0).then(|| build(cx, depth - 1));
        let (left, right) = (child(0), child(1));
        cx.alloc(Tree { left, right, depth })
    }
    fn check(tree: Gc<'_, Tree<'_>>) -> u64 {
        let child = |c: Option<Gc<'_, Tree<'_>>>| c.map_or(0, |c| (c.depth + 1 == tree.depth) as u64 * check(c));
        1 + child(tree.left) + child(tree.right)
    }
    for heap in [heap(), young_heap(), moving_heap()] {
        heap.enter((), |m| {
            let tree = {
                let tree = build(m, 12);
                m.root(tree)
            };
            for round in 0..6 {
                litter(m, 1 << 20);
                match round % 3 {
                    0 => m.safepoint(),
                    1 => m.collect_young(),
                    _ => m.collect(),
                }
                assert_eq!(check(tree.get(m)), (1 << 13) - 1);
            }
        });
    }
}

#[test]
fn a_list_of_many_nodes_is_traced_without_recursion() {
    heap().enter((), |m| {
        let head = {
            let head = list(m, 300_000).unwrap();
            m.root(head)
        };
        m.collect();
        m.collect_young();
        let mut at = Some(head.get(m));
        let mut expected = 300_000;
        while let Some(n) = at {
            expected -= 1;
            assert_eq!(n.v, expected);
            at = n.next.get();
        }
        assert_eq!(expected, 0);
    });
}

#[test]
fn a_cycle_lives_while_it_is_reached_and_not_longer() {
    let heap = heap();
    heap.enter((), |m| {
        let root = {
            let (a, b) = (node(m, 1), node(m, 2));
            a.next.set(m, Some(b));
            b.next.set(m, Some(a));
            m.root(a)
        };
        let weak = {
            let a = root.get(m);
            let weak = m.weak(a.next.get().unwrap());
            m.root(weak)
        };
        age(m);
        m.collect();
        let a = root.get(m);
        assert!(Gc::ptr_eq(a.next.get().unwrap().next.get().unwrap(), a));
        drop(root);
        m.collect();
        assert!(weak.get(m).peek(m).is_none(), "the two only hold each other");
    });
}

#[test]
fn what_survives_young_collections_is_whole_at_every_age() {
    heap().enter((), |m| {
        let root = {
            let head = list(m, 1000).unwrap();
            m.root(head)
        };
        let expected: Vec<u64> = (0..1000).rev().collect();
        for _ in 0..6 {
            assert_eq!(values(Some(root.get(m))), expected);
            litter(m, 2 << 20);
            m.collect_young();
        }
    });
}
