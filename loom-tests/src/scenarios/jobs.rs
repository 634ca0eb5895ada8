//! Markers beside the program come and go with the stops.

use crate::Bound::Exhaustive;
use crate::tiny::{Tiny, TinyMarker, Toy};
use crate::{Shared, protocol};
use orinoco::model::world::registry::World;
use orinoco_collector::model::jobs::{Jobs, Marking};
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "jobs":
    a_stop_has_no_marker (Exhaustive),
    what_markers_held_is_on_the_list (Exhaustive),
    a_marker_sees_what_was_stored_before_the_stop (Exhaustive),
}

/// A marker that reads an object's content, in plain memory.
struct Reader {
    content: Arc<Shared<usize>>,
    read: Arc<Shared<usize>>,
}

impl Marking for Reader {
    fn mark_until(&mut self, mut told: impl FnMut() -> bool) -> bool {
        self.read.set(self.content.get());
        !told()
    }
    fn hand_over(&mut self) -> usize {
        1
    }
}

/// In a stop objects move: nobody may be reading them. The job comes before the stop, or finds the gate closed.
fn a_stop_has_no_marker() {
    let jobs = Arc::new(Jobs::new());
    let content = Arc::new(Shared::new(1));
    let read = Arc::new(Shared::new(0));
    jobs.resume();
    let marker = thread::spawn({
        let (jobs, content, read) = (jobs.clone(), content.clone(), read.clone());
        move || jobs.run(|| Reader { content, read }, || false)
    });
    jobs.quiesce();
    content.set(2);
    marker.join().unwrap();
    assert!(read.get() <= 1, "a job came in a stop");
    assert_eq!(jobs.bytes(), usize::from(read.get() > 0), "a job counted what it did not mark");
}

/// A marker is sent home in the middle of its work. What it held is there for the stop, and nothing is lost.
fn what_markers_held_is_on_the_list() {
    let heap = Tiny::new(&[[Some(1), None], [Some(2), None], [None, None]]);
    let jobs = Arc::new(Jobs::new());
    heap.show_root(0);
    jobs.resume();
    let marker = thread::spawn({
        let (heap, jobs) = (heap.clone(), jobs.clone());
        move || jobs.run(|| TinyMarker::new(&heap), || !heap.grey.is_empty_hint())
    });
    jobs.quiesce();
    // As a stop that ends marking does.
    TinyMarker::new(&heap).drain();
    heap.assert_marked_from(0);
    marker.join().unwrap();
    assert!(heap.grey.steal().is_none(), "work was hidden in a marker");
}

/// What a mutator wrote into an object before the stop in which marking begins, the first marker reads.
fn a_marker_sees_what_was_stored_before_the_stop() {
    let (world, jobs) = (Arc::new(World::new()), Arc::new(Jobs::new()));
    let content = Arc::new(Shared::new(1));
    let read = Arc::new(Shared::new(0));
    let seat = world.attach(Toy::new(false));
    world.unpark(&seat);
    let mutator = thread::spawn({
        let (world, seat, content) = (world.clone(), seat.clone(), content.clone());
        move || {
            content.set(2);
            world.park(&seat);
        }
    });
    let marker = thread::spawn({
        let (jobs, content, read) = (jobs.clone(), content.clone(), read.clone());
        move || jobs.run(|| Reader { content, read }, || false)
    });
    {
        let _stopped = world.stop_from_outside().expect("nobody else stops the world");
        jobs.resume();
    }
    marker.join().unwrap();
    mutator.join().unwrap();
    assert!(matches!(read.get(), 0 | 2), "a marker missed what was stored before the stop");
}
