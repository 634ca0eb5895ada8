//! Bulk operations on arrays of slots: one barrier for a range.
use crate::common::{Node, Slots, age, heap, litter, node};
use orinoco::{Cx, Gc, Mutator, Root, Slot};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Array = Root<[Slot<Option<Gc<'static, Node<'static>>>>]>;

fn array<'gc>(cx: &'gc Cx, n: usize) -> Slots<'gc> {
    cx.alloc_slice(n, |_| Slot::new(None))
}
fn numbered<'gc>(cx: &'gc Cx, from: u64, n: usize) -> Slots<'gc> {
    cx.alloc_slice(n, |i| Slot::new(Some(node(cx, from + i as u64))))
}
fn numbers(array: Slots<'_>) -> Vec<Option<u64>> {
    array.iter().map(|slot| slot.get().map(|n| n.v)).collect()
}
/// An array in the old space: small ones are aged, large ones are born there.
fn old_array(m: &mut Mutator<()>, n: usize) -> Array {
    let root = {
        let array = array(m, n);
        m.root(array)
    };
    age(m);
    root
}
fn young_collections(m: &mut Mutator<()>) {
    for _ in 0..2 {
        litter(m, 2 << 20);
        m.collect_young();
    }
}

#[test]
fn copying_young_references_into_an_old_array_keeps_them() {
    heap().enter((), |m| {
        for n in [40, 700, 60_000] {
            let old = old_array(m, n);
            {
                let cx: &Cx = m;
                let source = numbered(cx, 0, n);
                Gc::copy_from(old.get(cx), cx, 3, source, 1..n - 4);
            }
            young_collections(m);
            let expected = |i: usize| (3..n - 2).contains(&i).then(|| i as u64 - 2);
            assert!(numbers(old.get(m)).into_iter().enumerate().all(|(i, x)| x == expected(i)), "{n} elements");
        }
    });
}

#[test]
fn copying_within_an_array_moves_overlapping_ranges_either_way() {
    heap().enter((), |m| {
        for (from, to) in [(0..8, 2), (2..10, 0), (0..10, 0), (5..5, 10), (3..4, 9)] {
            let cx: &Cx = m;
            let array = numbered(cx, 0, 10);
            let mut expected = numbers(array);
            expected.copy_within(from.clone(), to);
            Gc::copy_within(array, cx, from.clone(), to);
            assert_eq!(numbers(array), expected, "{from:?} to {to}");
        }
    });
}

#[test]
fn filling_an_old_array_with_a_young_reference_keeps_it() {
    heap().enter((), |m| {
        for n in [40, 60_000] {
            let old = old_array(m, n);
            {
                let cx: &Cx = m;
                Gc::fill(old.get(cx), cx, 5..n, Some(node(cx, 9)));
            }
            young_collections(m);
            let found = numbers(old.get(m));
            assert!(found[..5].iter().all(Option::is_none) && found[5..].iter().all(|x| *x == Some(9)));
            let first = old.get(m)[5].get().unwrap();
            assert!(old.get(m)[5..].iter().all(|slot| Gc::ptr_eq(slot.get().unwrap(), first)), "one object");
        }
    });
}

#[test]
fn swapping_ranges_of_an_old_and_a_young_array_keeps_both() {
    heap().enter((), |m| {
        for n in [40, 60_000] {
            let old = old_array(m, n);
            let young = {
                let cx: &Cx = m;
                let young = numbered(cx, 100, n);
                Gc::swap_ranges(old.get(cx), cx, 2, young, 1, n - 2);
                cx.root(young)
            };
            young_collections(m);
            let (old, young) = (numbers(old.get(m)), numbers(young.get(m)));
            assert!((2..n).all(|i| old[i] == Some(99 + i as u64)) && old[..2] == [None, None]);
            assert!(
                (1..n - 1).all(|i| young[i].is_none()) && young[0] == Some(100) && young[n - 1] == Some(99 + n as u64)
            );
        }
    });
}

#[test]
fn swapping_disjoint_ranges_of_one_array_exchanges_them() {
    heap().enter((), |m| {
        let cx: &Cx = m;
        let array = numbered(cx, 0, 10);
        Gc::swap_ranges(array, cx, 0, array, 6, 4);
        let expected = [6, 7, 8, 9, 4, 5, 0, 1, 2, 3].map(Some);
        assert_eq!(numbers(array), expected);
        Gc::swap_ranges(array, cx, 3, array, 3, 0);
        assert_eq!(numbers(array), expected);
    });
}

#[test]
fn a_range_that_does_not_lie_within_its_array_panics_before_anything_is_stored() {
    heap().enter((), |m| {
        let cx: &Cx = m;
        let (a, b) = (numbered(cx, 0, 10), numbered(cx, 50, 5));
        let (before_a, before_b) = (numbers(a), numbers(b));
        let none = None;
        #[expect(clippy::reversed_empty_ranges, reason = "that is the misuse")]
        let misuses: [&dyn Fn(); 9] = [
            &|| Gc::copy_within(a, cx, 0..11, 0),
            &|| Gc::copy_within(a, cx, 0..5, 6),
            &|| Gc::copy_within(a, cx, 0..1, usize::MAX),
            &|| Gc::copy_from(a, cx, 0, b, 0..6),
            &|| Gc::copy_from(b, cx, 1, a, 0..5),
            &|| Gc::fill(a, cx, 7..3, none),
            &|| Gc::fill(a, cx, 0..usize::MAX, none),
            &|| Gc::swap_ranges(a, cx, 0, a, 4, 5),
            &|| Gc::swap_ranges(a, cx, usize::MAX, b, 0, 2),
        ];
        for (i, misuse) in misuses.iter().enumerate() {
            assert!(catch_unwind(AssertUnwindSafe(misuse)).is_err(), "misuse {i} passed");
            assert!(numbers(a) == before_a && numbers(b) == before_b, "misuse {i} stored something");
        }
    });
}

#[test]
fn bulk_operations_beside_other_threads_never_show_half_a_word() {
    let heap = heap();
    let shared: Array = heap.enter((), |m| old_array(m, 20_000));
    std::thread::scope(|s| {
        for t in 0..3u64 {
            let (heap, shared) = (&heap, &shared);
            s.spawn(move || {
                heap.enter((), |m| {
                    for round in 0..60u64 {
                        {
                            let cx: &Cx = m;
                            let array = shared.get(cx);
                            match t {
                                0 => Gc::fill(array, cx, 0..10_000, Some(node(cx, round))),
                                1 => Gc::copy_within(array, cx, 0..10_000, 5_000 + round as usize),
                                _ => Gc::swap_ranges(array, cx, 0, array, 10_000, 10_000),
                            }
                            assert!(array.iter().filter_map(Slot::get).all(|n| n.v < 60 && n.next.get().is_none()));
                        }
                        m.safepoint();
                        if round % 16 == t {
                            m.collect_young();
                        }
                    }
                });
            });
        }
    });
    heap.enter((), |m| {
        m.collect();
        m.verify();
    });
}

#[test]
fn an_array_of_two_million_slots_is_marked_and_filled() {
    heap().enter((), |m| {
        let big = {
            let cx: &Cx = m;
            let big = array(cx, 2 << 20);
            let one = Some(node(cx, 1));
            Gc::fill(big, cx, 0..2 << 20, one);
            cx.root(big)
        };
        m.collect();
        m.collect_young();
        let cx: &Cx = m;
        assert!(big.get(cx).iter().step_by(4099).all(|slot| slot.get().unwrap().v == 1));
    });
}
