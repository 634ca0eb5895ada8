#![expect(unsafe_code, reason = "the proof that the world is stopped passes from its room to the collector")]
//! The slow half of a safepoint: step aside, or lead.
//!
//! P1  The caller is inside `&mut Mutator`: nothing borrowed from it is live on this thread.
//! P2  The poll flag is lowered before the mutator parks, and a leader who asks after that raises it again: parking is a
//!     read-modify-write of the mutator's word, and so is asking.
//! P3  User code (observers, drop glue) runs with the mutator parked: it cannot touch the heap, and others may collect.
use crate::driver::roots::StoppedRoots;
use crate::driver::shared::Shared;
use crate::mutator::cx::Cx;
use crate::mutator::member::Member;
use crate::world::registry::{Occupant, Seat};
use crate::world::safepoint::Stopped;
use orinoco_collector::collector::{Cause, Census, CollectionKind};
use orinoco_collector::stall::StallState;
use orinoco_collector::sync::Ordering;
use orinoco_collector::world::StoppedWorld;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

impl Cx {
    /// Puts the poll flag where it rests while nobody asks for anything.
    pub(crate) fn rest_flag(&self) {
        let collector = self.collector();
        let up = collector.safepoint_wanted() || collector.settings().polls_always();
        self.poll.store(up, Ordering::Relaxed);
    }
}

impl Occupant for Member {
    fn asked(&self) {
        self.cx().watched.forget();
        self.ask();
    }
    fn late(&self, waited: Duration) {
        self.cx().report_stall(StallState::NotPolling(self.cx().collector().wish()), waited);
    }
    fn released(&self) {
        self.cx().rest_flag();
    }
    fn stand_by(&self, stopped: &dyn Fn() -> bool) {
        self.cx().collector().stand_by(stopped);
    }
}

/// What a mutator does at a safepoint whose flag is up, or when the program asks for a collection.
pub(crate) fn safepoint(shared: &Shared, seat: &Seat<Member>, explicit: Option<CollectionKind>) {
    let cx = seat.occupant().cx();
    let mut arrived = shared.now();
    let mut announced = !shared.collector.is_observed();
    loop {
        let Some((kind, cause)) = shared.collector.next_kind(explicit) else {
            step_aside(shared, seat, arrived);
            if shared.collector.drops_due(&cx.local) {
                parked(shared, seat, || shared.collector.drop_some(&cx.local));
                cx.rest_flag();
            }
            return;
        };
        if !std::mem::replace(&mut announced, true) {
            parked(shared, seat, || shared.collector.announce(kind, cause));
            arrived = shared.now();
        }
        shared.collector.before_stop(kind);
        let stops = shared.stops();
        shared.collector.note_wish(kind);
        if let Ok(stopped) = shared.world.stop(seat) {
            lead(shared, &stopped, kind, cause);
            drop(stopped);
            cx.asked_at.store(0, Ordering::Relaxed);
            cx.rest_flag();
            if shared.stops() != stops {
                shared.record_stop(arrived);
                parked(shared, seat, || {
                    shared.stir();
                    shared.collector.after_stop();
                    match explicit {
                        Some(_) => shared.collector.drop_all(),
                        None => shared.collector.drop_some(&cx.local),
                    }
                    shared.collector.ask_near_limit();
                });
            }
            return;
        }
        stood_still(shared, cx, arrived);
        if explicit.is_none() {
            return;
        }
    }
}

/// Uses the stop, unless what it was meant for is done.
fn lead(shared: &Shared, stopped: &Stopped<'_, Member>, kind: CollectionKind, cause: Cause) {
    let _pause = shared.pause.lock();
    let (kind, cause) = match cause {
        Cause::Explicit | Cause::Zeal | Cause::Seed => (kind, cause),
        Cause::Quiet => match shared.collector.quiet_kind() {
            Some(kind) => (kind, cause),
            None => return,
        },
        // Another stop may have come between the question and ours.
        _ if !shared.collector.collection_wanted() => return,
        _ => shared.collector.next_kind(None).unwrap_or((kind, cause)),
    };
    // SAFETY: `stopped` is the proof: no mutator runs, comes or goes; `pause` keeps those away that let go of a mutator.
    let world = unsafe { StoppedWorld::assume(stopped) };
    let report = shared.collector.collect(&world, &StoppedRoots { shared, stopped }, kind, cause);
    shared.note_stop(report.stop_kind());
}

/// Collects from a thread that runs no mutator of this heap; or lets others do it who were first.
pub(crate) fn collect_from_outside(shared: &Shared, kind: CollectionKind, cause: Cause) {
    shared.collector.announce(kind, cause);
    let Ok(stopped) = shared.world.stop_from_outside() else { return };
    let stops = shared.stops();
    lead(shared, &stopped, kind, cause);
    drop(stopped);
    if shared.stops() == stops {
        return;
    }
    shared.collector.after_stop();
    drop_the_dead(shared);
}

/// Drops what has died, on a thread that runs no mutator. Drop glue that panics has told the panic hook, and there is nobody
/// to unwind; the other dead are dropped still.
pub(crate) fn drop_the_dead(shared: &Shared) {
    while std::panic::catch_unwind(AssertUnwindSafe(|| shared.collector.drop_all())).is_err() {}
}

/// Lets a stop pass that others asked for.
fn step_aside(shared: &Shared, seat: &Seat<Member>, arrived: u64) {
    let cx = seat.occupant().cx();
    let stops = shared.stops();
    // P2.
    cx.poll.store(false, Ordering::Relaxed);
    shared.world.park(seat);
    shared.world.unpark(seat);
    if shared.stops() != stops {
        stood_still(shared, cx, arrived);
    }
    if shared.collector.settings().zeal.every > 0 {
        // Zeal counts safepoints: the next one has to come here too.
        cx.poll.store(true, Ordering::Relaxed);
    }
    cx.pass_on_wish();
}

/// Reports a stop that others led, from when they asked.
fn stood_still(shared: &Shared, cx: &Cx, arrived: u64) {
    let asked = cx.asked_at.swap(0, Ordering::Relaxed);
    let since = if asked == 0 { arrived } else { asked.min(arrived).max(cx.running_since.load(Ordering::Relaxed)) };
    shared.record_stop(since);
}

/// Runs `f` with the mutator parked (P3).
fn parked(shared: &Shared, seat: &Seat<Member>, f: impl FnOnce()) {
    struct Return<'a>(&'a Shared, &'a Seat<Member>);
    impl Drop for Return<'_> {
        fn drop(&mut self) {
            enter(self.0, self.1);
        }
    }
    shared.world.park(seat);
    let _return = Return(shared, seat);
    f();
}

/// Takes the heap back after a parked section, or for a turn.
pub(crate) fn enter(shared: &Shared, seat: &Seat<Member>) {
    let cx = seat.occupant().cx();
    let (stops, since) = (shared.stops(), shared.now());
    cx.asked_at.store(0, Ordering::Relaxed);
    shared.world.unpark(seat);
    cx.running_since.store(shared.now(), Ordering::Relaxed);
    if shared.stops() != stops {
        shared.record_stop(since);
    }
    cx.pass_on_wish();
}

/// Stops the world, checks the whole heap and counts what is reachable.
pub(crate) fn verify(shared: &Shared, seat: &Seat<Member>) -> Census {
    loop {
        if let Ok(stopped) = shared.world.stop(seat) {
            let _pause = shared.pause.lock();
            // SAFETY: as in `lead`.
            let world = unsafe { StoppedWorld::assume(&stopped) };
            return shared.collector.verify(&world, &StoppedRoots { shared, stopped: &stopped });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Heap, HeapConfig, StopKind};
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    fn heap() -> Heap {
        Heap::new(HeapConfig::new().helpers(0)).expect("the configuration is in range")
    }
    fn stops(heap: &Heap, kind: StopKind) -> u64 {
        heap.statistics().stops.iter().filter(|(k, _)| *k == kind).map(|(_, s)| s.count).sum()
    }

    #[test]
    fn a_flag_without_a_reason_is_lowered_and_nothing_is_collected() {
        let heap = heap();
        heap.enter((), |m| {
            m.poll.store(true, Ordering::Relaxed);
            assert!(m.should_yield());
            m.safepoint();
            assert!(!m.should_yield());
        });
        assert_eq!((heap.statistics().scavenges, stops(&heap, StopKind::Young)), (0, 0));
    }

    #[test]
    fn each_mutator_that_stood_still_is_reported() {
        const ROUNDS: u64 = 10;
        let heap = heap();
        let (turns, done) = (AtomicU64::new(0), AtomicBool::new(false));
        // Waits until the other mutator has gone on after whatever stop there was.
        let another_turn = || {
            let seen = turns.load(Ordering::SeqCst);
            while turns.load(Ordering::SeqCst) < seen + 2 {
                std::thread::yield_now();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                heap.enter((), |m| {
                    while !done.load(Ordering::SeqCst) {
                        m.safepoint();
                        turns.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                    }
                });
            });
            heap.enter((), |m| {
                for _ in 0..ROUNDS {
                    m.park(another_turn);
                    m.collect_young();
                }
                done.store(true, Ordering::SeqCst);
            });
        });
        assert_eq!(heap.statistics().scavenges, ROUNDS);
        assert_eq!(stops(&heap, StopKind::Young), 2 * ROUNDS, "the leader's and the other's");
    }

    #[test]
    fn a_parked_mutator_does_not_stand_still_while_others_collect() {
        let heap = heap();
        heap.enter((), |m| {
            m.park(|| {
                std::thread::scope(|scope| scope.spawn(|| heap.enter((), |m| m.collect())).join())
                    .expect("the other mutator does not panic");
            });
            assert!(!m.should_yield());
        });
        assert_eq!(stops(&heap, StopKind::Full), 1);
    }
}
