//! Models of orinoco's protocols, over the code that ships.
//!
//! A scenario is a function with assertions that compiles in every world. Under `--cfg loom` [`check`] runs it in every
//! interleaving that its bound admits; under `--cfg shuttle` in some that a seed draws; elsewhere often, on real threads.

#[cfg(not(loom))]
pub mod heap;
#[cfg(not(loom))]
pub mod heaps;
#[cfg(not(loom))]
pub mod program;
pub mod scenarios;
#[cfg(shuttle)]
pub mod schedules;
mod shared;
mod tiny;
#[cfg(not(loom))]
mod weak_heap;

pub use shared::Shared;

/// How much of a scenario's interleavings is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// All of them.
    Exhaustive,
    /// Those with at most so many preemptions.
    Preemptions(usize),
}

/// A model: a few threads, and what must be true.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// `protocol::what_holds`.
    pub name: &'static str,
    /// How far to look.
    pub bound: Bound,
    /// One run.
    pub body: fn(),
}

/// The scenario of that name.
///
/// # Panics
/// When there is none.
pub fn by_name(name: &str) -> Scenario {
    *scenarios::all().iter().find(|scenario| scenario.name == name).unwrap_or_else(|| panic!("no scenario {name}"))
}

/// Looks at one scenario, under the checker that this build has; returns how often it ran.
#[cfg(loom)]
pub fn check(scenario: Scenario) -> u64 {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    // std's counter: it counts runs and takes no part in them.
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match scenario.bound {
        Bound::Exhaustive => None,
        Bound::Preemptions(bound) => Some(bound + deeper()),
    };
    builder.max_branches = 100_000;
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        (scenario.body)();
    });
    runs.load(Relaxed)
}

/// How many preemptions to add to each bound: `ORINOCO_DEEPER=1` is the tier that is run by hand.
#[cfg(loom)]
fn deeper() -> usize {
    std::env::var("ORINOCO_DEEPER").ok().and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Looks at one scenario, under the checker that this build has; returns how often it ran.
#[cfg(shuttle)]
pub fn check(scenario: Scenario) -> u64 {
    schedules::check(scenario, 200, 1)
}

/// Looks at one scenario, under the checker that this build has; returns how often it ran.
#[cfg(not(any(loom, shuttle)))]
pub fn check(scenario: Scenario) -> u64 {
    const RUNS: u64 = 200;
    (0..RUNS).for_each(|_| (scenario.body)());
    RUNS
}

/// Checks a scenario and prints what that took.
pub fn report(name: &str) {
    let scenario = by_name(name);
    let begun = std::time::Instant::now();
    let runs = check(scenario);
    let looked = if cfg!(loom) { format!("bound={:?}", scenario.bound) } else { "on real threads".to_owned() };
    println!("MODEL {name} {looked} runs={runs} in {:.2?}", begun.elapsed());
    assert!(runs > 0, "a model that did not run has shown nothing");
}

/// Plants the mistake of that name for the rest of this process: a site, or `site:Acquire` for half of an order.
///
/// # Errors
/// When there is no such site, or this build has none that can be armed.
pub fn plant(name: &str) -> Result<(), String> {
    use orinoco_collector::model::planted::Mutant;
    let mutant = Mutant::by_name(name).ok_or_else(|| format!("no site {name}"))?;
    #[cfg(any(loom, gc_mutants))]
    {
        orinoco_collector::model::planted::arm(Some(mutant));
        Ok(())
    }
    #[cfg(not(any(loom, gc_mutants)))]
    Err(format!("{mutant} can be planted under --cfg loom or --cfg gc_mutants"))
}

/// One test for each scenario of a protocol.
#[macro_export]
macro_rules! models {
    ($protocol:ident: $($scenario:ident),* $(,)?) => {
        $(
            #[test]
            fn $scenario() {
                $crate::report(concat!(stringify!($protocol), "::", stringify!($scenario)));
            }
        )*
    };
}

/// The scenarios of one protocol, as a list.
macro_rules! protocol {
    ($protocol:literal: $($scenario:ident ($bound:expr)),* $(,)?) => {
        pub(crate) const ALL: &[$crate::Scenario] = &[$($crate::Scenario {
            name: concat!($protocol, "::", stringify!($scenario)),
            bound: $bound,
            body: $scenario,
        }),*];
    };
}
pub(crate) use protocol;
