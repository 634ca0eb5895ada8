//! What an embedder decides about memory: quotas, pressure, idle moments, the last word before the limit, and figures.
use crate::common::{Node, config, heap, litter, node};
use orinoco::{AllocError, Bytes, Cx, Field, Gc, Heap, HeapConfig, Pressure, Space};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn grow<'gc>(cx: &'gc Cx, list: &mut Option<Gc<'gc, Node<'gc>>>, n: u64) -> Result<(), AllocError> {
    for v in 0..n {
        *list = Some(cx.try_alloc(Node { next: Field::new(*list), v })?);
    }
    Ok(())
}

#[test]
fn a_mutator_over_its_quota_fails_alone() {
    let heap = heap();
    heap.enter((), |m| {
        assert_eq!(m.quota_left(), None);
        m.set_quota(Some(Bytes::mib(1)));
        let refused = (0..1_000_000u64).find_map(|v| m.try_alloc([v; 7]).err().map(|e| (v, e)));
        let (made, error) = refused.expect("a mebibyte is not for ever");
        assert_eq!(error, AllocError::QuotaReached);
        assert!((10_000..20_000).contains(&made), "{made} objects of 64 bytes");
        assert!(!error.collection_may_help());
        m.collect();
        assert_eq!(m.try_alloc_slice(1 << 20, |_| 0u8).err(), Some(AllocError::QuotaReached));
        std::thread::scope(|scope| {
            scope.spawn(|| heap.enter((), |other| litter(other, 4 << 20)));
            m.park(|| ());
        });
        m.set_quota(Some(Bytes::mib(2)));
        assert!(m.try_alloc_slice(1 << 20, |_| 0u8).is_ok());
        assert!(m.quota_left().is_some_and(|left| left < Bytes::mib(1)));
        m.set_quota(None);
        litter(m, 4 << 20);
        m.collect();
    });
}

#[test]
fn under_critical_pressure_the_next_stop_is_a_whole_collection_whoever_leads_it() {
    for helpers in [0, 1] {
        let heap = Heap::new(config().helpers(helpers).quiet_after(None)).unwrap();
        heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
            let (cx, list) = m.split();
            grow(cx, list, 100_000).unwrap();
            m.collect();
            *m.split().1 = None;
            let before = heap.statistics();
            heap.pressure(Pressure::Critical);
            m.safepoint();
            let after = heap.statistics();
            assert!(after.full_collections + after.evacuations > before.full_collections + before.evacuations);
            assert_eq!(m.verify().objects, 0);
        });
        // Nobody runs: the call itself sees to it.
        let before = heap.statistics();
        heap.pressure(Pressure::Critical);
        let after = heap.statistics();
        assert!(after.full_collections > before.full_collections, "{helpers} helpers");
    }
}

#[test]
fn under_moderate_pressure_a_cycle_begins_long_before_its_time() {
    let heap = Heap::new(config().helpers(0).initial_old(Bytes::mib(200))).unwrap();
    heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
        for _ in 0..20 {
            let (cx, list) = m.split();
            grow(cx, list, 20_000).unwrap();
            m.safepoint();
        }
        let before = heap.statistics().full_collections;
        *m.split().1 = None;
        heap.pressure(Pressure::Moderate);
        for _ in 0..2000 {
            litter(m, 64 << 10);
            m.safepoint();
            if heap.statistics().full_collections > before {
                return;
            }
        }
        panic!("no cycle has ended: {:?}", heap.statistics());
    });
}

#[test]
fn pressure_may_be_told_from_any_thread_at_any_time() {
    let heap = heap();
    std::thread::scope(|scope| {
        for level in [Pressure::Moderate, Pressure::Critical] {
            let heap = &heap;
            scope.spawn(move || {
                for _ in 0..20 {
                    heap.pressure(level);
                    std::thread::yield_now();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                heap.enter((), |m| {
                    for _ in 0..40 {
                        litter(m, 100_000);
                        m.safepoint();
                        heap.pressure(Pressure::Moderate);
                    }
                })
            });
        }
    });
}

#[test]
fn a_heap_without_helpers_shrinks_in_idle_moments() {
    let heap = Heap::new(HeapConfig::new().limit(Bytes::mib(256)).helpers(0)).unwrap();
    let drops = Arc::new(AtomicU64::new(0));
    heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
        for _ in 0..40 {
            let (cx, list) = m.split();
            grow(cx, list, 50_000).unwrap();
            m.safepoint();
        }
        m.alloc(crate::common::noisy_box(&drops));
        *m.split().1 = None;
        assert!(heap.memory_usage().heap_total > Bytes::mib(32));
        let none = m.idle_until(Instant::now());
        assert!(!none.finished && none.stops == 0, "there was no time: {none:?}");
        let work = m.idle_until(Instant::now() + Duration::from_secs(30));
        assert!(work.finished && work.stops >= 2 && work.given_back > Bytes::mib(8), "{work:?}");
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
    assert!(heap.memory_usage().heap_total < Bytes::mib(12), "{:?}", heap.statistics());
    let again = heap.idle_until(Instant::now() + Duration::from_secs(30));
    assert!(again.finished && again.stops == 0, "{again:?}");
}

#[test]
fn near_the_limit_the_embedder_is_asked_once_and_what_it_raised_is_restored() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let config = config().limit(Bytes::mib(8)).nursery(Bytes::kib(512)).near_limit(move |near| {
        assert!(near.used.get() > near.limit.get() / 8 * 7);
        count.fetch_add(1, Ordering::SeqCst);
        Some(Bytes::mib(12))
    });
    let heap = Heap::new(config).unwrap();
    heap.enter(None::<Gc<'static, Node<'static>>>, |m| {
        for round in 1..=2 {
            let mut refused = 0;
            while refused < 3 {
                let (cx, list) = m.split();
                match grow(cx, list, 1000) {
                    Ok(()) => m.safepoint(),
                    Err(_) => {
                        refused += 1;
                        m.safepoint();
                    }
                }
            }
            if crate::common::zealous() {
                return; // Nothing is near the limit when everything is collected all the time for another reason.
            }
            assert_eq!(asked.load(Ordering::SeqCst), round, "once for each time that the limit comes near");
            assert_eq!(heap.statistics().limit, Bytes::mib(12));
            *m.split().1 = None;
            m.collect();
            assert_eq!(heap.statistics().limit, Bytes::mib(8), "restored");
        }
    });
}

#[test]
fn sums_by_space_are_the_totals_before_and_after_collections() {
    let heap = heap();
    let agree = || {
        let (s, usage) = (heap.statistics(), heap.memory_usage());
        let committed: usize = s.spaces.iter().map(|space| space.committed.get()).sum();
        let used: usize = s.spaces.iter().map(|space| space.used.get()).sum();
        assert_eq!((committed, used), (usage.heap_total.get(), usage.heap_used.get()), "{:?}", s.spaces);
        assert!(s.spaces.iter().all(|space| space.used <= space.committed), "{:?}", s.spaces);
        assert!(s.physical >= s.committed && s.committed == usage.heap_total);
        used
    };
    heap.enter((), |m| {
        agree();
        let (list, large) = {
            let cx: &Cx = m;
            litter(cx, 3 << 20);
            let list = (0..50_000).fold(node(cx, 0), |next, v| cx.alloc(Node { next: Field::new(Some(next)), v }));
            (cx.root(list), cx.root(cx.alloc_slice(1 << 20, |_| 0u8)))
        };
        agree();
        for _ in 0..3 {
            m.collect_young();
            agree();
        }
        m.collect();
        let kept = agree();
        drop((list, large));
        m.collect();
        let rest = agree();
        assert!(kept - rest >= 50_000 * 24 + (1 << 20), "{kept} before, {rest} after");
        let large = heap.statistics().spaces.iter().find(|s| s.space == Space::Large).map(|s| s.used);
        assert_eq!(large, Some(Bytes::new(0)));
    });
}
