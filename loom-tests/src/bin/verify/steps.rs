//! The steps, in the order in which they run: what each shows, and how.

use crate::run::{Outcome, Run, TARGET, tally, tests, there_is};

/// How much is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// In CI.
    Quick,
    /// By hand.
    Full,
    /// For as long as one likes.
    Soak,
}

impl Tier {
    /// As it is spelled on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
            Self::Soak => "soak",
        }
    }
}

/// One witness.
pub struct Step {
    /// How it is asked for.
    pub name: &'static str,
    /// The lowest tier that has it.
    pub tier: Tier,
    /// Whether it draws at random: more of it shows more.
    pub draws: bool,
    /// What it shows.
    pub proves: &'static str,
    /// Runs it, at a tier and with a seed.
    pub run: fn(Tier, u64) -> Outcome,
}

/// What each step is asked for by, the lowest tier that has it, whether it draws at random, and what it shows.
const fn step(
    name: &'static str,
    tier: Tier,
    draws: bool,
    run: fn(Tier, u64) -> Outcome,
    proves: &'static str,
) -> Step {
    Step { name, tier, draws, proves, run }
}

const ALWAYS: bool = false;
const DRAWN: bool = true;

/// All of them.
pub const STEPS: &[Step] = &[
    step("models", Tier::Quick, ALWAYS, models, "every interleaving of every protocol; every planted bug dies in one"),
    step("planted", Tier::Quick, ALWAYS, planted, "the scenarios on real threads; bugs that no model reaches"),
    step(
        "schedules",
        Tier::Quick,
        DRAWN,
        schedules,
        "scenarios and whole heaps with many threads, in drawn interleavings",
    ),
    step(
        "tsan",
        Tier::Quick,
        ALWAYS,
        tsan,
        "no data race on real threads, whole heaps included; planted ones are seen",
    ),
    step(
        "cycle",
        Tier::Quick,
        ALWAYS,
        cycle,
        "an abstract cycle keeps what can be reached, and ends; no mistake in it does",
    ),
    step("programs", Tier::Quick, DRAWN, programs, "programs by dice leave a whole heap as a plain graph says"),
    step("asan", Tier::Full, DRAWN, asan, "no access outside what is allocated, and nothing leaks"),
    step(
        "memcheck",
        Tier::Full,
        ALWAYS,
        memcheck,
        "nothing uninitialised decides anything, nothing is used after it was freed",
    ),
    step("miri", Tier::Full, ALWAYS, miri, "the scenarios keep the language's rules, on many weak executions"),
    step("deeper", Tier::Full, ALWAYS, deeper, "the models with one preemption more"),
    step("fuzz", Tier::Full, DRAWN, fuzz, "what coverage leads to: programs, snapshots, configurations"),
    step("stress", Tier::Full, DRAWN, stress, "many mutators try to break a verified heap, scenario by scenario"),
];

fn models_covered(text: &str) -> String {
    let (models, runs) = tally(text, "MODEL ", "runs=");
    let (mutants, _) = tally(text, "MUTANT ", ": died");
    format!("{models} models in {runs} interleavings, {mutants} mutants dead")
}

fn models(_: Tier, _: u64) -> Outcome {
    Run::new("models", 900, "cargo").args("loom --success-output immediate").outcome(models_covered)
}

fn deeper(_: Tier, _: u64) -> Outcome {
    let only = "-E not(binary(mutants)|binary(orders)) --success-output immediate";
    Run::new("deeper", 1800, "cargo").args("loom").args(only).env("ORINOCO_DEEPER", "1").outcome(models_covered)
}

fn planted(_: Tier, _: u64) -> Outcome {
    Run::new("planted", 900, "cargo").args("planted").outcome(tests)
}

/// Builds a binary of this package in the world of `cargo planted`; where it is, or why not.
fn planted_binary(bin: &str) -> Result<String, Outcome> {
    let build = Run::new(&format!("{bin}-build"), 900, "cargo")
        .args(&format!("build --profile model --target-dir target/planted -p loom-tests --bin {bin}"))
        .env("RUSTFLAGS", "--cfg gc_mutants");
    match build.outcome(|_| String::new()) {
        Outcome::Passed(_) => Ok(format!("target/planted/model/{bin}")),
        other => Err(other),
    }
}

fn cycle(tier: Tier, _: u64) -> Outcome {
    let cycle = match planted_binary("cycle") {
        Ok(path) => path,
        Err(other) => return other,
    };
    let size = if tier == Tier::Quick { "quick" } else { "full" };
    Run::new("cycle", 1800, &cycle).args(size).outcome(|text| {
        let (_, states) = tally(text, "CYCLE None ", "states=");
        let (_, mistakes) = tally(text, " mistakes, 0 survived", "CYCLE ");
        format!("{states} states, all that there are; {mistakes} mistakes found")
    })
}

fn programs(tier: Tier, seed: u64) -> Outcome {
    let seconds = if tier == Tier::Quick { 20 } else { 300 };
    let program = match planted_binary("program") {
        Ok(path) => path,
        Err(other) => return other,
    };
    Run::new("programs", seconds + 120, &program).args(&format!("random {seconds} {seed}")).outcome(|text| {
        let (_, runs) = tally(text, "PROGRAMS ", "runs=");
        let (_, operations) = tally(text, "PROGRAMS ", "operations: ");
        let (_, collections) = tally(text, "PROGRAMS ", "collections: ");
        format!("{runs} programs with seed {seed}, {operations} operations, {collections} collections")
    })
}

/// Builds a binary of this package with a sanitizer, on the stable toolchain; where it is, or why not.
fn sanitized(log: &str, flags: &str, bin: &str) -> Result<String, Outcome> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Err(Outcome::Skipped(format!("sanitizers are used on {TARGET} only")));
    }
    let dir = format!("target/{log}");
    let build = Run::new(&format!("{log}-build"), 900, "cargo")
        .args(&format!("build --release --target {TARGET} --target-dir {dir} -p loom-tests --bin {bin}"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", flags);
    match build.outcome(|_| String::new()) {
        Outcome::Passed(_) => Ok(format!("{dir}/{TARGET}/release/{bin}")),
        other => Err(other),
    }
}

/// Races that ThreadSanitizer must see, where and in how many runs.
const RACES: &[(&str, &str, u32)] = &[
    ("forward_publish", "forwarding::the_loser_sees_the_winners_copy", 2000),
    ("lock_give", "lock::two_holders_take_turns", 2000),
    ("gate_leave", "gate::the_leader_sees_what_its_guests_did", 2000),
    ("park", "heaps::nothing_is_lost_while_four_mutators_collect_and_markers_mark", 10),
];

/// What it says falsely, with the reason.
const SUPPRESSED: &str = "suppressions=loom-tests/tsan.supp";

fn tsan(tier: Tier, _: u64) -> Outcome {
    let flags = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg gc_tsan --cfg gc_mutants";
    let stress = match sanitized("tsan", flags, "stress") {
        Ok(path) => path,
        Err(other) => return other,
    };
    for (site, scenario, runs) in RACES {
        let planted = Run::new("tsan-planted", 120, &stress).args(&format!("{scenario} {runs} {site}"));
        let (passed, text) = planted.env("TSAN_OPTIONS", SUPPRESSED).go();
        if passed || !text.contains("WARNING: ThreadSanitizer: data race") {
            return Outcome::Failed(format!("{site} is a race in {scenario}, and ThreadSanitizer saw none"));
        }
    }
    let runs = if tier == Tier::Quick { "300" } else { "5000" };
    Run::new("tsan", 1800, &stress)
        .args(&format!("all {runs}"))
        .env("TSAN_OPTIONS", SUPPRESSED)
        .outcome(|text| format!("{}, no race; {} planted races seen", stressed(text), RACES.len()))
}

/// What a run of `stress` covered.
fn stressed(text: &str) -> String {
    let (scenarios, runs) = tally(text, "STRESS ", "runs=");
    format!("{scenarios} scenarios, {runs} runs")
}

/// Mistakes that a scheduler must find.
const IN_SCHEDULES: &[(&str, &str)] = &[
    ("marker_ignores_stop", "heaps::nothing_is_lost_while_four_mutators_collect_and_markers_mark"),
    ("barrier_forgets_young", "heaps::nothing_is_lost_while_four_mutators_collect_and_markers_mark"),
    ("shaded_are_not_handed_over", "heaps::nothing_is_lost_while_four_mutators_collect_and_markers_mark"),
    ("unpark_without_claim", "safepoint::a_stop_and_a_return_do_not_both_proceed"),
    ("gate_enter_unchecked", "gate::the_leader_sees_what_its_guests_did"),
];

fn schedules(tier: Tier, seed: u64) -> Outcome {
    let build = Run::new("schedules-build", 900, "cargo")
        .args("build --profile model --target-dir target/shuttle -p loom-tests --bin schedules")
        .env("RUSTFLAGS", "--cfg shuttle --cfg gc_mutants");
    if let failed @ Outcome::Failed(_) = build.outcome(|_| String::new()) {
        return failed;
    }
    let program = "target/shuttle/model/schedules";
    for (site, scenario) in IN_SCHEDULES {
        let planted = Run::new("schedules-planted", 300, program).args(&format!("{scenario} 400 {seed} {site}"));
        let (passed, text) = planted.go();
        if passed || !text.contains("panicked") {
            return Outcome::Failed(format!("{site} is a mistake in {scenario}, and no schedule found it"));
        }
    }
    let runs = if tier == Tier::Quick { 200 } else { 10_000 };
    Run::new("schedules", 1800, program).args(&format!("all {runs} {seed}")).outcome(|text| {
        let (scenarios, runs) = tally(text, "SCHEDULED ", "runs=");
        let heaps = tally(text, "SCHEDULED heaps::", "runs=").1;
        format!(
            "{scenarios} scenarios in {runs} schedules with seed {seed}, {heaps} of whole heaps; {} mistakes found",
            IN_SCHEDULES.len()
        )
    })
}

fn asan(_: Tier, seed: u64) -> Outcome {
    let flags = "-Zsanitizer=address";
    let built =
        sanitized("asan", flags, "program").and_then(|program| Ok((program, sanitized("asan", flags, "stress")?)));
    let (program, stress) = match built {
        Ok(paths) => paths,
        Err(other) => return other,
    };
    let scenarios = Run::new("asan", 900, &stress).args("all 500").outcome(stressed);
    let Outcome::Passed(scenarios) = scenarios else { return scenarios };
    Run::new("asan-programs", 300, &program)
        .args(&format!("random 60 {seed}"))
        .outcome(|text| format!("{scenarios}, {} programs; nothing leaked", tally(text, "PROGRAMS ", "runs=").1))
}

fn memcheck(_: Tier, _: u64) -> Outcome {
    if !there_is("valgrind", "--version") {
        return Outcome::Skipped("valgrind is not installed".to_owned());
    }
    match planted_binary("stress") {
        // One thread runs at a time, so a fair choice of it is all there is of concurrency.
        Ok(stress) => Run::new("memcheck", 1800, "valgrind")
            .args("--error-exitcode=9 --fair-sched=yes --quiet")
            .args(&format!("{stress} all 3"))
            .outcome(stressed),
        Err(other) => other,
    }
}

/// Eight executions of each, with the house's tagged pointers allowed. Leaks are for LeakSanitizer: an epoch's garbage is freed
/// by whoever pins next, and at the end nobody does.
const MIRI: &str = "-Zmiri-many-seeds=0..8 -Zmiri-ignore-leaks -Zmiri-permissive-provenance";
/// crossbeam's epoch reaches a whole entry of its list from a reference to a part, which the older of Miri's two models of
/// references refuses. Everything else passes under that one.
const TREES: &str = " -Zmiri-tree-borrows";

fn miri(_: Tier, _: u64) -> Outcome {
    // It builds a standard library of its own, once.
    if !there_is("rustup", "run nightly cargo miri setup") {
        return Outcome::Skipped("rustup toolchain install nightly --component miri,rust-src".to_owned());
    }
    // A whole heap's memory is mapped by the system, which Miri does not do: what has no heap is for it.
    let scenarios: Vec<_> =
        loom_tests::scenarios::all().into_iter().filter(|scenario| !scenario.name.starts_with("heaps::")).collect();
    for scenario in &scenarios {
        let run = Run::new("miri", 600, "rustup")
            .args("run nightly cargo miri run -q --target-dir target/miri -p loom-tests --bin stress --")
            .args(&format!("{} 1", scenario.name))
            .env("MIRIFLAGS", &format!("{MIRI}{}", if scenario.name.starts_with("published::") { TREES } else { "" }));
        if let Outcome::Failed(why) = run.outcome(|_| String::new()) {
            return Outcome::Failed(format!("{}: {why}", scenario.name));
        }
    }
    Outcome::Passed(format!("{} scenarios, 8 seeds each", scenarios.len()))
}

/// What a fuzzer is told by: which edges were taken, and what was compared. The stable toolchain has it.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// The targets in `loom-tests/fuzz`, from the corpus that is kept there on. What is found new is kept in the target directory.
fn fuzz(tier: Tier, seed: u64) -> Outcome {
    let seconds = if tier == Tier::Full { 120 } else { 600 };
    let build = Run::new("fuzz-build", 1800, "cargo")
        .args(&format!("build --release --target {TARGET} --target-dir target/fuzz"))
        .args("--manifest-path loom-tests/fuzz/Cargo.toml")
        .env("RUSTFLAGS", COVERAGE);
    if let failed @ Outcome::Failed(_) = build.outcome(|_| String::new()) {
        return failed;
    }
    let mut covered = Vec::new();
    for target in ["heap", "snapshot", "configuration"] {
        let new = format!("target/fuzz/corpus/{target}");
        std::fs::create_dir_all(&new).expect("the target directory can be written");
        let run = Run::new(&format!("fuzz-{target}"), seconds + 300, &format!("target/fuzz/{TARGET}/release/{target}"))
            .args(&format!("-max_total_time={seconds} -seed={} -max_len=4096 -len_control=0", seed as u32))
            .args(&format!("-timeout=60 -rss_limit_mb=4096 -artifact_prefix=target/verify/fuzz-{target}-"))
            .args(&format!("-print_final_stats=1 {new} loom-tests/fuzz/corpus/{target}"));
        match run.outcome(|text| tally(text, "stat::number_of_executed_units", "units: ").1.to_string()) {
            Outcome::Passed(runs) => covered.push(format!("{target} {runs} times")),
            other => return other,
        }
    }
    Outcome::Passed(covered.join(", "))
}

fn stress(tier: Tier, seed: u64) -> Outcome {
    let minutes = if tier == Tier::Full { 4 } else { 15 };
    let build = Run::new("stress-build", 900, "cargo").args("build --release -p orinoco-benches --bin orinoco");
    if let failed @ Outcome::Failed(_) = build.outcome(|_| String::new()) {
        return failed;
    }
    Run::new("stress", 3600, "target/release/orinoco")
        .args(&format!("stress --seed {seed} --minutes {minutes} --verify"))
        .outcome(|text| format!("{} lines of {minutes} minutes with seed {seed}", text.lines().count()))
}
