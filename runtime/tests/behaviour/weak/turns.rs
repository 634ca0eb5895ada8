//! Turns: what a mutator has seen through a weak reference stays until its turn ends.
use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn weak_node(cx: &Cx, v: u64) -> Root<orinoco::WeakCell<Node<'static>>> {
    cx.root(cx.weak(node(cx, v)))
}

#[test]
fn a_target_once_seen_is_kept_across_collections_until_the_turn_ends() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let weak = weak_node(m, 1);
            assert_eq!(weak.get(m).upgrade(m).unwrap().v, 1);
            for _ in 0..4 {
                collect(m);
                assert_eq!(weak.get(m).peek(m).expect("it was seen in this turn").v, 1);
            }
            m.end_turn();
            assert_eq!(weak.get(m).peek(m).unwrap().v, 1, "nothing dies before a collection");
            m.collect();
            assert!(weak.get(m).peek(m).is_none());
            assert!(weak.get(m).upgrade(m).is_none(), "a look at the dead keeps nothing");
        });
    }
}

#[test]
fn a_look_that_keeps_nothing_lets_its_target_die_within_the_turn() {
    heap().enter((), |m| {
        let weak = weak_node(m, 1);
        assert_eq!(weak.get(m).peek(m).unwrap().v, 1);
        m.collect();
        assert!(weak.get(m).peek(m).is_none());
    });
}

#[test]
fn the_end_of_a_run_is_the_end_of_a_turn_and_so_is_a_panic() {
    let heap = heap();
    let mut mutator = heap.attach(());
    for panics in [false, true] {
        let weak = mutator.run(|m| weak_node(m, 1));
        let ran = catch_unwind(AssertUnwindSafe(|| {
            mutator.run(|m| {
                assert!(weak.get(m).upgrade(m).is_some());
                m.collect();
                assert!(weak.get(m).peek(m).is_some());
                if panics {
                    std::panic::resume_unwind(Box::new("the embedder's own"));
                }
            });
        }));
        assert_eq!(ran.is_err(), panics);
        mutator.run(|m| {
            m.collect();
            assert!(weak.get(m).peek(m).is_none());
        });
    }
}

#[test]
fn a_turn_keeps_what_its_own_mutator_has_seen_whatever_others_do() {
    let heap = heap();
    let weak = heap.enter((), |m| weak_node(m, 7));
    heap.enter((), |m| {
        assert!(weak.get(m).upgrade(m).is_some());
        m.park(|| {
            std::thread::scope(|s| {
                s.spawn(|| {
                    heap.enter((), |other| {
                        assert!(weak.get(other).upgrade(other).is_some());
                        other.end_turn();
                        other.collect();
                        other.collect_compact();
                    });
                });
            });
        });
        assert_eq!(weak.get(m).peek(m).expect("this turn has not ended").v, 7);
        m.end_turn();
        m.collect();
        assert!(weak.get(m).peek(m).is_none());
    });
}

#[test]
fn what_was_seen_while_marking_goes_on_outlives_the_cycle() {
    // Keep during job, incremental marking: the target is white when it is seen.
    use orinoco::{Bytes, Heap, HeapConfig};
    for helpers in [0, 1] {
        let config = HeapConfig::new().helpers(helpers).verify(true).initial_old(Bytes::mib(1)).nursery(Bytes::mib(1));
        Heap::new(config).unwrap().enter((), |m| {
            let weaks: Vec<_> = (0..100).map(|v| weak_node(m, v)).collect();
            let keep: Vec<_> = weaks.iter().map(|w| m.root(w.get(m).peek(m).unwrap())).collect();
            age(m);
            drop(keep);
            let mut list = Vec::new();
            let (mut seen, mut cycles) = (0, 0);
            while cycles < 3 {
                list.push(root_node(m, 1));
                litter(m, 64 << 10);
                if seen < 50 {
                    // Some are seen before the cycle begins, some while it goes on, and the rest never.
                    seen += usize::from(weaks[seen].get(m).upgrade(m).is_some());
                }
                m.safepoint();
                if list.len() % 20 == 0 {
                    m.collect();
                    cycles += 1;
                }
            }
            for (v, weak) in weaks.iter().enumerate() {
                assert_eq!(weak.get(m).peek(m).is_some(), v < seen, "target {v}, of which {seen} were seen");
            }
        });
    }
}

#[test]
fn many_looks_at_many_targets_keep_each_of_them_and_cost_no_more_than_that() {
    heap().enter((), |m| {
        let weaks: Vec<_> = (0..5000).map(|v| weak_node(m, v)).collect();
        for round in 0..20 {
            assert!(weaks.iter().all(|w| w.get(m).upgrade(m).is_some()));
            if round % 5 == 0 {
                m.collect_young();
            }
        }
        m.collect();
        assert!(weaks.iter().zip(0..).all(|(w, v)| w.get(m).peek(m).is_some_and(|n| n.v == v)));
        let census = m.verify();
        m.end_turn();
        m.collect();
        assert_eq!(census.objects - m.verify().objects, 5000);
    });
}
