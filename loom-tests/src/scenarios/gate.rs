//! A phase with guests: they see what was prepared, the leader sees what they did, and nobody waits for one who is late.

use crate::Bound::{Exhaustive, Preemptions};
use crate::{Shared, protocol};
use orinoco_collector::model::gate::Gate;
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "gate":
    a_guest_sees_what_was_prepared (Exhaustive),
    the_leader_sees_what_its_guests_did (Exhaustive),
    a_stage_opens_when_the_one_before_is_empty (Exhaustive),
    two_guests_and_a_leader_part (Preemptions(4)),
}

struct Phase {
    gate: Gate,
    prepared: Shared<usize>,
    done: [Shared<usize>; 2],
}

impl Phase {
    fn new(gate: Gate) -> Arc<Self> {
        Arc::new(Self { gate, prepared: Shared::new(0), done: [Shared::new(0), Shared::new(0)] })
    }
    /// A helper that comes when it comes.
    fn help(&self, helper: usize) -> bool {
        let inside = self.gate.enter();
        if inside {
            self.done[helper].set(self.prepared.get() + 1);
            self.gate.leave();
        }
        inside
    }
}

fn a_guest_sees_what_was_prepared() {
    let phase = Phase::new(Gate::new_closed());
    let helper = thread::spawn({
        let phase = phase.clone();
        move || phase.help(0)
    });
    phase.prepared.set(1);
    phase.gate.open();
    let inside = helper.join().unwrap();
    assert_eq!(phase.done[0].get(), if inside { 2 } else { 0 }, "a guest worked on what was not prepared");
}

fn the_leader_sees_what_its_guests_did() {
    let phase = Phase::new(Gate::new());
    let helper = thread::spawn({
        let phase = phase.clone();
        move || phase.help(0)
    });
    phase.gate.close_and_wait();
    let seen = phase.done[0].get();
    assert!(!phase.gate.enter(), "a closed gate lets someone in");
    let inside = helper.join().unwrap();
    assert_eq!(seen == 1, inside, "a guest was inside after the gate had closed");
}

/// Two stages through one gate. What a guest of the first does, the second's preparation has seen.
fn a_stage_opens_when_the_one_before_is_empty() {
    let phase = Phase::new(Gate::new());
    let helper = thread::spawn({
        let phase = phase.clone();
        move || (phase.help(0), phase.help(1))
    });
    phase.gate.close_and_wait();
    // Nobody is inside: the leader may write what guests read.
    phase.prepared.set(10);
    phase.gate.open();
    phase.gate.close_and_wait();
    let (first, second) = helper.join().unwrap();
    for (inside, done) in [(first, phase.done[0].get()), (second, phase.done[1].get())] {
        assert!(if inside { done == 1 || done == 11 } else { done == 0 }, "a guest worked between the stages");
    }
}

fn two_guests_and_a_leader_part() {
    let phase = Phase::new(Gate::new());
    let helpers: Vec<_> = (0..2)
        .map(|helper| {
            let phase = phase.clone();
            thread::spawn(move || phase.help(helper))
        })
        .collect();
    phase.gate.close_and_wait();
    let seen: Vec<_> = phase.done.iter().map(|done| done.get() == 1).collect();
    let inside: Vec<_> = helpers.into_iter().map(|helper| helper.join().unwrap()).collect();
    assert_eq!(seen, inside, "a guest was inside after the gate had closed");
}
