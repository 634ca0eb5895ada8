//! `cargo verify mutants`: what `cargo mutants` makes of the rooms with a protocol, each held against the models.
//!
//! ```text
//!   cargo mutants --list ──▶ a copy of the source with all of them in it ──▶ one build
//!                              (`schema`: a function asks which one is planted)
//!     ──▶ one run of each model: how long it takes, and to which functions it comes
//!     ──▶ each mutant in the quick models that come to its function, in the room's own tests, in whole heaps, and in the
//!         models that take long, until one dies ──▶ mutants.md
//! ```
//!
//! A build for each mutant would take days, and these are the same mutants in one: what `planted.rs` does by hand for the
//! mistakes that we could think of is done here by rote for those that nobody thought of. A survivor is explained in
//! `explained`, or a test is missing: it fails this command.

mod explained;
mod listed;
mod page;
mod schema;

use crate::run::{Run, in_two_lanes};
use listed::{Function, Mutant};
use schema::Built;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The rooms with a protocol that the models run.
const ROOMS: &[&str] = &[
    "collector/src/gate.rs",
    "collector/src/hands.rs",
    "collector/src/object/forward.rs",
    "collector/src/worklist/segment.rs",
    "collector/src/worklist/shared.rs",
    "collector/src/worklist/termination.rs",
    "collector/src/worklist/waiting.rs",
    "collector/src/mark/clearing.rs",
    "collector/src/mark/jobs.rs",
    "collector/src/mark/lock_word.rs",
    "collector/src/mark/shade.rs",
    "collector/src/memory/published.rs",
    "collector/src/compact/records.rs",
    "collector/src/region/mark_bitmap.rs",
    "collector/src/space/gaps.rs",
    "runtime/src/mutator/root_chunk.rs",
    "runtime/src/world/registry.rs",
    "runtime/src/world/safepoint.rs",
    "runtime/src/world/state.rs",
];

/// Models that take longer are asked last.
const QUICK: Duration = Duration::from_secs(1);
/// Models that take longer than this are not asked: a survivor is looked at by every model that comes to it.
const PATIENCE: Duration = Duration::from_secs(20);

/// One model without a mutant: how long it takes, and the functions that it comes to.
struct Model {
    name: &'static str,
    takes: Duration,
    comes_to: BTreeSet<usize>,
}

/// What came of a mutant.
pub enum End {
    /// It died in that witness, of an assertion or for lack of an end.
    Died(String),
    /// All passed, and so many models that come to its function.
    Survived(usize),
    /// The compiler refuses it.
    Unviable,
    /// It stands in a mistake that is planted by hand, and means nothing without that.
    InAMistake,
    /// It stands in no function, so no function can ask for it.
    Constant,
}

/// Runs all of it and writes it down; fails if a survivor is not explained.
pub fn keep() -> ExitCode {
    match all() {
        Ok(unexplained) if unexplained.is_empty() => ExitCode::SUCCESS,
        Ok(unexplained) => {
            unexplained.iter().for_each(|mutant| eprintln!("survived, and nobody said why: {mutant}"));
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn all() -> Result<Vec<String>, String> {
    let begun = Instant::now();
    let functions = listed::functions(ROOMS)?;
    let built = schema::build(&functions)?;
    let models = models(&built.model);
    println!("{} models asked, one build for all mutants, after {} s", models.len(), begun.elapsed().as_secs());
    let mutants: Vec<(&Function, &Mutant)> =
        functions.iter().flat_map(|function| function.mutants.iter().map(move |mutant| (function, mutant))).collect();
    let ends = in_two_lanes(mutants.len(), |at| {
        let (function, mutant) = mutants[at];
        match () {
            () if function.is_none() => End::Constant,
            () if mutant.in_a_mistake => End::InAMistake,
            () if built.refused.contains(&mutant.number) => End::Unviable,
            () => trial(&built, &models, function, mutant),
        }
    });
    let ended: Vec<_> = mutants.iter().map(|(_, mutant)| *mutant).zip(&ends).collect();
    page::write(&ended);
    println!("{} mutants in {} s: {}", ended.len(), begun.elapsed().as_secs(), page::FILE);
    let explained = |mutant: &Mutant| explained::reason(mutant).is_some();
    let survived = |end: &End| matches!(end, End::Survived(_));
    Ok(ended.iter().filter(|(m, end)| survived(end) && !explained(m)).map(|(m, _)| m.name.clone()).collect())
}

/// Every model that is quick enough, the quickest first.
fn models(program: &str) -> Vec<Model> {
    let scenarios = loom_tests::scenarios::all();
    let scenarios: Vec<_> = scenarios.iter().filter(|scenario| !scenario.name.starts_with("heaps::")).collect();
    let looked = in_two_lanes(scenarios.len(), |at| {
        let (name, begun) = (scenarios[at].name, Instant::now());
        let (passed, text) = Run::new(&log(name), 4 * PATIENCE.as_secs(), program).args(name).go();
        let comes_to = text.lines().filter_map(|line| line.strip_prefix("REACHED ")?.parse().ok()).collect();
        passed.then_some(Model { name, takes: begun.elapsed(), comes_to })
    });
    let mut models: Vec<Model> = looked.into_iter().flatten().filter(|model| model.takes < PATIENCE).collect();
    models.sort_by_key(|model| model.takes);
    models
}

/// One mutant in all that might notice it, until something does.
fn trial(built: &Built, models: &[Model], function: &Function, mutant: &Mutant) -> End {
    let number = mutant.number.to_string();
    let dies = |program: &str, words: &str, limit: u64| {
        let run = Run::new(&log(&number), limit, program).args(words).env("ORINOCO_MUTANT", &number);
        !run.env("ORINOCO_PROGRAM", &format!("target/verify/mutants/{number}.bin")).go().0
    };
    let (name, room) = room(&function.file);
    let [program, stress] = &built.heaps;
    let comes: Vec<_> = models.iter().filter(|model| model.comes_to.contains(&function.first())).collect();
    let (quick, slow): (Vec<_>, Vec<_>) = comes.iter().partition(|model| model.takes < QUICK);
    // Ten times as long, and it has no end.
    let in_model = |model: &&&Model| dies(&built.model, model.name, 10 + 10 * model.takes.as_secs());
    if let Some(model) = quick.into_iter().find(in_model) {
        return End::Died(model.name.to_owned());
    }
    if dies(&built.tests[name], &room, 60) {
        return End::Died(OWN_TESTS.to_owned());
    }
    if dies(program, "random 2 1", 60) || dies(stress, &format!("{WHOLE_HEAP} 40"), 60) {
        return End::Died(IN_HEAPS.to_owned());
    }
    match slow.into_iter().find(in_model) {
        Some(model) => End::Died(model.name.to_owned()),
        None => End::Survived(comes.len()),
    }
}

const OWN_TESTS: &str = "the room's own tests";
const IN_HEAPS: &str = "whole heaps, by random programs and by four threads";
const WHOLE_HEAP: &str = "heaps::nothing_is_lost_while_four_mutators_collect_and_markers_mark";

/// The program that has a room's tests, and the path under which they stand there.
fn room(file: &str) -> (&str, String) {
    let (name, path) = match file.strip_prefix("collector/src/") {
        Some(path) => ("orinoco_collector", path),
        None => ("orinoco", file.strip_prefix("runtime/src/").unwrap_or(file)),
    };
    (name, format!("{}::", path.trim_end_matches(".rs").replace('/', "::")))
}

fn log(of: &str) -> String {
    std::fs::create_dir_all("target/verify/mutants").expect("the target directory can be written");
    format!("mutants/{}", of.replace("::", "-"))
}
