//! Programs that torture the heap for a minute or a week, and say what went wrong and how to see it again.
//!
//! Each scenario is one file and one line of [`SCENARIOS`]: a program shape that occurs, held against a plain model or a
//! checksum. Most are *played* (see [`play`]): one mutator's turn after another, so that they can also be mixed on one heap.

mod arrays;
mod blocking;
mod cache;
pub mod child;
mod churn;
pub mod context;
pub mod dice;
mod ephemerons;
mod finalizers;
mod fragmentation;
mod graph;
mod handles;
mod heaps;
pub mod html;
mod limits;
mod lists;
pub mod planted;
pub mod play;
mod plot;
mod queue;
mod recursion;
pub mod run;
mod spike;
pub mod stops;
mod strings;
mod tables;
mod trees;
mod zoo;

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
pub static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "trees",
        shows: "immutable trees, built from below and replaced one by one, keep every node",
        run: |context| play::alone(context, trees::open),
        part: Some((4, trees::open)),
    },
    Scenario {
        name: "lists",
        shows: "lists that grow at an old end with young nodes keep their order",
        run: |context| play::alone(context, lists::open),
        part: Some((4, lists::open)),
    },
    Scenario {
        name: "graph",
        shows: "a graph that is rewired under marking and promotion leads where its model does",
        run: |context| play::alone(context, graph::open),
        part: Some((6, graph::open)),
    },
    Scenario {
        name: "tables",
        shows: "hash tables under contended locks keep every entry",
        run: |context| play::alone(context, tables::open),
        part: Some((3, tables::open)),
    },
    Scenario {
        name: "queue",
        shows: "messages pass a bounded queue between threads whole and in order",
        run: |context| play::alone(context, queue::open),
        part: Some((3, queue::open)),
    },
    Scenario {
        name: "cache",
        shows: "a weak entry is found while somebody holds its page, and gone after a whole collection if nobody does",
        run: |context| play::alone(context, cache::open),
        part: Some((3, cache::open)),
    },
    Scenario {
        name: "ephemerons",
        shows: "chains of ephemerons live by their first key, and exactly as long",
        run: |context| play::alone(context, ephemerons::open),
        part: Some((2, ephemerons::open)),
    },
    Scenario {
        name: "finalizers",
        shows: "deaths are told once each, and never of the living; drop glue runs once",
        run: |context| play::alone(context, finalizers::open),
        part: Some((2, finalizers::open)),
    },
    Scenario {
        name: "arrays",
        shows: "ranges of arrays of any size are copied, filled and exchanged without losing an element",
        run: |context| play::alone(context, arrays::open),
        part: Some((3, arrays::open)),
    },
    Scenario {
        name: "strings",
        shows: "strings and buffers outside the heap keep every byte",
        run: |context| play::alone(context, strings::open),
        part: Some((2, strings::open)),
    },
    Scenario {
        name: "recursion",
        shows: "locals of a deep recursion, and chains too deep to recurse along, survive",
        run: |context| play::alone(context, recursion::open),
        part: Some((2, recursion::open)),
    },
    Scenario {
        name: "blocking",
        shows: "a mutator that blocks, or runs another heap, holds up nobody and loses nothing",
        run: |context| play::alone(context, blocking::open),
        part: Some((1, blocking::open)),
    },
    Scenario {
        name: "handles",
        shows: "thousands of handles, made, copied and dropped by any thread, lead where they should",
        run: |context| play::alone(context, handles::open),
        part: Some((2, handles::open)),
    },
    Scenario {
        name: "zoo",
        shows: "five hundred types in one heap keep their shapes",
        run: |context| play::alone(context, zoo::open),
        part: Some((2, zoo::open)),
    },
    Scenario {
        name: "churn",
        shows: "hundreds of threads attach, work, hand on what they made, and leave",
        run: churn::run,
        part: None,
    },
    Scenario {
        name: "heaps",
        shows: "heaps come and go beside each other, in the middle of whatever they do",
        run: heaps::run,
        part: None,
    },
    Scenario {
        name: "limits",
        shows: "eight threads that allocate without end are refused at 16, 64 and 256 MiB, let go, and finish their work",
        run: limits::run,
        part: None,
    },
    Scenario {
        name: "spike",
        shows: "after a spike the heap of a quiet program shrinks by itself",
        run: spike::run,
        part: None,
    },
    Scenario {
        name: "fragmentation",
        shows: "nine tenths die in the worst places, round after round, and compaction keeps the heap small in short stops",
        run: fragmentation::run,
        part: None,
    },
    Scenario {
        name: "everything",
        shows: "all that can be mixed, on one heap, at random",
        run: |context| play::mixed(context, &context.heap()?, &parts()),
        part: None,
    },
];

/// What `everything` mixes.
fn parts() -> Vec<(usize, Open)> {
    SCENARIOS.iter().filter_map(|scenario| scenario.part).collect()
}

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
