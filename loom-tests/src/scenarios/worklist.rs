//! Work changes hands: every entry comes out once, whoever takes it, and no holder goes with work in its pocket.
//!
//! crossbeam's deque is not in the models: it has no loom build and a proof of its own. What is modelled is the sharing
//! that is ours, segments under a lock with a hint beside it, which is also all that the marker uses.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco::model::world::registry::{Occupant, World};
use orinoco_collector::model::sync::{Arc, thread};
use orinoco_collector::model::worklist::shared::{Local, View, Worklist};

protocol! { "worklist":
    every_entry_is_taken_once (Exhaustive),
    two_thieves_share_what_an_owner_gives (Exhaustive),
    a_view_that_goes_leaves_its_work (Exhaustive),
    work_hidden_in_a_mutator_is_found_in_the_stop (Exhaustive),
}

fn take_all(list: &Worklist<usize>) -> Vec<usize> {
    let mut view = View::new(list);
    std::iter::from_fn(|| view.pop()).collect()
}

fn assert_each_once(mut taken: Vec<usize>, n: usize) {
    taken.sort_unstable();
    assert_eq!(taken, (0..n).collect::<Vec<_>>(), "every entry is taken exactly once");
}

/// An owner gives segments away while a thief takes them; what is left afterwards is where the hint says it is.
fn every_entry_is_taken_once() {
    const ENTRIES: usize = 7;
    let list = Arc::new(Worklist::new());
    let thief = thread::spawn({
        let list = list.clone();
        move || list.steal().map_or(Vec::new(), |segment| segment.iter().copied().collect())
    });
    let mut view = View::new(&list);
    (0..ENTRIES).for_each(|entry| view.push(entry));
    drop(view);
    let mut taken = thief.join().unwrap();
    taken.extend(take_all(&list));
    assert_each_once(taken, ENTRIES);
}

fn two_thieves_share_what_an_owner_gives() {
    const ENTRIES: usize = 5;
    let list = Arc::new(Worklist::new());
    let thieves: Vec<_> = (0..2)
        .map(|_| {
            let list = list.clone();
            thread::spawn(move || {
                let mut view = View::new(&list);
                view.pop().into_iter().collect::<Vec<_>>()
            })
        })
        .collect();
    let mut view = View::new(&list);
    (0..ENTRIES).for_each(|entry| view.push(entry));
    view.share_if_hungry();
    let mut taken: Vec<_> = view.pop().into_iter().collect();
    drop(view);
    thieves.into_iter().for_each(|thief| taken.extend(thief.join().unwrap()));
    taken.extend(take_all(&list));
    assert_each_once(taken, ENTRIES);
}

fn a_view_that_goes_leaves_its_work() {
    let list = Arc::new(Worklist::new());
    let other = thread::spawn({
        let list = list.clone();
        move || {
            let mut view = View::new(&list);
            view.push(0);
            view.push(1);
            view.push(2);
        }
    });
    let mut taken = take_all(&list);
    other.join().unwrap();
    taken.extend(take_all(&list));
    assert_each_once(taken, 3);
}

/// What a mutator keeps: work that its barrier has found and not yet published.
struct Marker(Shared<Local<usize>>);

impl Occupant for Marker {
    fn asked(&self) {}
    fn released(&self) {}
}

/// A marker finds nothing more to do and stops the world; a mutator has shaded after the marker looked. What the mutator
/// holds is found in the stop, or it was shaded after the stop and is still held then.
fn work_hidden_in_a_mutator_is_found_in_the_stop() {
    let (world, list) = (Arc::new(World::new()), Arc::new(Worklist::new()));
    let seat = world.attach(Marker(Shared::new(Local::new())));
    let mutator = thread::spawn({
        let (world, list, seat) = (world.clone(), list.clone(), seat.clone());
        move || {
            world.unpark(&seat);
            seat.occupant().0.update(|local| (0..3).for_each(|entry| local.push(&list, entry)));
            world.park(&seat);
        }
    });
    let mut taken = take_all(&list);
    {
        let stopped = world.stop_from_outside().expect("nobody else stops the world");
        for marker in stopped.mutators() {
            marker.0.update(|local| local.publish(&list));
        }
        taken.extend(take_all(&list));
        let hidden: usize = stopped.mutators().map(|marker| marker.0.update(|local| local.len())).sum();
        assert_eq!(hidden, 0, "work is hidden in a mutator when marking ends");
    }
    mutator.join().unwrap();
    taken.extend(take_all(&list));
    seat.occupant().0.update(|local| taken.extend(std::iter::from_fn(|| local.pop_local())));
    assert_each_once(taken, 3);
}
