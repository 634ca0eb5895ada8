//! The mutators of a replay: their roots, their threads, and the rhythm in which they poll.
//!
//! A phase is a fork and a join, so a thread that fails leaves nobody waiting. Between phases the mutators stay
//! attached and parked, and the next phase runs each on whatever thread it gets.

use std::{collections::HashMap, ops::Range, thread};

use orinoco::{AllocError, Attached, Cx, Gc, Heap, Mutator, Trace, Weak};

use super::{error::ReplayError, graph::Node};

/// What one mutator holds across its safepoints.
#[derive(Trace, Default)]
pub struct Vm<'gc> {
    /// Nodes that a walk has still to look at.
    pub stack: Vec<Gc<'gc, Node<'gc>>>,
    /// Tables and keys that a walk has met.
    pub met: HashMap<u32, Gc<'gc, Node<'gc>>>,
    /// Nodes with weak fields that a walk has met.
    pub weak_hosts: Vec<Gc<'gc, Node<'gc>>>,
    /// Objects that must die in the next full collection.
    pub doomed: Vec<Weak<'gc, Node<'gc>>>,
    /// Litter that is still in use.
    pub litter: Vec<Gc<'gc, Node<'gc>>>,
    /// Where a stroll through the graph has come to.
    pub here: Option<Gc<'gc, Node<'gc>>>,
}

/// A mutator of this program.
pub type Runner = Mutator<Vm<'static>>;

/// The mutators.
pub struct Team {
    members: Vec<Attached<Vm<'static>>>,
}

impl Team {
    /// Attaches so many mutators.
    pub fn new(heap: &Heap, threads: usize) -> Team {
        Team { members: (0..threads).map(|_| heap.attach(Vm::default())).collect() }
    }

    /// How many they are.
    pub fn threads(&self) -> usize {
        self.members.len()
    }

    /// Runs `work` on all of them at once, each with its number, and waits for all.
    ///
    /// # Errors
    /// The first that any of them met, or that a thread could not be started or panicked.
    pub fn all(
        &mut self,
        work: impl Fn(usize, &mut Runner) -> Result<(), ReplayError> + Sync,
    ) -> Result<(), ReplayError> {
        let work = &work;
        thread::scope(|scope| {
            let mut started = Vec::new();
            for (number, member) in self.members.iter_mut().enumerate() {
                let run = move || member.run(|m| work(number, m));
                started.push(thread::Builder::new().name(format!("mutator {number}")).spawn_scoped(scope, run));
            }
            let mut outcome = Ok(());
            for thread in started {
                let one = match thread.map(|t| t.join()) {
                    Ok(Ok(done)) => done,
                    Ok(Err(payload)) => Err(ReplayError::Panicked(text_of(payload.as_ref()))),
                    Err(refused) => Err(ReplayError::Spawn(refused)),
                };
                outcome = outcome.and(one);
            }
            outcome
        })
    }

    /// Runs `work` on the first mutator, on this thread, while the others are parked.
    pub fn one<T>(&mut self, work: impl FnOnce(&mut Runner) -> T) -> T {
        self.members[0].run(work)
    }

    /// The ordinals that are the business of member `number`.
    pub fn part(threads: usize, number: usize, nodes: u32) -> Range<u32> {
        let cut = |k: usize| (u64::from(nodes) * k as u64 / threads as u64) as u32;
        cut(number)..cut(number + 1)
    }
}

fn text_of(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// What came of one step.
pub enum Step {
    /// It was about this many bytes of work, and there is more to do.
    Spent(usize),
    /// There is nothing left to do.
    Done,
}

/// Takes steps until one says that there is nothing left, with a poll after every `rhythm` bytes of work.
///
/// A step that the heap refuses is taken again after a full collection; so steps must bear being repeated.
///
/// # Errors
/// When a step is refused twice in a row.
pub fn steps(
    m: &mut Runner,
    rhythm: usize,
    mut step: impl for<'gc> FnMut(&'gc Cx, &mut Vm<'gc>) -> Result<Step, AllocError>,
) -> Result<(), ReplayError> {
    let mut refused = false;
    loop {
        let mut left = rhythm;
        let (cx, vm) = m.split();
        let refusal = loop {
            match step(cx, vm) {
                Ok(Step::Done) => return Ok(()),
                Ok(Step::Spent(work)) => {
                    refused = false;
                    match left.checked_sub(work.max(1)) {
                        Some(rest) => left = rest,
                        None => break None,
                    }
                }
                Err(refusal) => break Some(refusal),
            }
        };
        match refusal {
            None => m.safepoint(),
            Some(refusal) if refused => return Err(ReplayError::Full(refusal)),
            Some(_) => {
                refused = true;
                m.collect();
            }
        }
    }
}
