//! A whole cycle on a tiny heap: a stop that begins it, a marker beside two mutators, a stop that ends it.
//!
//! ```text
//!   root ─▶ A ─▶ B ─▶ W        one mutator moves W from B to A; the other reads and stores, and leads the stops
//! ```

use crate::Bound::{Exhaustive, Preemptions};
use crate::protocol;
use crate::tiny::{Part, Tiny, TinyMarker, Toy};
use orinoco::model::world::registry::{Seat, World};
use orinoco::model::world::safepoint::Stopped;
use orinoco_collector::model::jobs::Jobs;
use orinoco_collector::model::shade::turn_all;
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "cycle":
    nothing_that_can_be_reached_stays_white (Preemptions(3)),
    nobody_shades_for_a_cycle_that_is_over (Exhaustive),
}

const A: usize = 0;
const B: usize = 1;
const W: usize = 2;

struct Place {
    world: World<Toy>,
    heap: Arc<Tiny>,
    jobs: Jobs,
}

impl Place {
    fn new() -> Arc<Self> {
        let heap = Tiny::new(&[[None, Some(B)], [Some(W), None], [None, None]]);
        Arc::new(Self { world: World::new(), heap, jobs: Jobs::new() })
    }
    fn turn(stopped: &Stopped<'_, Toy>, on: bool) {
        let each = |f: &mut dyn FnMut(&Toy)| stopped.mutators().for_each(f);
        turn_all(on, each, |toy: &Toy| toy.0.update(|part| part.marking = on));
    }
    /// The stop that begins a cycle: barriers, roots, markers, in this order.
    fn begin(&self, stopped: &Stopped<'_, Toy>) {
        self.jobs.quiesce();
        Self::turn(stopped, true);
        self.heap.show_root(A);
        self.jobs.resume();
    }
    /// The stop that ends it.
    fn finish(&self, stopped: &Stopped<'_, Toy>) {
        self.jobs.quiesce();
        stopped.mutators().for_each(|toy| self.heap.take(&toy.0));
        self.heap.show_root(A);
        TinyMarker::new(&self.heap).drain();
        Self::turn(stopped, false);
        self.heap.assert_marked_from(A);
    }
    fn mutate(&self, seat: &Seat<Toy>, f: impl FnOnce(&Tiny, &mut Part)) {
        seat.occupant().0.update(|part| f(&self.heap, part));
    }
    /// A marking job, which comes when it comes.
    fn job(place: &Arc<Self>) -> thread::JoinHandle<()> {
        let place = place.clone();
        thread::spawn(move || {
            place.jobs.run(|| TinyMarker::new(&place.heap), || !place.heap.grey.is_empty_hint());
        })
    }
}

/// Moves W from B to A, if it is still there.
fn move_it(heap: &Tiny, part: &mut Part) {
    if let Some(moved) = heap.load(B, 0) {
        heap.store(part, A, 0, moved);
        heap.clear(B, 0);
    }
}

fn nothing_that_can_be_reached_stays_white() {
    let place = Place::new();
    let (mover, leader) = (place.world.attach(Toy::new(false)), place.world.attach(Toy::new(false)));
    let beside = thread::spawn({
        let place = place.clone();
        move || {
            place.world.unpark(&mover);
            place.mutate(&mover, move_it);
            place.world.park(&mover);
        }
    });
    let job = Place::job(&place);
    place.world.unpark(&leader);
    place.begin(&place.world.stop(&leader).expect("nobody else stops the world"));
    place.mutate(&leader, |heap, part| heap.store(part, A, 1, B));
    place.finish(&place.world.stop(&leader).expect("nobody else stops the world"));
    beside.join().unwrap();
    job.join().unwrap();
    assert!(place.heap.grey.steal().is_none(), "work is left when marking has ended");
}

/// The mutator stores after the cycle has ended, or before: nothing that it shades then is left for nobody.
fn nobody_shades_for_a_cycle_that_is_over() {
    let place = Place::new();
    let seat = place.world.attach(Toy::new(false));
    place.begin(&place.world.stop_from_outside().expect("nobody else stops the world"));
    let mutator = thread::spawn({
        let (place, seat) = (place.clone(), seat.clone());
        move || {
            place.world.unpark(&seat);
            place.mutate(&seat, move_it);
            place.world.park(&seat);
        }
    });
    {
        let stopped = place.world.stop_from_outside().expect("nobody else stops the world");
        place.finish(&stopped);
        // The sweep clears the bits.
        place.heap.marks().clear_range(0, 64);
    }
    mutator.join().unwrap();
    seat.occupant().0.update(|part| {
        assert!(!part.marking && part.shaded.is_empty(), "something is shaded for a cycle that is over");
    });
    assert_eq!(place.heap.marks().count(0, 64), 0, "something is shaded for a cycle that is over");
}
