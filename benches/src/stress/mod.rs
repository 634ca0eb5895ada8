//! Programs that torture the heap for a minute or a week, and say what went wrong and how to see it again.
//!
//! Each scenario is one file and one line of [`SCENARIOS`]: a program shape that occurs, held against a plain model or a
//! checksum. Most are *played* (see [`play`]): one mutator's turn after another, so that they can also be mixed on one heap.

pub mod context;
pub mod dice;
mod graph;
pub mod play;
pub mod run;
mod trees;

use anyhow::Result;

use context::Context;
use play::Open;

/// A way to torture the heap.
pub struct Scenario {
    /// As it is asked for.
    pub name: &'static str,
    /// What it shows when it comes through.
    pub shows: &'static str,
    /// What it does. An error says what disagrees with its model, or what was refused that must not be.
    pub run: fn(&Context) -> Result<()>,
    /// Its part in `everything`, if it has one: its weight, and how it is opened.
    pub part: Option<(usize, Open)>,
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "trees",
        shows: "immutable trees, built from below and replaced one by one, keep every node",
        run: |context| play::alone(context, trees::open),
        part: Some((4, trees::open)),
    },
    Scenario {
        name: "graph",
        shows: "a graph that is rewired under marking and promotion leads where its model does",
        run: |context| play::alone(context, graph::open),
        part: Some((6, graph::open)),
    },
];

/// The scenario called `name`.
pub fn by_name(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_every_scenario_says_what_it_shows() {
        for scenario in SCENARIOS {
            assert!(
                std::ptr::eq(by_name(scenario.name).expect("it is listed"), scenario),
                "{} is twice",
                scenario.name
            );
            assert!(!scenario.shows.is_empty());
        }
    }
}
