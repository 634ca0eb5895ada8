//! Scenarios that are played in turns, by any number of mutators of one heap, alone or mixed with others.
//!
//! ```text
//!   open (once, by one mutator) ─▶ Part: what all players share ─▶ a Play for each mutator ─▶ turn, turn, turn … drop
//!                                                                   └─ refused: dropped, and another is made
//! ```
//!
//! At the end, when every player has let go of what it had, nothing may be reachable.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use anyhow::{Result, ensure};
use orinoco::{AllocError, Attached, Heap, Mutator};

use super::context::{Context, Line};
use super::dice::Dice;

/// Turns of a scenario in one turn with the heap.
const TURNS: usize = 64;

/// A mutator that keeps what it has in handles.
pub type Plain = Mutator<()>;

/// One mutator's part of a scenario: structures on the heap, and the model that they are held against.
pub trait Play {
    /// Some hundred operations, with safepoints between them, and comparisons.
    ///
    /// # Errors
    /// What disagrees with the model; or [`AllocError`], and then the play is over.
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()>;
}

/// What a turn is given.
pub struct Turn<'a> {
    /// Chance.
    pub dice: &'a mut Dice,
    /// Where it counts.
    pub line: &'a Line,
}

/// Makes the play of mutator number `index`.
pub type Part = Box<dyn Fn(&mut Plain, usize) -> Result<Box<dyn Play>> + Send + Sync>;

/// Makes what all players share.
pub type Open = fn(&mut Plain) -> Result<Part>;

/// One scenario by itself: each mutator plays it until time is over.
///
/// # Errors
/// The first disagreement, or what the system refused.
pub fn alone(context: &Context, open: Open) -> Result<()> {
    let heap = context.heap()?;
    mixed(context, &heap, &[(1, open)])
}

/// Several scenarios on one heap: at each turn chance decides by weight which is played.
///
/// # Errors
/// The first disagreement, or what the system refused.
pub fn mixed(context: &Context, heap: &Heap, scenarios: &[(usize, Open)]) -> Result<()> {
    let weights: usize = scenarios.iter().map(|(weight, _)| weight).sum();
    let parts = heap.enter((), |m| scenarios.iter().map(|(_, open)| open(m)).collect::<Result<Vec<_>>>())?;
    spread(context, heap, |mutator, index, line| {
        let mut dice = context.dice(index);
        let mut plays: Vec<Option<Box<dyn Play>>> = parts.iter().map(|_| None).collect();
        let mut one = |m: &mut Plain| {
            let mut at = dice.below(weights);
            let which =
                scenarios.iter().position(|(weight, _)| at.checked_sub(*weight).map(|rest| at = rest).is_none());
            let which = which.expect("the weights add up");
            let mut turn = Turn { dice: &mut dice, line };
            let done = match &mut plays[which] {
                Some(play) => play.turn(m, &mut turn),
                none => parts[which](m, index).map(|play| *none = Some(play)),
            };
            line.turns.fetch_add(1, Relaxed);
            if let Err(error) = done {
                if !error.is::<AllocError>() {
                    return Err(error);
                }
                line.refusals.fetch_add(1, Relaxed);
                plays.iter_mut().for_each(|play| *play = None);
                m.collect();
            }
            m.safepoint();
            Ok(())
        };
        while !context.is_over() {
            // What a mutator has seen through weak references stays to the end of its turn with the heap.
            mutator.run(|m| (0..TURNS).take_while(|_| !context.is_over()).try_for_each(|_| one(m)))?;
        }
        Ok(())
    })?;
    drop(parts);
    heap.enter((), |m| {
        m.collect();
        let left = m.verify();
        ensure!(left.objects == 0, "{} objects are reachable after everything was let go", left.objects);
        Ok(())
    })
}

/// Runs `work` on a mutator thread of its own for each of the context's lines. Who fails stops all others.
///
/// # Errors
/// The first error.
///
/// # Panics
/// With the first panic, once all threads have ended.
pub fn spread(
    context: &Context,
    heap: &Heap,
    work: impl Fn(&mut Attached<()>, usize, &Line) -> Result<()> + Sync,
) -> Result<()> {
    let work = &work;
    thread::scope(|scope| {
        let threads = context.lines.iter().enumerate().map(|(index, line)| {
            let body = move || {
                let done = catch_unwind(AssertUnwindSafe(|| work(&mut heap.attach(()), index, line)));
                if !matches!(done, Ok(Ok(()))) {
                    context.stop();
                }
                done
            };
            thread::Builder::new().name(format!("mutator {index}")).spawn_scoped(scope, body)
        });
        let threads = threads.collect::<Result<Vec<_>, _>>().inspect_err(|_| context.stop())?;
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        let mut first = Ok(());
        for done in ended {
            match done.and_then(|done| done) {
                Ok(done) => first = first.and(done),
                Err(panic) => resume_unwind(panic),
            }
        }
        first
    })
}
