//! A program that allocates nothing any more: its heap is collected and shrinks, and nobody had to ask.
use orinoco::{Bytes, Cause, Event, Field, Heap, HeapConfig, Mutator, Observer, Root, Trace};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    _content: [u64; 14],
}

fn config() -> HeapConfig {
    HeapConfig::new().limit(Bytes::mib(256)).helpers(1).quiet_after(Some(Duration::from_millis(100)))
}

/// A list of `bytes`, all of it old.
fn spike<R>(m: &mut Mutator<R>, bytes: usize) -> Root<Node<'static>> {
    let head = m.root(m.alloc(Node { next: Field::null(), _content: [0; 14] }));
    for _ in 0..bytes / 128 {
        {
            let cx = &**m;
            let next = cx.alloc(Node { next: Field::new(Some(head.get(cx))), _content: [0; 14] });
            head.set(cx, next);
        }
        m.safepoint();
    }
    head
}

/// Waits until `done`, for half a minute at most: how long it takes is the machine's business.
fn within_reason(mut done: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while !done() {
        if began.elapsed() > Duration::from_secs(30) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

fn is_small(heap: &Heap) -> bool {
    heap.memory_usage().heap_total < Bytes::mib(12)
}

#[test]
fn a_heap_whose_mutators_are_parked_or_gone_shrinks_by_itself() {
    let heap = Heap::new(config()).unwrap();
    heap.enter((), |m| {
        drop(spike(m, 64 << 20));
        assert!(heap.memory_usage().heap_total > Bytes::mib(32));
        m.park(|| assert!(within_reason(|| is_small(&heap)), "{:?}", heap.statistics()));
        drop(spike(m, 64 << 20));
    });
    assert_eq!(heap.mutators(), 0);
    assert!(within_reason(|| is_small(&heap)), "{:?}", heap.statistics());
}

#[test]
fn a_heap_shrinks_by_itself_whoever_may_mark() {
    for (concurrent, incremental) in [(true, false), (false, true), (false, false)] {
        let config = config().concurrent_marking(concurrent).incremental_marking(incremental);
        let heap = Heap::new(config).unwrap();
        heap.enter((), |m| drop(spike(m, 32 << 20)));
        let small = within_reason(|| is_small(&heap));
        assert!(small, "{concurrent} {incremental}: {:?}", heap.statistics());
    }
}

/// A helper leaves its sweep for the stop that a mutator wants. This one wants it, and parks before it comes to a safepoint: nobody
/// stops, and nobody asked the helper for the rest.
#[test]
fn a_sweep_that_was_left_for_a_stop_that_does_not_come_is_finished() {
    let heap = Heap::new(config().nursery(Bytes::mib(1)).initial_old(Bytes::mib(1))).unwrap();
    heap.enter((), |m| {
        let kept = spike(m, 96 << 20);
        while heap.statistics().regions_unswept > 0 {
            m.safepoint();
        }
        let ended = heap.statistics().full_collections;
        m.begin_collection();
        while heap.statistics().full_collections == ended {
            let _ = m.alloc([0u64; 1000]);
            m.safepoint();
        }
        // More than a nursery at once.
        (0..600).for_each(|_| _ = m.alloc([0u64; 1000]));
        assert!(m.should_yield());
        m.park(|| assert!(within_reason(|| heap.statistics().regions_unswept == 0), "{:?}", heap.statistics()));
        drop(kept);
    });
}

#[test]
fn a_mutator_that_only_polls_is_stopped_for_it() {
    let heap = Heap::new(config()).unwrap();
    heap.enter((), |m| {
        drop(spike(m, 64 << 20));
        let small = within_reason(|| {
            m.safepoint();
            is_small(&heap)
        });
        assert!(small, "{:?}", heap.statistics());
    });
}

#[test]
fn nobody_is_stopped_for_it_while_a_mutator_does_not_poll() {
    let heap = Heap::new(config()).unwrap();
    let silent = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            heap.enter((), |_m| {
                while silent.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
            })
        });
        heap.enter((), |m| {
            while heap.mutators() < 2 {
                std::thread::yield_now();
            }
            // Parked, or the spike's own collections would wait for the other.
            let before = heap.statistics();
            let grown = m.alloc_slice(40 << 20, |_| 0u8).len();
            assert_eq!(grown, 40 << 20);
            let began = Instant::now();
            m.park(|| std::thread::sleep(Duration::from_secs(1)));
            assert!(began.elapsed() < Duration::from_secs(20), "nobody held this mutator up");
            assert_eq!(heap.statistics().scavenges, before.scavenges);
            silent.store(false, Ordering::SeqCst);
            m.park(|| assert!(within_reason(|| is_small(&heap)), "{:?}", heap.statistics()));
        });
    });
}

struct Counted(Arc<AtomicU64>);
impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.fetch_add(1, Ordering::SeqCst) == 3 {
            std::panic::resume_unwind(Box::new("a destructor's bug"));
        }
    }
}
#[derive(Trace)]
struct Resource(#[trace(skip)] Counted);

#[test]
fn what_dies_in_a_quiet_heap_is_dropped_and_a_panic_of_one_keeps_no_other() {
    let drops = Arc::new(AtomicU64::new(0));
    let heap = Heap::new(config()).unwrap();
    heap.enter((), |m| {
        for _ in 0..100 {
            m.alloc(Resource(Counted(drops.clone())));
        }
        m.alloc_slice(16 << 20, |_| 0u8);
        m.park(|| assert!(within_reason(|| is_small(&heap) && drops.load(Ordering::SeqCst) == 100)));
    });
}

#[test]
fn a_heap_that_goes_while_it_is_looked_after_drops_everything_before_it_has_gone() {
    for round in 0..20 {
        let drops = Arc::new(AtomicU64::new(10));
        let heap = Heap::new(config().quiet_after(Some(Duration::from_millis(10)))).unwrap();
        heap.enter((), |m| {
            m.alloc(Resource(Counted(drops.clone())));
            drop(spike(m, 8 << 20));
        });
        std::thread::sleep(Duration::from_millis(3 * round));
        drop(heap);
        assert_eq!(drops.load(Ordering::SeqCst), 11, "round {round}");
    }
}

/// Counts collections that nobody asked for.
#[derive(Default)]
struct Unasked(AtomicU64);
impl Observer for Unasked {
    fn event(&self, event: &Event) {
        if let Event::Pause(report) = event {
            self.0.fetch_add(u64::from(report.cause == Cause::Quiet), Ordering::SeqCst);
        }
    }
}

#[test]
fn a_program_at_work_is_left_alone_until_it_pauses() {
    let unasked = Arc::new(Unasked::default());
    let heap = Heap::new(config().observer(unasked.clone())).unwrap();
    heap.enter((), |m| {
        let kept = spike(m, 32 << 20);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(1) {
            // Faster than a megabyte a second, however slow the machine.
            for _ in 0..10_000 {
                m.alloc([0u64; 8]);
            }
            m.safepoint();
        }
        assert_eq!(unasked.0.load(Ordering::SeqCst), 0);
        m.park(|| assert!(within_reason(|| unasked.0.load(Ordering::SeqCst) > 0)));
        drop(kept);
    });
}

#[test]
fn a_heap_without_helpers_has_no_thread_that_would_look_after_it() {
    let heap = Heap::new(config().helpers(0)).unwrap();
    assert!(!heap.settings().is_tended());
    assert!(Heap::new(config()).unwrap().settings().is_tended());
    assert!(!Heap::new(config().quiet_after(None)).unwrap().settings().is_tended());
    assert!(!Heap::new(config().deterministic(1)).unwrap().settings().is_tended());
}
