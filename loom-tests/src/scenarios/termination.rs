//! Workers drain a list that they also fill. When one of them hears that the phase is over, there is no work anywhere,
//! and all that was done is visible to it; and that holds for a helper that comes late.

use crate::Bound::{Exhaustive, Preemptions};
use crate::{Shared, protocol};
use orinoco_collector::model::sync::{Arc, thread};
use orinoco_collector::model::worklist::shared::{View, Worklist};
use orinoco_collector::model::worklist::termination::{Outcome, Termination};

protocol! { "termination":
    everyone_sees_everything_at_the_end (Exhaustive),
    no_work_is_left_at_the_end (Preemptions(4)),
    a_phase_that_is_over_stays_over (Exhaustive),
    three_workers_end_together (Preemptions(3)),
}

struct Phase {
    list: Worklist<usize>,
    termination: Termination,
    /// How many entries each worker has handled; plain memory, that the end of the phase makes readable.
    handled: Vec<Shared<usize>>,
}

impl Phase {
    fn new(workers: usize) -> Arc<Self> {
        Arc::new(Self {
            list: Worklist::new(),
            termination: Termination::new(),
            handled: (0..workers).map(|_| Shared::new(0)).collect(),
        })
    }

    /// Worker 0 is the leader and brings the work: an entry `n` makes `n` entries `n - 1`. The leader stays to the end;
    /// a helper may be in a hurry and go home whenever it finds nothing to do. True for the one that ended the phase.
    fn work(&self, worker: usize, seed: &[usize], in_a_hurry: bool) -> bool {
        let mut view = View::new(&self.list);
        if worker == 0 {
            seed.iter().for_each(|&entry| view.push(entry));
            view.publish();
        } else if !self.termination.enter() {
            return false;
        }
        loop {
            while let Some(entry) = view.pop() {
                (0..entry).for_each(|_| view.push(entry - 1));
                view.share_if_hungry();
                self.handled[worker].set(self.handled[worker].get() + 1);
            }
            if self.termination.offer() {
                return true;
            }
            let has_work = || !self.list.is_empty_hint();
            if in_a_hurry {
                if !has_work() || !self.termination.reenter() {
                    return false;
                }
            } else if self.termination.idle_until(has_work) == Outcome::Over {
                return false;
            }
        }
    }

    /// What a worker may rely on when the phase is over: whoever ended it knows that without another look.
    fn total(&self, ended_it: bool) -> usize {
        assert!(ended_it || self.termination.is_over(), "a worker went home before the end");
        // Before the list is looked at: its lock would order us after others, too.
        let total = self.handled.iter().map(|handled| handled.get()).sum();
        assert!(self.list.steal().is_none(), "work was left when the phase ended");
        total
    }
}

/// Two who wait and look would keep each other looking for ever in a model, so with three the helpers are in a hurry.
fn run(workers: usize, seed: &'static [usize], expected: usize) {
    let in_a_hurry = workers > 2;
    let phase = Phase::new(workers);
    let helpers: Vec<_> = (1..workers)
        .map(|worker| {
            let phase = phase.clone();
            thread::spawn(move || {
                let ended_it = phase.work(worker, &[], in_a_hurry);
                if in_a_hurry { expected } else { phase.total(ended_it) }
            })
        })
        .collect();
    let ended_it = phase.work(0, seed, false);
    assert_eq!(phase.total(ended_it), expected, "the leader sees less than was done");
    for helper in helpers {
        assert_eq!(helper.join().unwrap(), expected, "a helper sees less than was done");
    }
}

fn everyone_sees_everything_at_the_end() {
    run(2, &[0], 1);
}

fn no_work_is_left_at_the_end() {
    run(2, &[1, 1], 4);
}

fn three_workers_end_together() {
    run(3, &[1], 2);
}

/// One who saw the end relies on it for ever, however late a helper comes.
fn a_phase_that_is_over_stays_over() {
    let phase = Phase::new(2);
    let late = thread::spawn({
        let phase = phase.clone();
        move || {
            let entered = phase.termination.enter();
            if entered {
                phase.handled[1].set(1);
                phase.termination.offer();
            }
            entered
        }
    });
    let mut over = phase.termination.offer();
    if !over {
        over = phase.termination.idle_until(|| false) == Outcome::Over;
    }
    assert!(over);
    let seen = phase.handled[1].get();
    let entered = late.join().unwrap();
    assert_eq!(seen == 1, entered, "a helper entered a phase that was over");
}
