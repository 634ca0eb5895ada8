//! Objects known by a trait, by a length, or by nothing at all.
use crate::common::{Node, moving_heap, node};
use orinoco::{Cx, Gc, GcDyn, Opaque, Slot, Trace, dyn_trait, safepoint};
use std::panic::{AssertUnwindSafe, catch_unwind};

trait Shape<'gc> {
    fn area(&self) -> f64;
    fn grow(&self, cx: &'gc Cx) -> GcDyn<'gc, dyn Shape<'gc> + 'gc>;
}
dyn_trait!(Shape<'gc>);

trait Show {
    fn show(&self) -> String;
}
dyn_trait!(Show);

#[derive(Trace)]
struct Square {
    side: f64,
}
#[derive(Trace)]
struct Group<'gc> {
    items: Vec<GcDyn<'gc, dyn Shape<'gc> + 'gc>>,
}

impl<'gc> Shape<'gc> for Square {
    fn area(&self) -> f64 {
        self.side * self.side
    }
    fn grow(&self, cx: &'gc Cx) -> GcDyn<'gc, dyn Shape<'gc> + 'gc> {
        Gc::unsize(cx.alloc(Square { side: self.side + 1. }))
    }
}
impl<'gc> Shape<'gc> for Group<'gc> {
    fn area(&self) -> f64 {
        self.items.iter().map(|s| s.area()).sum()
    }
    fn grow(&self, cx: &'gc Cx) -> GcDyn<'gc, dyn Shape<'gc> + 'gc> {
        let items = self.items.iter().map(|s| s.grow(cx)).collect();
        Gc::unsize(cx.alloc(Group { items }))
    }
}
impl Show for Node<'_> {
    fn show(&self) -> String {
        self.next.get().map_or_else(|| self.v.to_string(), |n| format!("{} -> {}", self.v, n.show()))
    }
}

#[test]
fn trait_objects_move_and_call_and_make_others() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let s: GcDyn<'_, dyn Shape<'_>> = Gc::unsize(cx.alloc(Square { side: 2. }));
        let g = cx.alloc(Group { items: vec![s, s.grow(cx)] });
        let g = safepoint!(m; g);
        assert_eq!(g.area(), 13.);
        let g = g.grow(m);
        let g = safepoint!(m; g);
        assert_eq!(g.area(), 25.);
        let opaque = GcDyn::erase(g);
        let opaque = safepoint!(m; opaque);
        assert_eq!(opaque.downcast::<Group<'static>>().unwrap().area(), 25.);
    });
}

#[test]
fn a_trait_without_a_lifetime_works_for_types_that_have_one() {
    moving_heap().enter((), |m| {
        let n = {
            let (a, b) = (node(m, 1), node(m, 2));
            a.next.set(m, Some(b));
            let shown: GcDyn<'_, dyn Show> = Gc::unsize(a);
            shown
        };
        let n = safepoint!(m; n);
        assert_eq!(n.show(), "1 -> 2");
    });
}

#[test]
fn an_erased_object_is_found_again_by_its_type_and_by_no_other() {
    moving_heap().enter((), |m| {
        let cx: &Cx = m;
        let (s, n) = (cx.alloc_str("naïve"), node(cx, 9));
        let numbers = cx.alloc_copy(&[1u32, 2, 3]);
        let all = cx.alloc_copy(&[Gc::erase(s), Gc::erase(n), Gc::erase(numbers), Gc::erase(cx.alloc(7u32))]);
        let all = safepoint!(m; all);
        assert_eq!(&*all[0].downcast::<str>().unwrap(), "naïve");
        assert!(all[0].downcast::<[u8]>().is_none(), "the bytes of a string are not an array");
        assert!(all[0].downcast::<Node<'static>>().is_none());
        assert_eq!(all[1].downcast::<Node<'static>>().unwrap().v, 9);
        assert_eq!(*all[2].downcast::<[u32]>().unwrap(), [1, 2, 3]);
        assert!(all[2].downcast::<[i32]>().is_none() && all[2].downcast::<u32>().is_none());
        assert_eq!(*all[3].downcast::<u32>().unwrap(), 7);
        assert!(all[3].downcast::<Opaque>().is_none(), "nothing was ever allocated as `Opaque`");
    });
}

#[test]
fn types_of_equal_layout_are_told_apart() {
    #[derive(Trace)]
    struct Metres(f64);
    #[derive(Trace)]
    struct Feet(f64);
    #[derive(Trace)]
    struct Tag<const N: usize>(f64);
    moving_heap().enter((), |m| {
        let length = Gc::erase(m.alloc(Metres(1.0)));
        let tag = Gc::erase(m.alloc(Tag::<1>(2.0)));
        let (length, tag) = safepoint!(m; length, tag);
        assert!(length.downcast::<Feet>().is_none() && length.downcast::<f64>().is_none());
        assert_eq!(length.downcast::<Metres>().unwrap().0, 1.0);
        assert!(tag.downcast::<Tag<2>>().is_none());
        assert_eq!(tag.downcast::<Tag<1>>().unwrap().0, 2.0);
        assert_eq!(Gc::erase(m.alloc(Feet(0.0))).downcast::<Feet>().unwrap().0, 0.0);
    });
}

#[test]
fn an_erased_object_can_sit_in_a_slot_a_root_and_a_weak_cell() {
    moving_heap().enter((), |m| {
        let (root, holder) = {
            let cx: &Cx = m;
            let erased = Gc::erase(node(cx, 4));
            let holder = cx.alloc((Slot::new(Some(erased)), cx.weak(erased)));
            (cx.root(erased), cx.root(holder))
        };
        m.safepoint();
        m.collect();
        let cx: &Cx = m;
        let (slot, weak) = &*holder.get(cx);
        let object = root.get(cx);
        assert!(Gc::ptr_eq(slot.get().unwrap(), object) && Gc::ptr_eq(weak.peek(cx).unwrap(), object));
        assert_eq!(object.downcast::<Node<'static>>().unwrap().v, 4);
    });
}

#[test]
fn strings_of_every_length_come_back_whole() {
    moving_heap().enter((), |m| {
        for n in (0..40).chain([1000, 65_536, 300_000]) {
            let text: String = "añ€😀".chars().cycle().take(n).collect();
            let string = m.alloc_str(&text);
            let string = safepoint!(m; string);
            assert_eq!(&*string, text);
        }
    });
}

#[test]
fn arrays_of_every_length_and_element_size_come_back_whole() {
    moving_heap().enter((), |m| {
        for n in (0..20).chain([511, 512, 513, 5000, 50_000]) {
            let bytes = m.alloc_slice(n, |i| i as u8);
            let wide = m.alloc_slice(n, |i| [i as u16; 3]);
            let nothing = m.alloc_slice(n, |_| ());
            let (bytes, wide, nothing) = safepoint!(m; bytes, wide, nothing);
            assert!(bytes.len() == n && bytes.iter().enumerate().all(|(i, b)| *b == i as u8));
            assert!(wide.len() == n && wide.iter().enumerate().all(|(i, w)| *w == [i as u16; 3]));
            assert_eq!(nothing.len(), n);
        }
    });
}

#[test]
fn an_arrays_closure_may_allocate_and_may_panic() {
    let drops = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    moving_heap().enter((), |m| {
        let array = {
            let cx: &Cx = m;
            cx.alloc_slice(3000, |i| Slot::new(Some(node(cx, i as u64))))
        };
        let array = safepoint!(m; array);
        assert!(array.iter().zip(0..).all(|(slot, i)| slot.get().unwrap().v == i));
        for stop in [0, 1, 5, 2999] {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let cx: &Cx = m;
                cx.alloc_slice(3000, |i| {
                    let inner = cx.alloc_slice(i % 7, |_| Slot::new(Some(node(cx, 1))));
                    if i == stop {
                        std::panic::resume_unwind(Box::new("guest"));
                    }
                    (inner, crate::common::noisy_box(&drops))
                });
            }));
            assert!(unwound.is_err());
            assert_eq!(
                drops.swap(0, std::sync::atomic::Ordering::SeqCst),
                stop as u64,
                "those made are dropped at once"
            );
            m.collect();
            m.verify();
        }
    });
}

#[test]
fn references_to_plain_data_may_be_read_by_other_threads_within_a_window() {
    moving_heap().enter((), |m| {
        let text: &str = Gc::get(m.alloc_str("parallel"));
        let len = std::thread::scope(|s| s.spawn(|| text.len()).join().unwrap());
        assert_eq!(len, 8);
        m.safepoint();
    });
}
