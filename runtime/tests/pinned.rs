//! What is pinned stays where it is, whatever moves around it.
#![expect(unsafe_code, reason = "the tests play foreign code, which has addresses only")]
mod common;

use crate::common::{Node, age, config, heap, litter, moving_heap, node, rounds};
use orinoco::{Compaction, Cx, Gc, Heap, Pinned, Root, Slot, Weak, Zeal};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn a_pinned_object_never_moves_while_everything_else_does() {
    moving_heap().enter((), |m| {
        let (pinned, other, at) = {
            let (a, b) = (node(m, 1), node(m, 2));
            a.next.set(m, Some(b));
            (m.pin(a), m.root(b), Gc::addr(a))
        };
        for _ in 0..20 {
            let before = Gc::addr(other.get(m));
            m.safepoint();
            let a = pinned.get(m);
            assert_eq!((Gc::addr(a), a.v), (at, 1));
            assert!(Gc::ptr_eq(a.next.get().unwrap(), other.get(m)), "what it refers to is followed");
            assert_ne!(Gc::addr(other.get(m)), before, "under this zeal every object moves");
        }
        drop(pinned);
    });
}

#[test]
fn a_pin_holds_at_every_age_and_in_every_kind_of_collection() {
    heap().enter((), |m| {
        let mut pins: Vec<(Pinned<Node<'static>>, usize)> = Vec::new();
        for i in 0..60 {
            {
                let cx: &Cx = m;
                (0..200).for_each(|v| _ = node(cx, v));
                let a = node(cx, i);
                pins.push((cx.pin(a), Gc::addr(a)));
            }
            match i % 5 {
                0 => m.collect_young(),
                1 => m.collect(),
                2 => m.collect_compact(),
                3 => age(m),
                _ => litter(m, 100_000),
            }
            for (i, (pin, at)) in pins.iter().enumerate() {
                assert_eq!((Gc::addr(pin.get(m)), pin.get(m).v), (*at, i as u64));
            }
        }
    });
}

#[test]
fn a_pin_keeps_its_object_alive_and_no_longer_than_itself() {
    heap().enter((), |m| {
        let (pin, weak) = {
            let a = node(m, 1);
            let weak = m.weak(a);
            (m.pin(a), m.root(weak))
        };
        let seen = |m: &Cx, weak: &Root<orinoco::WeakCell<Node<'static>>>| {
            let weak: Weak<'_, Node<'_>> = weak.get(m);
            weak.upgrade(m).is_some()
        };
        m.collect();
        assert!(seen(m, &weak));
        m.collect_compact();
        assert!(pin.get(m).next.get().is_none());
    });
    heap().enter((), |m| {
        let weak = {
            let a = node(m, 1);
            drop(m.pin(a));
            let weak = m.weak(a);
            m.root(weak)
        };
        m.collect();
        assert!(weak.get(m).upgrade(m).is_none());
    });
}

#[test]
fn what_is_no_longer_pinned_moves_again() {
    moving_heap().enter((), |m| {
        let (root, pin) = {
            let a = node(m, 1);
            (m.root(a), m.pin(a))
        };
        let again = m.pin(root.get(m));
        m.safepoint();
        let at = Gc::addr(root.get(m));
        drop(pin);
        m.safepoint();
        assert_eq!(Gc::addr(root.get(m)), at, "it was pinned twice");
        drop(again);
        m.safepoint();
        assert_ne!(Gc::addr(root.get(m)), at);
    });
}

#[test]
fn foreign_code_reads_and_writes_pinned_memory_on_a_thread_of_its_own_while_the_heap_collects() {
    moving_heap().enter((), |m| {
        let words: Pinned<[AtomicU64]> = {
            let array = m.alloc_slice(512, |i| AtomicU64::new(i as u64));
            m.pin(array)
        };
        let text = m.pin(m.alloc_str("stays"));
        let (words_at, text_at) = (words.as_ptr(m), text.as_ptr(m));
        // SAFETY: both are pinned for longer than the scope below, and hold atomics and text that nobody writes.
        let (foreign_words, foreign_text) = unsafe { (&*words_at, &*text_at) };
        std::thread::scope(|scope| {
            let foreign = scope.spawn(move || {
                for round in 0..200u64 {
                    assert_eq!(foreign_text, "stays");
                    foreign_words.iter().for_each(|w| _ = w.fetch_add(1, Ordering::Relaxed));
                    if round % 16 == 0 {
                        std::thread::yield_now();
                    }
                }
            });
            while !foreign.is_finished() {
                litter(m, 10_000);
                m.safepoint();
            }
        });
        let words = words.get(m);
        assert!(words.iter().enumerate().all(|(i, w)| w.load(Ordering::Relaxed) == i as u64 + 200));
    });
}

#[test]
fn pins_of_many_threads_hold_while_all_of_them_collect() {
    for heap in [moving_heap(), Heap::new(config().compaction(Compaction::Always).zeal(Zeal::YOUNG)).unwrap()] {
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let heap = &heap;
                scope.spawn(move || {
                    heap.enter((), |m| {
                        let mut pins: Vec<(Pinned<Node<'static>>, usize, u64)> = Vec::new();
                        for i in 0..rounds(400).min(120) {
                            {
                                let cx: &Cx = m;
                                let a = node(cx, thread * 1000 + i);
                                a.next.set(cx, pins.last().map(|(last, ..)| last.get(cx)));
                                pins.push((cx.pin(a), Gc::addr(a), a.v));
                                if i % 3 == 0 {
                                    let gone = (i * 7) as usize % pins.len();
                                    pins.swap_remove(gone);
                                }
                                litter(cx, 2000);
                            }
                            m.safepoint();
                            for (pin, at, v) in &pins {
                                assert_eq!((Gc::addr(pin.get(m)), pin.get(m).v), (*at, *v));
                            }
                        }
                    });
                });
            }
        });
    }
}

#[test]
fn arrays_strings_and_large_objects_can_be_pinned() {
    moving_heap().enter((), |m| {
        type Slots = [Slot<Option<Gc<'static, Node<'static>>>>];
        let (array, large): (Pinned<Slots>, Pinned<[u8]>) = {
            let cx: &Cx = m;
            let n = node(cx, 3);
            (cx.pin(cx.alloc_slice(100, |_| Slot::new(Some(n)))), cx.pin(cx.alloc_slice(400_000, |i| i as u8)))
        };
        let (a, l) = (array.as_ptr(m), large.as_ptr(m));
        assert_eq!((a.len(), l.len()), (100, 400_000));
        for _ in 0..4 {
            m.safepoint();
            assert!(std::ptr::addr_eq(array.as_ptr(m), a) && std::ptr::addr_eq(large.as_ptr(m), l));
            assert!(array.get(m).iter().all(|s| s.get().unwrap().v == 3));
        }
    });
}

#[test]
fn a_pin_of_another_heap_is_refused() {
    let pin = heap().enter((), |m| m.pin(m.alloc(5u64)));
    let refused = heap().enter((), |m| catch_unwind(AssertUnwindSafe(|| *pin.get(m))).is_err());
    assert!(refused);
    drop(pin);
}
