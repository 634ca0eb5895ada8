//! `cycle quick|full`: the whole of a collection cycle, as an abstract model in an explicit-state checker; `cycle MISTAKE`
//! explores it with a mistake in it.
//!
//! Where loom runs the shipping code of one protocol, this runs the algorithm of all of them together, with more mutators,
//! objects and stops than loom can hold. Every state that can be reached is visited; a mistake must be found, with the
//! shortest way to it. States are as in a sequentially consistent machine: what is weaker than that is loom's.

#[cfg(not(any(loom, shuttle, gc_tsan, miri)))]
mod model;
#[cfg(not(any(loom, shuttle, gc_tsan, miri)))]
mod stop;

use std::process::ExitCode;

#[cfg(any(loom, shuttle, gc_tsan, miri))]
fn main() -> ExitCode {
    eprintln!("this build has no explicit-state checker");
    ExitCode::from(2)
}

#[cfg(not(any(loom, shuttle, gc_tsan, miri)))]
fn main() -> ExitCode {
    use model::{Cycle, MISTAKES, Mistake};
    let argument = std::env::args().nth(1).unwrap_or_default();
    let (small, large) = (Cycle::SMALL, Cycle::LARGE);
    match argument.as_str() {
        "quick" => explore::all(small),
        "full" => explore::all(large),
        name => match MISTAKES.iter().find(|mistake| format!("{mistake:?}") == name) {
            Some(&mistake) => explore::one(Cycle { mistake, ..small }, true),
            None => {
                eprintln!("usage: cycle quick|full|MISTAKE");
                MISTAKES.iter().filter(|mistake| **mistake != Mistake::None).for_each(|m| eprintln!("  {m:?}"));
                ExitCode::from(2)
            }
        },
    }
}

#[cfg(not(any(loom, shuttle, gc_tsan, miri)))]
mod explore {
    use crate::model::{Cycle, MISTAKES, Mistake};
    use stateright::{Checker, HasDiscoveries, Model};
    use std::process::ExitCode;
    use std::time::Instant;

    /// The cycle as it is must hold; with any mistake it must not.
    pub fn all(cycle: Cycle) -> ExitCode {
        if one(cycle, true) != ExitCode::SUCCESS {
            return ExitCode::FAILURE;
        }
        let mistakes = MISTAKES.iter().filter(|mistake| **mistake != Mistake::None);
        let survivors: Vec<_> =
            mistakes.filter(|&&mistake| one(Cycle { mistake, ..Cycle::SMALL }, false) == ExitCode::SUCCESS).collect();
        println!("CYCLE {} mistakes, {} survived {survivors:?}", MISTAKES.len() - 1, survivors.len());
        if survivors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Explores; success if every property holds.
    pub fn one(cycle: Cycle, tell: bool) -> ExitCode {
        let (begun, mistake) = (Instant::now(), cycle.mistake);
        // A mistake is found when anything is wrong; that nothing is takes every state.
        let enough = if mistake == Mistake::None { HasDiscoveries::All } else { HasDiscoveries::AnyFailures };
        let checker = cycle.checker().threads(2).finish_when(enough).spawn_bfs().join();
        let found = checker.discoveries();
        let wrong: Vec<_> = cycle_properties(&found).collect();
        let useless: Vec<_> = Cycle::MUST_HAPPEN.iter().filter(|name| !found.contains_key(**name)).collect();
        let states = checker.unique_state_count();
        println!(
            "CYCLE {mistake:?} states={states} depth={} in {:.2?}: {wrong:?}",
            checker.max_depth(),
            begun.elapsed()
        );
        if tell {
            wrong.iter().for_each(|name| println!("{name}:\n{}", found[*name]));
            useless.iter().for_each(|name| println!("{name}: never"));
        }
        let holds = wrong.is_empty() && (useless.is_empty() || mistake != Mistake::None);
        if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn cycle_properties<'a, T>(
        found: &'a std::collections::HashMap<&'static str, T>,
    ) -> impl Iterator<Item = &'static str> + 'a {
        found.keys().copied().filter(|name| !Cycle::MUST_HAPPEN.contains(name))
    }
}
