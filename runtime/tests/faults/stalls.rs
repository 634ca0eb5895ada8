//! Mutators that keep others waiting: the watchdog says which.
use crate::common::list;
use crate::{in_child, words};
use orinoco::{Bytes, Event, Heap, HeapConfig, Lock, Observer, Stall, StallState};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// Passes stalls on.
struct Listener(Mutex<mpsc::Sender<Stall>>);

impl Observer for Listener {
    fn event(&self, _: &Event) {}
    fn stalled(&self, stall: &Stall) {
        // Who listened may have heard enough.
        let _ = self.0.lock().expect("nobody panics with this lock").send(stall.clone());
    }
}

fn config() -> HeapConfig {
    HeapConfig::new().limit(Bytes::mib(64)).helpers(0).watchdog(Duration::from_millis(50))
}

fn watched() -> (Heap, mpsc::Receiver<Stall>) {
    let (told, stalls) = mpsc::channel();
    let heap = Heap::new(config().observer(Arc::new(Listener(Mutex::new(told))))).expect("in range");
    (heap, stalls)
}

#[test]
fn a_mutator_that_never_polls_is_named() {
    let (heap, stalls) = watched();
    let (running, seen) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let busy = std::thread::Builder::new().name("busy bee".to_owned());
        let busy = busy.spawn_scoped(scope, || {
            heap.enter((), |m| {
                running.store(true, SeqCst);
                while !seen.load(SeqCst) {
                    std::hint::spin_loop();
                }
                m.safepoint();
            });
        });
        let busy = busy.expect("a thread can be started");
        while !running.load(SeqCst) {
            std::thread::yield_now();
        }
        let leader = scope.spawn(|| heap.enter((), |m| m.collect()));
        let stall = stalls.recv_timeout(Duration::from_secs(60)).expect("somebody is told");
        assert_eq!(stall.name.as_deref(), Some("busy bee"));
        assert_eq!(stall.thread, Some(busy.thread().id()));
        assert!(matches!(stall.state, StallState::NotPolling(Some(orinoco::CollectionKind::Full))), "{stall}");
        assert!(stall.waited >= Duration::from_millis(50) && stall.running >= stall.waited, "{stall}");
        let again = stalls.recv_timeout(Duration::from_secs(60)).expect("again, when the wait has doubled");
        assert!(again.waited >= 2 * stall.waited, "{again}");
        seen.store(true, SeqCst);
        leader.join().expect("the collection went on");
    });
    assert_eq!(heap.statistics().full_collections, 1);
}

#[test]
fn who_waits_for_a_lock_and_who_holds_it_are_named() {
    let (heap, stalls) = watched();
    let lock = heap.enter((), |m| m.root(m.alloc(Lock::new(0u64))));
    let (told, held) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let (heap, lock) = (&heap, &lock);
        scope.spawn(move || {
            heap.enter((), |m| {
                let object = lock.get(m);
                let guard = object.lock(m);
                told.send(format!("{:?}", &**m)).expect("somebody listens");
                released.recv().expect("somebody says when");
                drop(guard);
            });
        });
        let holder = held.recv().expect("the lock is taken");
        let waiting = scope.spawn(|| heap.enter((), |m| *lock.get(m).lock(m) += 1));
        let stall = stalls.recv_timeout(Duration::from_secs(60)).expect("somebody is told");
        assert_eq!(stall.state, StallState::WaitingForLock);
        let number = stall.lock_holder.expect("somebody holds it");
        assert!(holder.contains(&format!("mutator: {number},")), "{holder} holds it, not {number}");
        release.send(()).expect("the holder waits");
        waiting.join().expect("it has the lock now");
    });
}

#[test]
fn a_stalled_process_ends_if_it_is_to() {
    let output = in_child("stalls::a_stalled_process_ends_if_it_is_to", || {
        let heap = Heap::new(config().abort_when_stalled(true)).expect("in range");
        let running = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                heap.enter((), |_| {
                    running.store(true, SeqCst);
                    let began = Instant::now();
                    while began.elapsed() < Duration::from_secs(100) {}
                });
            });
            while !running.load(SeqCst) {
                std::thread::yield_now();
            }
            heap.enter((), |m| m.collect());
        });
    });
    let words = words(&output);
    assert!(!output.status.success(), "the process went on");
    assert!(words.contains("was asked to stop") && words.contains("abort_when_stalled"), "{words}");
}

#[test]
fn a_panic_in_a_pause_ends_the_process_and_says_why() {
    let output = in_child("stalls::a_panic_in_a_pause_ends_the_process_and_says_why", || {
        let heap = Heap::new(config().faults("pause:2".parse().expect("a fault"))).expect("in range");
        heap.enter((), |m| {
            m.collect_young();
            println!("the first went well");
            m.collect_young();
        });
    });
    let words = words(&output);
    assert!(!output.status.success(), "the process went on");
    assert!(words.contains("the first went well"), "{words}");
    assert!(words.contains("a fault was asked for in pause 2"), "{words}");
    for line in ["doing     a Young collection (Explicit)", "regions   ", "settings  limit 64.00 MiB", "it ends"] {
        assert!(words.contains(line), "the page says nothing of {line:?}: {words}");
    }
}

/// What a helper was doing is nobody's to take over: half of an object may be copied.
#[test]
fn a_helper_that_dies_in_a_pause_ends_the_process_and_says_why() {
    let output = in_child("stalls::a_helper_that_dies_in_a_pause_ends_the_process_and_says_why", || {
        let heap = Heap::new(config().helpers(2).faults("helper:2".parse().expect("a fault"))).expect("in range");
        heap.enter((), |m| {
            let kept: Vec<_> = (0..64).map(|_| m.root(list(m, 500).expect("a list has a link"))).collect();
            // A helper that wakes too late finds the phase over: some time two come.
            for _ in 0..100_000 {
                m.collect();
            }
            drop(kept);
        });
    });
    let words = words(&output);
    assert!(!output.status.success(), "the process went on");
    assert!(words.contains("a fault was asked for in helper 2"), "{words}");
}
