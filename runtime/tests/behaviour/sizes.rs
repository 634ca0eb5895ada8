//! Objects of every size, most of all those beside a border: buffers, middling objects, large ones, region after region.
use crate::common::{Bag, Node, Plain, age, heap, litter, moving_heap, node, noisy_box, values};
use orinoco::{Cx, Field, Gc, Root, Slot, Trace, safepoint};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lengths of arrays of words beside every border there may be, from a buffer's to two regions'.
fn lengths() -> impl Iterator<Item = usize> {
    [0usize, 1 << 10, 1 << 12, 1 << 14, 1 << 15, 1 << 16].into_iter().flat_map(|n| n.saturating_sub(5)..n + 4)
}

#[test]
fn arrays_of_references_at_every_border_survive_every_kind_of_collection() {
    heap().enter((), |m| {
        for n in lengths() {
            let root = {
                let cx: &Cx = m;
                let one = node(cx, n as u64);
                cx.root(cx.alloc_slice(n, |i| if i == n / 2 { node(cx, 1) } else { one }))
            };
            let ways: [fn(&mut Plain); 3] = [|m| m.collect_young(), |m| m.collect(), |m| m.collect_compact()];
            for collect in ways {
                collect(m);
                let array = root.get(m);
                assert_eq!(array.len(), n);
                let expected = |i| if i == n / 2 { 1 } else { n as u64 };
                assert!(array.iter().enumerate().all(|(i, v)| v.v == expected(i)), "{n} references");
            }
        }
    });
}

#[test]
fn an_array_whose_hash_was_asked_for_moves_at_every_border() {
    moving_heap().enter((), |m| {
        for n in lengths() {
            let array = m.alloc_slice(n, |i| i as u64);
            let hash = Gc::identity_hash(array, m);
            let array = safepoint!(m; array);
            let array = safepoint!(m; array);
            assert_eq!(Gc::identity_hash(array, m), hash, "{n} words");
            assert!(array.iter().zip(0..).all(|(x, i)| *x == i));
        }
    });
}

#[test]
fn a_young_object_stored_deep_inside_a_large_one_survives() {
    heap().enter((), |m| {
        let n = 200_000;
        let big = {
            let big = m.alloc_slice(n, |_| Field::<'_, Node<'_>>::null());
            m.root(big)
        };
        for round in 0..3u64 {
            {
                let cx: &Cx = m;
                for i in (0..n).step_by(9973) {
                    big.get(cx)[i].set(cx, Some(node(cx, i as u64 + round)));
                }
            }
            litter(m, 2 << 20);
            m.collect_young();
            let big = big.get(m);
            assert!((0..n).step_by(9973).all(|i| big[i].get().unwrap().v == i as u64 + round));
        }
    });
}

#[test]
fn a_lock_deep_inside_a_large_array_is_remembered() {
    heap().enter((), |m| {
        let n = 20_000;
        let big: Root<[Bag<'static>]> = {
            let big = m.alloc_slice(n, |_| Bag::default());
            m.root(big)
        };
        for round in 0..3u64 {
            {
                let cx: &Cx = m;
                for i in (0..n).step_by(997) {
                    big.get(cx)[i].items.lock(cx).push(node(cx, i as u64 + round));
                }
            }
            litter(m, 2 << 20);
            m.collect_young();
            let big = big.get(m);
            for i in (0..n).step_by(997) {
                let items = big[i].items.lock(m);
                assert!(items.iter().map(|n| n.v).eq((0..=round).map(|r| i as u64 + r)));
            }
        }
    });
}

#[test]
fn a_large_value_is_allocated_whole_and_its_first_references_are_known() {
    #[derive(Trace)]
    struct Wide<'gc> {
        slots: [Field<'gc, Node<'gc>>; 30_000],
        fixed: [Option<Gc<'gc, Node<'gc>>>; 10],
    }
    // By value it passes over the stack more than once.
    std::thread::Builder::new()
        .stack_size(32 << 20)
        .spawn(|| {
            heap().enter((), |m| {
                let wide = {
                    let cx: &Cx = m;
                    let slots = std::array::from_fn(|i| Slot::new((i % 1000 == 0).then(|| node(cx, i as u64))));
                    cx.root(cx.alloc(Wide { slots, fixed: std::array::from_fn(|i| Some(node(cx, i as u64))) }))
                };
                litter(m, 2 << 20);
                m.collect_young();
                {
                    let cx: &Cx = m;
                    wide.get(cx).slots[29_999].set(cx, Some(node(cx, 77)));
                }
                m.collect_young();
                m.collect();
                let wide = wide.get(m);
                assert!((0..30_000).step_by(1000).all(|i| wide.slots[i].get().unwrap().v == i as u64));
                assert!(wide.fixed.iter().zip(0..).all(|(n, i)| n.unwrap().v == i));
                assert_eq!(values(wide.slots[29_999].get()), [77]);
            });
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn large_objects_with_references_and_drop_glue_are_dropped_once() {
    let drops = Arc::new(AtomicU64::new(0));
    let count = || drops.load(Ordering::SeqCst);
    heap().enter((), |m| {
        let kept = {
            let cx: &Cx = m;
            cx.alloc_slice(15_000, |i| (node(cx, i as u64), noisy_box(&drops)));
            cx.root(cx.alloc_slice(15_000, |i| (node(cx, i as u64), noisy_box(&drops))))
        };
        m.collect();
        assert_eq!(count(), 15_000);
        age(m);
        assert!(kept.get(m).iter().zip(0..).all(|((n, noisy), i)| n.v == i && noisy.0.is_whole()));
        drop(kept);
        m.collect();
        assert_eq!(count(), 30_000);
    });
}

#[test]
fn things_without_a_size_are_dropped_as_often_as_they_were_made() {
    static DROPS: AtomicU64 = AtomicU64::new(0);
    #[derive(Trace)]
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::SeqCst);
        }
    }
    moving_heap().enter((), |m| {
        let kept = {
            m.alloc(Nothing);
            m.alloc_slice(1000, |_| Nothing);
            let kept = m.alloc_slice(7, |_| Nothing);
            m.root(kept)
        };
        m.collect();
        assert_eq!(DROPS.load(Ordering::SeqCst), 1001);
        m.safepoint();
        assert_eq!(kept.get(m).len(), 7);
        drop(kept);
        m.collect();
        assert_eq!(DROPS.load(Ordering::SeqCst), 1008);
    });
}

#[test]
fn objects_of_all_small_sizes_lie_side_by_side() {
    type Measured<'gc> = Gc<'gc, (Gc<'gc, [u8]>, u64)>;
    fn fill<'gc, const N: usize>(cx: &'gc Cx, all: &mut Vec<Measured<'gc>>) {
        let bytes: Gc<'gc, [u8]> = cx.alloc_copy(&[N as u8; N]);
        cx.alloc([N as u16; N]);
        all.push(cx.alloc((bytes, N as u64)));
    }
    moving_heap().enter(vec![], |m: &mut orinoco::Mutator<Vec<Measured<'static>>>| {
        for _ in 0..5 {
            for _ in 0..20 {
                let (cx, all) = m.split();
                fill::<0>(cx, all);
                fill::<1>(cx, all);
                fill::<2>(cx, all);
                fill::<7>(cx, all);
                fill::<8>(cx, all);
                fill::<9>(cx, all);
                fill::<15>(cx, all);
                fill::<17>(cx, all);
                fill::<255>(cx, all);
            }
            m.safepoint();
            let all = &*m.split().1;
            assert!(
                all.iter().all(|pair| pair.0.len() as u64 == pair.1 && pair.0.iter().all(|b| u64::from(*b) == pair.1))
            );
        }
    });
}
