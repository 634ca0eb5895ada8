//! Many mutators on one heap.
use crate::common::{Bag, Node, Rng, Table, heap, litter, node, root_node, rounds, values};
use orinoco::{Cx, Field, Gc, Lock, Root, Trace};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::{Duration, Instant};

#[derive(Trace)]
struct Shared<'gc> {
    slots: Gc<'gc, [Field<'gc, Node<'gc>>]>,
    bag: Lock<Vec<Gc<'gc, Node<'gc>>>>,
    map: Lock<HashMap<u64, Gc<'gc, Node<'gc>>>>,
}

/// Compiles only if the type lacks the trait: with it, there would be two ways to choose from.
macro_rules! lacks {
    ($t:ty: $bound:path) => {{
        trait Ambiguous<A> {
            fn resolved() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + $bound> Ambiguous<u8> for T {}
        <$t as Ambiguous<_>>::resolved()
    }};
}

#[test]
fn nothing_that_belongs_to_a_window_leaves_its_thread() {
    lacks!(Cx: Send);
    lacks!(Cx: Sync);
    lacks!(orinoco::Mutator<()>: Send);
    lacks!(orinoco::Mutator<()>: Sync);
    lacks!(Gc<'static, str>: Send);
    lacks!(Gc<'static, str>: Sync);
    lacks!(orinoco::GcDyn<'static, dyn Send>: Send);
    lacks!(orinoco::GcDyn<'static, dyn Send>: Sync);
    lacks!(orinoco::Local<'static, u64>: Send);
    lacks!(orinoco::Local<'static, u64>: Sync);
    lacks!(orinoco::LockGuard<'static, u64>: Send);
    lacks!(orinoco::LockGuard<'static, u64>: Sync);
    // What has methods that take a context is not shared even if it holds plain data only: another thread's context may
    // be of another heap.
    lacks!(Lock<u64>: Sync);
    lacks!(orinoco::Slot<u64>: Sync);
    lacks!(orinoco::WeakCell<u64>: Sync);
    lacks!(orinoco::WeakMap<u64, u64>: Sync);
    lacks!(orinoco::FinalizationRegistry<u64>: Sync);
    lacks!(orinoco::Packed<u64>: Sync);
}

#[test]
fn handles_that_own_what_they_need_go_anywhere() {
    fn anywhere<T: Send + Sync + 'static>() {}
    anywhere::<orinoco::Heap>();
    anywhere::<Root<Node<'static>>>();
    anywhere::<Root<str>>();
    fn to_another<T: Send + 'static>() {}
    to_another::<orinoco::Attached<Option<Gc<'static, Node<'static>>>>>();
    lacks!(orinoco::Attached<crate::common::Vm<'static>>: Send);
}

#[test]
fn threads_share_slots_locks_and_roots_while_collections_run() {
    let heap = heap();
    let shared: Root<Shared<'static>> = heap.enter((), |m| {
        let cx: &Cx = m;
        let slots = cx.alloc_slice(16, |_| Field::null());
        cx.root(cx.alloc(Shared { slots, bag: Lock::new(vec![]), map: Lock::new(HashMap::new()) }))
    });
    let rounds = 20_000;
    std::thread::scope(|s| {
        for t in 0..4u64 {
            let (heap, shared) = (&heap, &shared);
            s.spawn(move || {
                heap.enter((), |m| {
                    let mut rng = Rng::new(t + 1);
                    for i in 0..rounds {
                        {
                            let cx: &Cx = m;
                            let shared = shared.get(cx);
                            let x = rng.next();
                            let n = node(cx, x);
                            let slot = |k: u32| &shared.slots[(x >> k) as usize % 16];
                            match x % 5 {
                                0 => {
                                    n.next.set(cx, slot(8).get());
                                    slot(16).set(cx, Some(n));
                                }
                                1 => {
                                    let mut bag = shared.bag.lock(cx);
                                    if bag.len() > 40 {
                                        bag.clear();
                                    }
                                    bag.push(n);
                                }
                                2 => drop(shared.map.lock(cx).insert(x % 32, n)),
                                3 => {
                                    let found = shared.map.lock(cx).get(&(x % 32)).copied();
                                    slot(8).set(cx, found);
                                }
                                _ => {
                                    if let Some(n) = slot(8).get() {
                                        n.next.clear();
                                        std::hint::black_box(n.v);
                                    }
                                }
                            }
                        }
                        if i % 4 == 0 {
                            m.safepoint();
                        }
                        if i % 5000 == 1000 * t {
                            m.collect();
                        }
                        if i % 700 == 100 * t {
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
    assert_eq!(heap.mutators(), 0);
}

#[test]
fn a_lock_free_stack_loses_nothing() {
    #[derive(Trace)]
    struct Stack<'gc> {
        head: Field<'gc, Node<'gc>>,
        pushes: AtomicU64,
    }
    let heap = heap();
    let stack: Root<Stack<'static>> = heap.enter((), |m| {
        let stack = m.alloc(Stack { head: Field::null(), pushes: AtomicU64::new(0) });
        m.root(stack)
    });
    let per_thread = rounds(10_000);
    std::thread::scope(|s| {
        for t in 0..3 {
            let (heap, stack) = (&heap, &stack);
            s.spawn(move || {
                heap.enter((), |m| {
                    for i in 0..per_thread {
                        {
                            let cx: &Cx = m;
                            let stack = stack.get(cx);
                            let mut head = stack.head.get();
                            let n = cx.alloc(Node { next: Field::new(head), v: t * per_thread + i });
                            while let Err(found) = stack.head.compare_exchange(cx, head, Some(n)) {
                                head = found;
                                n.next.set(cx, head);
                            }
                            stack.pushes.fetch_add(1, Ordering::Relaxed);
                        }
                        m.safepoint();
                    }
                });
            });
        }
    });
    heap.enter((), |m| {
        m.collect();
        let stack = stack.get(m);
        let mut seen = values(stack.head.get());
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..3 * per_thread));
        assert_eq!(stack.pushes.load(Ordering::Relaxed), 3 * per_thread);
    });
}

#[test]
fn threads_attach_and_leave_at_random_while_others_collect() {
    let heap = heap();
    let table: Root<Table<'static>> = heap.enter((), |m| {
        let table = m.alloc(Table::default());
        m.root(table)
    });
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        let (heap, table, stop) = (&heap, &table, &stop);
        s.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                heap.enter((), |m| {
                    litter(m, 1 << 18);
                    m.collect_young();
                    m.collect();
                });
            }
        });
        let workers: Vec<_> = (0..3u64)
            .map(|t| {
                s.spawn(move || {
                    let mut rng = Rng::new(t);
                    for i in 0..400 {
                        let short_lived = |key: u64| {
                            heap.enter((), |m| {
                                for j in 0..1 + rng.below(20) as u64 {
                                    {
                                        let cx: &Cx = m;
                                        let n = node(cx, key);
                                        table.get(cx).entries.lock(cx).insert(key, n);
                                    }
                                    if j % 3 == 0 {
                                        m.safepoint();
                                    }
                                }
                                if key.is_multiple_of(5) {
                                    m.park(std::thread::yield_now);
                                }
                            });
                        };
                        if i % 10 == 0 {
                            // A thread of its own, which exits right after.
                            std::thread::scope(|s| drop(s.spawn(move || heap.enter((), |m| litter(m, 4096)))));
                        }
                        let mut short_lived = short_lived;
                        short_lived(t * 1000 + i);
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|w| w.join().unwrap());
        stop.store(true, Ordering::Relaxed);
    });
    heap.enter((), |m| {
        m.collect();
        m.verify();
        let table = table.get(m);
        let entries = table.entries.lock(m);
        assert!(entries.len() == 1200 && entries.iter().all(|(k, n)| n.v == *k));
    });
    assert_eq!(heap.mutators(), 0);
}

#[test]
fn a_parked_thread_does_not_delay_a_collection() {
    let heap = heap();
    let (parked, is_parked) = mpsc::channel();
    let (go, wait_for_it) = mpsc::channel::<()>();
    std::thread::scope(|s| {
        let heap = &heap;
        s.spawn(move || {
            heap.enter((), |m| {
                let root = root_node(m, 7);
                m.park(|| {
                    parked.send(()).unwrap();
                    wait_for_it.recv().unwrap();
                });
                assert_eq!(root.get(m).v, 7);
            });
        });
        is_parked.recv().unwrap();
        heap.enter((), |m| {
            for _ in 0..5 {
                m.collect();
                m.collect_young();
            }
        });
        go.send(()).unwrap();
    });
}

#[test]
fn a_thread_that_waits_for_a_lock_of_std_in_a_parked_section_does_not_delay_a_collection() {
    let heap = heap();
    let mutex = std::sync::Mutex::new(0);
    let waiting = Barrier::new(2);
    std::thread::scope(|s| {
        let held = mutex.lock().unwrap();
        let (heap, mutex, waiting) = (&heap, &mutex, &waiting);
        s.spawn(move || {
            heap.enter((), |m| {
                m.park(|| {
                    waiting.wait();
                    *mutex.lock().unwrap() += 1;
                });
                m.safepoint();
            });
        });
        waiting.wait();
        heap.enter((), |m| m.collect());
        drop(held);
    });
    assert_eq!(*mutex.lock().unwrap(), 1);
}

#[test]
fn all_threads_that_ask_for_a_collection_at_once_get_one() {
    let heap = heap();
    let start = Barrier::new(4);
    std::thread::scope(|s| {
        for t in 0..4u64 {
            let (heap, start) = (&heap, &start);
            s.spawn(move || {
                heap.enter((), |m| {
                    m.park(|| start.wait());
                    for i in 0..50 {
                        let weak = {
                            let n = node(m, i);
                            let weak = m.weak(n);
                            m.root(weak)
                        };
                        match (t + i) % 3 {
                            0 => m.collect_young(),
                            1 => m.collect_compact(),
                            _ => m.collect(),
                        }
                        assert!(weak.get(m).peek(m).is_none(), "a collection that was asked for has happened");
                    }
                });
            });
        }
    });
}

#[test]
fn parking_races_with_requests_and_none_is_lost() {
    let heap = heap();
    let done = AtomicBool::new(false);
    std::thread::scope(|s| {
        let (heap, done) = (&heap, &done);
        for _ in 0..2 {
            s.spawn(move || {
                heap.enter((), |m| {
                    let root = root_node(m, 3);
                    while !done.load(Ordering::Relaxed) {
                        m.park(|| ());
                        assert_eq!(root.get(m).v, 3);
                        m.safepoint();
                    }
                });
            });
        }
        heap.enter((), |m| {
            for _ in 0..300 {
                m.collect_young();
            }
        });
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_mutator_is_asked_through_should_yield() {
    let heap = heap();
    let (running, is_running) = mpsc::channel();
    std::thread::scope(|s| {
        let heap = &heap;
        s.spawn(move || {
            heap.enter((), |m| {
                m.safepoint();
                running.send(()).unwrap();
                let began = Instant::now();
                while !m.should_yield() {
                    assert!(began.elapsed() < Duration::from_secs(60), "nobody asked");
                    std::hint::spin_loop();
                }
                m.safepoint();
            });
        });
        is_running.recv().unwrap();
        heap.enter((), |m| m.collect());
    });
}

#[test]
fn objects_handed_over_through_a_channel_of_roots_arrive_whole() {
    let heap = heap();
    let (send, receive) = mpsc::sync_channel::<Root<Bag<'static>>>(8);
    std::thread::scope(|s| {
        let heap = &heap;
        s.spawn(move || {
            heap.enter((), |m| {
                for i in 0..2000u64 {
                    let root = {
                        let cx: &Cx = m;
                        let bag = cx.alloc(Bag::default());
                        bag.items.lock(cx).extend((0..i % 7).map(|v| node(cx, v)));
                        cx.root(bag)
                    };
                    m.park(|| send.send(root).unwrap());
                    m.safepoint();
                }
            });
        });
        s.spawn(move || {
            heap.enter((), |m| {
                for i in 0..2000u64 {
                    let root = m.park(|| receive.recv().unwrap());
                    {
                        let bag = root.get(m);
                        assert!(bag.items.lock(m).iter().map(|n| n.v).eq(0..i % 7));
                    }
                    if i % 50 == 0 {
                        m.collect_young();
                    }
                }
            });
        });
    });
}

#[test]
fn the_collector_keeps_up_with_threads_that_only_allocate() {
    let heap = heap();
    std::thread::scope(|s| {
        for t in 0..4u64 {
            let heap = &heap;
            s.spawn(move || {
                heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
                    for i in 0..rounds(60_000) {
                        let (cx, kept) = m.split();
                        let n = node(cx, i);
                        if i % 100 == t {
                            n.next.set(cx, if i % 10_000 == t { None } else { *kept });
                            *kept = Some(n);
                        }
                        m.safepoint();
                    }
                    let kept = values(*m.split().1);
                    assert!(kept.iter().all(|v| v % 100 == t) && kept.windows(2).all(|w| w[0] == w[1] + 100));
                });
            });
        }
    });
}
