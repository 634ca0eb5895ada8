//! One scenario, from its context to its line in the report.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Scenario;
use super::context::Context;

/// What came of a scenario.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Which.
    pub scenario: String,
    /// Whether nothing failed.
    pub passed: bool,
    /// What failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What decided.
    pub seed: u64,
    /// Mutator threads.
    pub mutators: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Turns of all mutators.
    pub turns: u64,
    /// Comparisons with a model.
    pub checks: u64,
    /// Allocations refused, after which the program went on.
    pub refusals: u64,
    /// Young collections.
    pub scavenges: u64,
    /// Collections of the old generation.
    pub full_collections: u64,
    /// Collections that moved every object.
    pub evacuations: u64,
    /// MiB copied, promoted or found dead in young collections: what went through the nursery.
    pub mib: u64,
    /// The longest stop of any kind, in milliseconds.
    pub longest_stop_ms: f64,
    /// Stops by length; see [`stops`](super::stops).
    #[serde(default)]
    pub stops: Vec<u64>,
    /// What the scenario itself has to say.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// Runs a scenario in a context, which others may look at meanwhile.
pub fn run(scenario: &'static Scenario, context: &Context) -> Outcome {
    let began = Instant::now();
    let failure = match catch_unwind(AssertUnwindSafe(|| (scenario.run)(context))) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(panic) => Some(format!("panic: {}", message(&*panic))),
    };
    let mut outcome = Outcome {
        scenario: scenario.name.to_owned(),
        passed: failure.is_none(),
        failure,
        seed: context.options.seed,
        mutators: context.lines.len(),
        seconds: (began.elapsed().as_secs_f64() * 1e3).round() / 1e3,
        turns: context.sum(|line| &line.turns),
        checks: context.sum(|line| &line.checks),
        refusals: context.sum(|line| &line.refusals),
        scavenges: 0,
        full_collections: 0,
        evacuations: 0,
        mib: 0,
        longest_stop_ms: 0.0,
        stops: context.stops.read(),
        fields: context.take_fields(),
    };
    for heap in context.take_heaps() {
        let s = heap.statistics();
        outcome.scavenges += s.scavenges;
        outcome.full_collections += s.full_collections;
        outcome.evacuations += s.evacuations;
        outcome.mib += (s.bytes_copied + s.bytes_promoted + s.bytes_freed) >> 20;
        let longest = s.stops.iter().map(|(_, stops)| stops.max.as_secs_f64() * 1e3).fold(0.0, f64::max);
        outcome.longest_stop_ms = outcome.longest_stop_ms.max((longest * 1e3).round() / 1e3);
    }
    outcome
}

/// What a panic said.
pub fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a thread panicked")
}
