//! Finalization callbacks: one for each death, later, on the mutator that runs them.
use super::*;
use orinoco::{Budget, Local};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// What callbacks of this test's thread were given.
    static HEARD: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn heard() -> Vec<u64> {
    let mut heard = HEARD.take();
    heard.sort_unstable();
    heard
}
fn hear(v: u64) {
    HEARD.with_borrow_mut(|heard| heard.push(v));
}

type Numbers = FinalizationRegistry<u64>;

fn numbers(cx: &Cx, callback: orinoco::Finalizer<u64>) -> Root<Numbers> {
    cx.root(Numbers::with_callback(cx, callback))
}
fn note(m: &mut Mutator<()>, held: Local<'_, u64>) {
    hear(held.get(m));
}
/// Registers `n` objects that are dead already, for the numbers from `first`.
fn register_dead(m: &Cx, registry: &Root<Numbers>, first: u64, n: u64) {
    (first..first + n).for_each(|v| registry.get(m).register(m, node(m, v), v));
}

#[test]
fn one_callback_for_each_object_after_its_death_and_never_in_the_pause() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let registry = numbers(m, note);
            let kept = root_node(m, 100);
            registry.get(m).register(m, kept.get(m), 100);
            register_dead(m, &registry, 0, 10);
            assert_eq!(m.run_finalizers(Budget::Unlimited), 0, "nobody has died yet");
            collect(m);
            assert_eq!(heard(), [0; 0], "a collection calls nobody");
            assert_eq!(m.finalizers_ready(), 1);
            assert_eq!(m.run_finalizers(Budget::Unlimited), 10);
            assert_eq!(heard(), (0..10).collect::<Vec<_>>());
            for _ in 0..3 {
                m.collect();
                assert_eq!(m.run_finalizers(Budget::Unlimited), 0, "never twice");
            }
            drop(kept);
            m.collect();
            assert_eq!(m.run_finalizers(Budget::Unlimited), 1);
            assert_eq!(heard(), [100]);
        });
    }
}

#[test]
fn callbacks_run_within_their_budget_and_the_rest_later() {
    heap().enter((), |m| {
        let registries = [numbers(m, note), numbers(m, note)];
        register_dead(m, &registries[0], 0, 100);
        register_dead(m, &registries[1], 100, 100);
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Calls(0)), 0);
        assert_eq!(m.run_finalizers(Budget::Calls(30)), 30);
        m.collect();
        let in_no_time = m.run_finalizers(Budget::Time(std::time::Duration::ZERO));
        assert_eq!(in_no_time, 1, "a budget of time always gets on");
        let rest = m.run_finalizers(Budget::Unlimited);
        assert_eq!(rest, 200 - 30 - 1);
        assert_eq!(heard(), (0..200).collect::<Vec<_>>());
    });
}

#[test]
fn a_registry_that_is_dead_calls_nobody() {
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let registry = numbers(m, note);
            register_dead(m, &registry, 0, 5);
            drop(registry);
            collect(m);
            m.collect();
            assert_eq!(m.run_finalizers(Budget::Unlimited), 0);
            // And one that dies when it already had something to say.
            let registry = numbers(m, note);
            register_dead(m, &registry, 0, 5);
            m.collect();
            assert_eq!(m.finalizers_ready(), 1);
            drop(registry);
            m.collect();
            assert_eq!((m.finalizers_ready(), m.run_finalizers(Budget::Unlimited)), (0, 0));
            assert_eq!(heard(), [0; 0]);
        });
    }
}

#[test]
fn a_callback_that_throws_does_not_lose_the_others() {
    fn throws_at_odd(m: &mut Mutator<()>, held: Local<'_, u64>) {
        let v = held.get(m);
        hear(v);
        if v % 2 == 1 {
            std::panic::resume_unwind(Box::new("the callback's own"));
        }
    }
    heap().enter((), |m| {
        let registry = numbers(m, throws_at_odd);
        register_dead(m, &registry, 0, 20);
        m.collect();
        let mut thrown = 0;
        while m.finalizers_ready() > 0 {
            thrown += u64::from(catch_unwind(AssertUnwindSafe(|| m.run_finalizers(Budget::Unlimited))).is_err());
        }
        assert_eq!(thrown, 10);
        assert_eq!(heard(), (0..20).collect::<Vec<_>>());
        m.collect();
        m.verify();
    });
}

#[test]
fn a_callback_may_collect_and_what_it_holds_stays_a_root_meanwhile() {
    fn collects(m: &mut Mutator<()>, held: Local<'_, Gc<'static, Node<'static>>>) {
        m.collect();
        m.collect_compact();
        hear(held.get(m).v);
    }
    heap().enter((), |m| {
        let registry = {
            let cx: &Cx = m;
            let registry = Registry::with_callback(cx, collects);
            (0..5).for_each(|v| registry.register(cx, node(cx, 1000), node(cx, v)));
            cx.root(registry)
        };
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 5);
        assert_eq!(heard(), [0, 1, 2, 3, 4]);
        assert!(registry.get(m).is_empty(m));
    });
}

#[test]
fn what_a_callback_allocates_lives_as_anything_else_does() {
    #[derive(Trace, Clone, Copy)]
    struct Into<'gc> {
        bag: Gc<'gc, crate::common::Bag<'gc>>,
        v: u64,
    }
    fn allocates(m: &mut Mutator<()>, held: Local<'_, Into<'static>>) {
        let cx: &Cx = m;
        let Into { bag, v } = held.get(cx);
        bag.items.lock(cx).push(node(cx, v));
        litter(cx, 256 << 10);
        m.safepoint();
    }
    heap().enter((), |m| {
        let bag = m.root(m.alloc(crate::common::Bag::default()));
        let registry = {
            let cx: &Cx = m;
            let registry = FinalizationRegistry::<Into<'_>>::with_callback(cx, allocates);
            (0..30).for_each(|v| registry.register(cx, node(cx, v), Into { bag: bag.get(cx), v }));
            cx.root(registry)
        };
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 30);
        m.collect();
        let mut made: Vec<u64> = bag.get(m).items.lock(m).iter().map(|n| n.v).collect();
        made.sort_unstable();
        assert!(made.into_iter().eq(0..30));
        drop(registry);
    });
}

#[test]
fn a_callback_may_register_again_and_is_called_again_after_that_death() {
    #[derive(Trace, Clone, Copy)]
    struct Again<'gc> {
        registry: Gc<'gc, Lock<Option<Gc<'gc, FinalizationRegistry<Again<'gc>>>>>>,
        left: u64,
    }
    fn again(m: &mut Mutator<()>, held: Local<'_, Again<'static>>) {
        let cx: &Cx = m;
        let Again { registry, left } = held.get(cx);
        hear(left);
        if left > 0 {
            let registry_itself = registry.lock(cx).unwrap();
            registry_itself.register(cx, node(cx, left), Again { registry, left: left - 1 });
        }
    }
    heap().enter((), |m| {
        let place = {
            let cx: &Cx = m;
            let registry = FinalizationRegistry::with_callback(cx, again);
            let place: Gc<'_, Lock<Option<Gc<'_, FinalizationRegistry<Again<'_>>>>>> =
                cx.alloc(Lock::new(Some(registry)));
            registry.register(cx, node(cx, 9), Again { registry: place, left: 3 });
            cx.root(place)
        };
        let mut calls = 0;
        for _ in 0..5 {
            m.collect();
            calls += m.run_finalizers(Budget::Unlimited);
        }
        assert_eq!(calls, 4);
        assert_eq!(heard(), [0, 1, 2, 3]);
        drop(place);
    });
}

#[test]
fn unregister_holds_at_each_moment() {
    // Before the death, after it, in a callback, and too late.
    heap().enter((), |m| {
        let registry = numbers(m, note);
        let tokens: Vec<_> = (0..4).map(|v| root_node(m, v)).collect();
        let register = |m: &Cx, v: u64| {
            registry.get(m).register_with(m, node(m, v), v, tokens[v as usize].get(m));
        };
        register(m, 0);
        assert_eq!(registry.get(m).unregister(m, tokens[0].get(m)), 1, "before its death");
        register(m, 1);
        register(m, 2);
        m.collect();
        assert_eq!(registry.get(m).unregister(m, tokens[1].get(m)), 1, "after its death, before its callback");
        assert_eq!(m.run_finalizers(Budget::Unlimited), 1);
        assert_eq!(heard(), [2]);
        assert_eq!(registry.get(m).unregister(m, tokens[2].get(m)), 0, "it was called for");
        assert_eq!(registry.get(m).unregister(m, tokens[3].get(m)), 0, "it was never used");
        assert_eq!(m.finalizers_ready(), 0);
    });
}

#[test]
fn unregister_in_a_callback_takes_back_what_was_to_come() {
    #[derive(Trace, Clone, Copy)]
    struct Held<'gc> {
        registry: Gc<'gc, Lock<Option<Gc<'gc, FinalizationRegistry<Held<'gc>>>>>>,
        token: Gc<'gc, Node<'gc>>,
        v: u64,
    }
    fn take_back(m: &mut Mutator<()>, held: Local<'_, Held<'static>>) {
        let cx: &Cx = m;
        let Held { registry, token, v } = held.get(cx);
        let registry = registry.lock(cx).unwrap();
        hear(v);
        // The first of ten takes the other nine back, and puts one of its own there.
        assert_eq!(registry.unregister(cx, token), if v < 100 { 9 } else { 0 });
        if v < 100 {
            registry.register(cx, token, Held { v: 200, ..held.get(cx) });
        }
    }
    heap().enter((), |m| {
        let place = {
            let cx: &Cx = m;
            let registry = FinalizationRegistry::with_callback(cx, take_back);
            let place: Gc<'_, Lock<Option<Gc<'_, FinalizationRegistry<Held<'_>>>>>> =
                cx.alloc(Lock::new(Some(registry)));
            let token = node(cx, 77);
            for v in 0..10 {
                registry.register_with(cx, node(cx, v), Held { registry: place, token, v }, token);
            }
            cx.root(place)
        };
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 1);
        assert_eq!(heard().len(), 1);
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 0, "what holds its own target keeps it");
        drop(place);
    });
}

#[test]
fn many_records_with_one_token_are_taken_back_at_once() {
    heap().enter((), |m| {
        let registry = numbers(m, note);
        let (token, other) = (root_node(m, 0), root_node(m, 1));
        let targets: Vec<_> = (0..20_000).map(|v| root_node(m, v)).collect();
        for (v, target) in targets.iter().enumerate() {
            let token = if v % 4 == 0 { &other } else { &token };
            registry.get(m).register_with(m, target.get(m), v as u64, token.get(m));
        }
        age(m);
        assert_eq!(registry.get(m).unregister(m, token.get(m)), 15_000);
        assert_eq!(registry.get(m).unregister(m, token.get(m)), 0);
        assert_eq!(registry.get(m).len(m), 5_000);
        drop(targets);
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 5_000);
        assert!(heard().into_iter().eq((0..20_000).step_by(4)));
        assert!(registry.get(m).is_empty(m));
    });
}

#[test]
fn registries_of_one_target_each_say_it() {
    heap().enter((), |m| {
        let registries: Vec<_> = (0..5).map(|_| numbers(m, note)).collect();
        {
            let cx: &Cx = m;
            let target = node(cx, 0);
            for (v, registry) in registries.iter().enumerate() {
                registry.get(cx).register(cx, target, v as u64);
                registry.get(cx).register(cx, target, 10 + v as u64);
            }
        }
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 10);
        assert_eq!(heard(), [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
    });
}

#[test]
fn weak_references_are_cleared_before_any_callback() {
    fn look(m: &mut Mutator<()>, held: Local<'_, Weak<'static, Node<'static>>>) {
        let cx: &Cx = m;
        assert!(held.get(cx).upgrade(cx).is_none(), "a callback sees its target");
        hear(1);
    }
    for collect in EVERY_WAY {
        heap().enter((), |m| {
            let registry = {
                let cx: &Cx = m;
                let registry = FinalizationRegistry::<Weak<'_, Node<'_>>>::with_callback(cx, look);
                let target = node(cx, 1);
                registry.register(cx, target, cx.weak(target));
                cx.root(registry)
            };
            collect(m);
            assert_eq!(m.run_finalizers(Budget::Unlimited), 1);
            assert_eq!(heard(), [1]);
            drop(registry);
        });
    }
}

#[test]
fn a_callback_may_run_finalizers_itself() {
    fn nested(m: &mut Mutator<()>, held: Local<'_, u64>) {
        let v = held.get(m);
        if v == 0 || v == 5 {
            m.run_finalizers(Budget::Calls(3));
        }
        hear(v);
    }
    heap().enter((), |m| {
        let registry = numbers(m, nested);
        register_dead(m, &registry, 0, 20);
        m.collect();
        while m.run_finalizers(Budget::Unlimited) > 0 {}
        assert_eq!(heard(), (0..20).collect::<Vec<_>>());
    });
}

#[test]
fn callbacks_run_on_whichever_mutator_asks() {
    let heap = heap();
    let registry = heap.enter((), |m| {
        let registry = numbers(m, note);
        register_dead(m, &registry, 0, 100);
        m.collect();
        registry
    });
    std::thread::scope(|s| {
        let calls: Vec<_> = (0..3)
            .map(|_| {
                s.spawn(|| {
                    heap.enter((), |m| {
                        let called = m.run_finalizers(Budget::Calls(20));
                        assert_eq!(called, heard().len(), "this thread's callbacks ran here");
                        called
                    })
                })
            })
            .collect();
        assert!(calls.into_iter().map(|t| t.join().unwrap()).sum::<usize>() <= 60);
    });
    heap.enter((), |m| {
        m.run_finalizers(Budget::Unlimited);
        assert!(registry.get(m).is_empty(m));
    });
}

#[test]
fn what_was_seen_in_the_turn_is_not_called_for_until_it_ends() {
    heap().enter((), |m| {
        let registry = numbers(m, note);
        let weak = {
            let cx: &Cx = m;
            let target = node(cx, 1);
            registry.get(cx).register(cx, target, 1);
            cx.root(cx.weak(target))
        };
        assert!(weak.get(m).upgrade(m).is_some());
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 0);
        m.end_turn();
        m.collect();
        assert_eq!(m.run_finalizers(Budget::Unlimited), 1);
        assert_eq!(heard(), [1]);
    });
}
