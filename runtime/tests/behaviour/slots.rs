//! Slots: stores that the collector learns of.
use crate::common::{Bag, Node, age, heap, litter, moving_heap, node, root_node, values};
use orinoco::{Cx, Field, Root, Slot};

#[test]
fn a_young_object_stored_into_an_old_one_survives() {
    heap().enter((), |m| {
        let old = root_node(m, 1);
        age(m);
        for i in 0..10 {
            let young = node(m, 100 + i);
            old.get(m).next.set(m, Some(young));
            litter(m, 2 << 20);
            m.collect_young();
            assert_eq!(values(Some(old.get(m))), [1, 100 + i]);
        }
    });
}

#[test]
fn every_way_of_storing_into_an_old_object_is_remembered() {
    heap().enter((), |m| {
        let old: [Root<Node<'static>>; 3] = std::array::from_fn(|i| root_node(m, i as u64));
        age(m);
        {
            let cx: &Cx = m;
            let [a, b, c] = old.each_ref().map(|r| r.get(cx));
            a.next.set(cx, Some(node(cx, 10)));
            assert!(b.next.swap(cx, Some(node(cx, 11))).is_none());
            assert!(c.next.compare_exchange(cx, None, Some(node(cx, 12))).is_ok());
            let lost = node(cx, 13);
            assert!(c.next.compare_exchange(cx, None, Some(lost)).is_err(), "it holds something already");
        }
        litter(m, 2 << 20);
        m.collect_young();
        for (i, root) in old.iter().enumerate() {
            assert_eq!(values(Some(root.get(m))), [i as u64, 10 + i as u64]);
        }
    });
}

#[test]
fn a_slot_forgets_what_it_no_longer_holds() {
    heap().enter((), |m| {
        let old = root_node(m, 1);
        age(m);
        let weak = {
            let young = node(m, 2);
            old.get(m).next.set(m, Some(young));
            old.get(m).next.clear();
            let weak = m.weak(young);
            m.root(weak)
        };
        m.collect_young();
        assert!(weak.get(m).peek(m).is_none(), "the slot was remembered, but it is empty now");
    });
}

#[test]
fn a_slot_on_the_rust_stack_is_nobodys_edge() {
    moving_heap().enter((), |m| {
        let field: Field<'_, Node<'_>> = Field::null();
        field.set(m, Some(node(m, 3)));
        assert_eq!(field.swap(m, None).unwrap().v, 3);
        field.set(m, Some(node(m, 4)));
        let host = m.alloc(Node { next: field, v: 5 });
        let host = orinoco::safepoint!(m; host);
        assert_eq!(values(Some(host)), [5, 4], "it moved into an object with what it held");
    });
}

#[test]
fn a_slot_in_a_root_structure_needs_no_barrier() {
    #[derive(orinoco::Trace)]
    #[trace(root)]
    struct Roots<'gc> {
        top: Field<'gc, Node<'gc>>,
    }
    moving_heap().enter(Roots { top: Field::null() }, |m| {
        for i in 0..10 {
            let (cx, roots) = m.split();
            let n = node(cx, i);
            n.next.set(cx, roots.top.get());
            roots.top.set(cx, Some(n));
            m.safepoint();
        }
        let (_, roots) = m.split();
        assert_eq!(values(roots.top.get()), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    });
}

#[test]
fn an_old_object_may_be_stored_into_a_young_one_and_back() {
    heap().enter((), |m| {
        let old = root_node(m, 1);
        age(m);
        for i in 0..100 {
            {
                let cx: &Cx = m;
                let young = node(cx, i);
                young.next.set(cx, old.get(cx).next.get());
                old.get(cx).next.set(cx, Some(young));
            }
            if i % 7 == 0 {
                m.collect_young();
            }
            if i % 31 == 0 {
                m.collect();
            }
        }
        let expected: Vec<u64> = std::iter::once(1).chain((0..100).rev()).collect();
        assert_eq!(values(Some(old.get(m))), expected);
    });
}

#[test]
fn numbers_in_slots_are_plain_atomics_of_any_bit_pattern() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let words = [0, 1, u64::MAX, 0x7FFF_FFFF_FFF8, 0xFFF8_0000_0000_0000];
        let array = cx.alloc_slice(words.len(), |i| Slot::new(words[i]));
        let array = orinoco::safepoint!(m; array);
        assert!(array.iter().zip(words).all(|(slot, w)| slot.get() == w), "none of them passes for a reference");
        let float = m.alloc(Slot::new(-0.0f64));
        let float = orinoco::safepoint!(m; float);
        assert_eq!(float.get().to_bits(), (-0.0f64).to_bits());
    });
}

#[test]
fn a_remembered_object_that_dies_does_no_harm() {
    heap().enter((), |m| {
        for round in 0..5 {
            let old = root_node(m, round);
            let bag = {
                let bag = m.alloc(Bag::default());
                m.root(bag)
            };
            age(m);
            {
                let cx: &Cx = m;
                old.get(cx).next.set(cx, Some(node(cx, 1)));
                bag.get(cx).items.lock(cx).push(node(cx, 2));
            }
            drop((old, bag));
            m.collect();
            litter(m, 2 << 20);
            m.collect_young();
        }
    });
}
