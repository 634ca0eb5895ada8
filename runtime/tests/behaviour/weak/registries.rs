//! Finalization registries: what is said of a death, to whom, and how often.
use super::*;

#[test]
fn a_registry_hands_out_each_record_once_after_its_target_has_died() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let registry = {
                let registry = Registry::new(m);
                m.root(registry)
            };
            let kept: Vec<Root<Node<'static>>> = {
                let cx: &Cx = m;
                let targets: Vec<_> = (0..20).map(|v| node(cx, v)).collect();
                targets.iter().for_each(|t| registry.get(cx).register(cx, *t, node(cx, t.v + 100)));
                targets.iter().filter(|t| t.v % 2 == 0).map(|t| cx.root(*t)).collect()
            };
            assert!(registry.get(m).poll(m).is_none(), "nobody has died yet");
            collect(m);
            let mut found: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|held| held.v).collect();
            found.sort_unstable();
            assert!(found.into_iter().eq((0..20).filter(|v| v % 2 == 1).map(|v| v + 100)));
            m.collect();
            assert!(registry.get(m).poll(m).is_none(), "each record is handed out once");
            drop(kept);
            m.collect();
            assert_eq!(std::iter::from_fn(|| registry.get(m).poll(m)).count(), 10);
        });
    }
}

#[test]
fn a_registry_keeps_what_it_holds_and_not_what_it_watches() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        let (target, held) = {
            let cx: &Cx = m;
            let (target, held) = (node(cx, 1), node(cx, 2));
            registry.get(cx).register(cx, target, held);
            (cx.root(cx.weak(target)), cx.root(cx.weak(held)))
        };
        age(m);
        m.collect();
        assert!(target.get(m).peek(m).is_none());
        for _ in 0..3 {
            m.collect();
            m.collect_young();
        }
        assert_eq!(held.get(m).peek(m).unwrap().v, 2, "nobody has asked for it yet");
        assert_eq!(registry.get(m).poll(m).unwrap().v, 2);
        m.collect();
        assert!(held.get(m).peek(m).is_none());
    });
}

#[test]
fn a_held_value_may_be_the_target_of_another_record() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        {
            let cx: &Cx = m;
            let (a, b, c) = (node(cx, 1), node(cx, 2), node(cx, 3));
            registry.get(cx).register(cx, a, b);
            registry.get(cx).register(cx, b, c);
        }
        m.collect();
        let first: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|n| n.v).collect();
        assert_eq!(first, [2], "the held value lived until it was handed out");
        m.collect();
        let second: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|n| n.v).collect();
        assert_eq!(second, [3]);
    });
}

#[test]
fn a_record_can_be_unregistered_until_it_is_handed_out() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        let token = root_node(m, 0);
        {
            let cx: &Cx = m;
            let registry = registry.get(cx);
            registry.register_with(cx, node(cx, 1), node(cx, 10), token.get(cx));
            registry.register_with(cx, node(cx, 2), node(cx, 20), token.get(cx));
            registry.register_with(cx, node(cx, 3), node(cx, 30), node(cx, 4));
            assert_eq!(registry.unregister(cx, token.get(cx)), 2);
            assert_eq!(registry.unregister(cx, token.get(cx)), 0, "twice is once");
            registry.register_with(cx, node(cx, 5), node(cx, 50), token.get(cx));
        }
        m.collect();
        assert_eq!(registry.get(m).unregister(m, token.get(m)), 1, "its target is dead, and nobody has heard of it");
        let found: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).map(|n| n.v).collect();
        assert_eq!(found, [30]);
    });
}

#[test]
fn a_token_is_not_kept_alive_and_a_dead_one_unregisters_nothing() {
    heap().enter((), |m| {
        let registry = {
            let registry = Registry::new(m);
            m.root(registry)
        };
        let target = root_node(m, 1);
        let token = {
            let cx: &Cx = m;
            let token = node(cx, 2);
            registry.get(cx).register_with(cx, target.get(cx), node(cx, 3), token);
            cx.root(cx.weak(token))
        };
        m.collect();
        assert!(token.get(m).peek(m).is_none());
        for v in 0..100 {
            let other = node(m, v);
            assert_eq!(registry.get(m).unregister(m, other), 0, "even where the token used to lie");
        }
        drop(target);
        m.collect();
        assert_eq!(registry.get(m).poll(m).unwrap().v, 3);
    });
}

#[test]
fn a_target_may_be_its_own_token() {
    heap().enter((), |m| {
        let registry = {
            let registry = FinalizationRegistry::<u64>::new(m);
            m.root(registry)
        };
        let kept = root_node(m, 1);
        registry.get(m).register_with(m, kept.get(m), 10, kept.get(m));
        {
            let cx: &Cx = m;
            let lost = node(cx, 2);
            registry.get(cx).register_with(cx, lost, 20, lost);
        }
        m.collect();
        assert_eq!(registry.get(m).unregister(m, kept.get(m)), 1);
        assert_eq!(registry.get(m).poll(m), Some(20));
        assert_eq!(registry.get(m).poll(m), None);
    });
}

#[test]
fn a_registry_that_dies_takes_its_records_along() {
    heap().enter((), |m| {
        let target = root_node(m, 1);
        let held = {
            let cx: &Cx = m;
            let registry = Registry::new(cx);
            let held = node(cx, 2);
            registry.register(cx, target.get(cx), held);
            cx.root(cx.weak(held))
        };
        m.collect();
        drop(target);
        m.collect();
        assert!(held.get(m).peek(m).is_none());
    });
}

#[test]
fn weak_references_are_cleared_before_a_registry_speaks_of_the_death() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let registry = {
                let registry = FinalizationRegistry::<Weak<'_, Node<'_>>>::new(m);
                m.root(registry)
            };
            {
                let cx: &Cx = m;
                let target = node(cx, 1);
                registry.get(cx).register(cx, target, cx.weak(target));
            }
            collect(m);
            let weak = registry.get(m).poll(m).expect("it has died");
            assert!(weak.peek(m).is_none(), "nothing is ever resurrected");
        });
    }
}

#[test]
fn records_survive_a_thousand_collections_and_moves() {
    for heap in [young_heap(), moving_heap()] {
        heap.enter((), |m| {
            let registry = {
                let registry = FinalizationRegistry::<u64>::new(m);
                m.root(registry)
            };
            let kept: Vec<Root<Node<'static>>> = (0..10).map(|v| root_node(m, v)).collect();
            kept.iter().zip(0..).for_each(|(k, v)| registry.get(m).register(m, k.get(m), v));
            for _ in 0..300 {
                m.safepoint();
            }
            assert_eq!(registry.get(m).poll(m), None);
            drop(kept);
            m.collect();
            let mut found: Vec<u64> = std::iter::from_fn(|| registry.get(m).poll(m)).collect();
            found.sort_unstable();
            assert!(found.into_iter().eq(0..10));
        });
    }
}
