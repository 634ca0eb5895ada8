//! A leader stops the world while mutators run, return, come, go, and wish to stop it themselves.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco::model::world::registry::{Occupant, Seat, World};
use orinoco::model::world::safepoint::Overtaken;
use orinoco_collector::model::sync::Ordering::Relaxed;
use orinoco_collector::model::sync::{Arc, AtomicUsize, thread};

protocol! { "safepoint":
    a_stop_sees_what_a_parked_mutator_did (Exhaustive),
    a_mutator_that_resumes_sees_what_the_stop_did (Exhaustive),
    a_stop_and_a_return_do_not_both_proceed (Exhaustive),
    a_buffer_retired_in_a_stop_is_not_used_again (Exhaustive),
    a_newcomer_waits_or_is_stopped (Exhaustive),
    a_newcomer_has_the_phase_that_is (Exhaustive),
    nobody_leaves_in_a_stop (Exhaustive),
    two_stops_in_a_row_let_a_mutator_run_between (Exhaustive),
    two_leaders_take_turns (Exhaustive),
}

/// A mutator of a small heap.
struct Toy {
    heap: Arc<Heap>,
    /// Its own memory: the leader reads and writes it in a stop, the mutator while it runs.
    buffer: Shared<usize>,
    /// Its copy of the heap's phase.
    phase: AtomicUsize,
}

struct Heap {
    /// Mutators that touch the heap at this moment.
    inside: AtomicUsize,
    phase: AtomicUsize,
    asked: AtomicUsize,
}

impl Occupant for Toy {
    fn asked(&self) {
        self.heap.asked.fetch_add(1, Relaxed);
    }
    fn released(&self) {}
}

impl Heap {
    fn new() -> Arc<Self> {
        Arc::new(Self { inside: AtomicUsize::new(0), phase: AtomicUsize::new(0), asked: AtomicUsize::new(0) })
    }
}

impl Toy {
    fn new(heap: &Arc<Heap>) -> Self {
        Self { heap: heap.clone(), buffer: Shared::new(0), phase: AtomicUsize::new(heap.phase.load(Relaxed)) }
    }
}

type Place = (Arc<World<Toy>>, Arc<Seat<Toy>>, Arc<Heap>);

fn one_mutator() -> Place {
    let (world, heap) = (Arc::new(World::new()), Heap::new());
    let seat = world.attach(Toy::new(&heap));
    (world, seat, heap)
}

fn go_inside(heap: &Heap) {
    heap.inside.fetch_add(1, Relaxed);
    heap.inside.fetch_sub(1, Relaxed);
}

fn assert_nobody_inside(heap: &Heap) {
    assert_eq!(heap.inside.load(Relaxed), 0, "a mutator runs in a stopped world");
    thread::yield_now();
    assert_eq!(heap.inside.load(Relaxed), 0, "a mutator runs in a stopped world");
}

/// The mutator runs, writes and parks; the leader stops it running or finds it parked, and reads.
fn a_stop_sees_what_a_parked_mutator_did() {
    let (world, seat, _) = one_mutator();
    world.unpark(&seat);
    let mutator = thread::spawn({
        let (world, seat) = (world.clone(), seat.clone());
        move || {
            seat.occupant().buffer.set(7);
            world.park(&seat);
        }
    });
    {
        let stopped = world.stop_from_outside().expect("nobody else stops the world");
        assert!(stopped.mutators().all(|toy| toy.buffer.get() == 7), "a stop missed what a mutator wrote");
    }
    mutator.join().unwrap();
}

/// The mutator is parked while the leader works, and comes back by the way that takes no lock.
fn a_mutator_that_resumes_sees_what_the_stop_did() {
    let (world, seat, _) = one_mutator();
    let mutator = thread::spawn({
        let (world, seat) = (world.clone(), seat.clone());
        move || {
            world.unpark(&seat);
            let before = seat.occupant().buffer.get();
            seat.occupant().buffer.set(before + 1);
            world.park(&seat);
            before
        }
    });
    let found = {
        let stopped = world.stop_from_outside().expect("nobody else stops the world");
        let toy = stopped.mutators().next().expect("one mutator is attached");
        let found = toy.buffer.get();
        toy.buffer.set(found + 10);
        found
    };
    let before = mutator.join().unwrap();
    assert!(matches!((found, before), (0, 10) | (1, 0)), "a stop and a mutator do not agree who was first");
}

fn a_stop_and_a_return_do_not_both_proceed() {
    let (world, seat, heap) = one_mutator();
    let mutator = thread::spawn({
        let (world, seat, heap) = (world.clone(), seat.clone(), heap.clone());
        move || {
            world.unpark(&seat);
            go_inside(&heap);
            world.park(&seat);
        }
    });
    {
        let _stopped = world.stop_from_outside().expect("nobody else stops the world");
        assert_nobody_inside(&heap);
    }
    mutator.join().unwrap();
}

/// The leader takes the buffer of a mutator that is away; one that returns must find it gone, or have come before.
fn a_buffer_retired_in_a_stop_is_not_used_again() {
    const FULL: usize = 4;
    let (world, seat, _) = one_mutator();
    seat.occupant().buffer.set(FULL);
    let mutator = thread::spawn({
        let (world, seat) = (world.clone(), seat.clone());
        move || {
            world.unpark(&seat);
            let buffer = &seat.occupant().buffer;
            let taken = buffer.get().min(1);
            buffer.set(buffer.get() - taken);
            world.park(&seat);
            taken
        }
    });
    let retired = {
        let stopped = world.stop_from_outside().expect("nobody else stops the world");
        let toy = stopped.mutators().next().expect("one mutator is attached");
        let rest = toy.buffer.get();
        toy.buffer.set(0);
        rest
    };
    assert_eq!(retired + mutator.join().unwrap(), FULL, "a retired buffer was used again");
}

/// A stop waits for one who runs; somebody attaches meanwhile, and runs.
fn a_newcomer_waits_or_is_stopped() {
    let (world, seat, heap) = one_mutator();
    world.unpark(&seat);
    let runner = thread::spawn({
        let (world, seat) = (world.clone(), seat.clone());
        move || world.park(&seat)
    });
    let newcomer = thread::spawn({
        let (world, heap) = (world.clone(), heap.clone());
        move || {
            let seat = world.attach(Toy::new(&heap));
            world.unpark(&seat);
            go_inside(&heap);
            world.park(&seat);
        }
    });
    {
        let _stopped = world.stop_from_outside().expect("nobody else stops the world");
        assert_nobody_inside(&heap);
    }
    runner.join().unwrap();
    newcomer.join().unwrap();
}

/// A stop changes the heap's phase and every mutator's copy of it; a newcomer copies it as it comes.
fn a_newcomer_has_the_phase_that_is() {
    let (world, heap) = (Arc::new(World::new()), Heap::new());
    let newcomer = thread::spawn({
        let (world, heap) = (world.clone(), heap.clone());
        move || {
            let seat = world.attach_with(|| Toy::new(&heap));
            world.unpark(&seat);
            let (copy, phase) = (seat.occupant().phase.load(Relaxed), heap.phase.load(Relaxed));
            assert_eq!(copy, phase, "a mutator runs in a phase that is over");
            world.park(&seat);
        }
    });
    {
        let stopped = world.stop_from_outside().expect("nobody else stops the world");
        heap.phase.store(1, Relaxed);
        stopped.mutators().for_each(|toy| toy.phase.store(1, Relaxed));
    }
    newcomer.join().unwrap();
}

/// A stop waits for one who runs; somebody who is parked leaves meanwhile. Whoever was asked is there in the stop: else
/// he would go on with what he copied of the phase, and nobody would tell him.
fn nobody_leaves_in_a_stop() {
    let (world, seat, heap) = one_mutator();
    world.unpark(&seat);
    let runner = thread::spawn({
        let (world, seat) = (world.clone(), seat.clone());
        move || world.park(&seat)
    });
    let leaver_seat = world.attach(Toy::new(&heap));
    let leaver = thread::spawn({
        let world = world.clone();
        move || world.detach(&leaver_seat)
    });
    {
        let stopped = world.stop_from_outside().expect("nobody else stops the world");
        let asked = heap.asked.load(Relaxed);
        assert_eq!(stopped.len(), asked, "a mutator left the stop that had asked it");
    }
    runner.join().unwrap();
    leaver.join().unwrap();
    assert_eq!(world.len(), 1);
}

/// A mutator that one stop kept waiting runs before the next one asks it.
fn two_stops_in_a_row_let_a_mutator_run_between() {
    let (world, seat, heap) = one_mutator();
    let mutator = thread::spawn({
        let (world, seat, heap) = (world.clone(), seat.clone(), heap.clone());
        move || {
            world.unpark(&seat);
            go_inside(&heap);
            world.poll(&seat);
            go_inside(&heap);
            world.park(&seat);
        }
    });
    for _ in 0..2 {
        let _stopped = world.stop_from_outside().expect("nobody else stops the world");
        assert_eq!(heap.inside.load(Relaxed), 0, "a mutator runs in a stopped world");
    }
    mutator.join().unwrap();
}

/// Two mutators wish to stop the world. Each leads, or is stopped by the other and told so; one at least leads.
fn two_leaders_take_turns() {
    let (world, mine, heap) = one_mutator();
    let theirs = world.attach(Toy::new(&heap));
    world.unpark(&mine);
    world.unpark(&theirs);
    let lead = |world: &World<Toy>, seat: &Seat<Toy>, heap: &Heap| {
        go_inside(heap);
        let led = match world.stop(seat) {
            Ok(stopped) => {
                assert_eq!(heap.inside.load(Relaxed), 0, "a mutator runs in a stopped world");
                stopped.mutators().for_each(|toy| toy.buffer.set(toy.buffer.get() + 1));
                true
            }
            Err(Overtaken) => false,
        };
        go_inside(heap);
        let seen = seat.occupant().buffer.get();
        world.park(seat);
        (led, seen)
    };
    let other = thread::spawn({
        let (world, heap) = (world.clone(), heap.clone());
        move || lead(&world, &theirs, &heap)
    });
    let (led, seen) = lead(&world, &mine, &heap);
    let (other_led, other_seen) = other.join().unwrap();
    assert!(led || other_led, "nobody stopped the world");
    assert!(seen >= 1 && other_seen >= 1, "who was overtaken was stopped");
    assert_eq!(mine.occupant().buffer.get(), usize::from(led) + usize::from(other_led));
}
