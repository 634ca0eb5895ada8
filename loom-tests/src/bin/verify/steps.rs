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

/// All of them.
pub const STEPS: &[Step] = &[
    Step {
        name: "models",
        tier: Tier::Quick,
        draws: false,
        proves: "every interleaving of every protocol, and every planted bug dies in one",
        run: models,
    },
    Step {
        name: "planted",
        tier: Tier::Quick,
        draws: false,
        proves: "the same scenarios on real threads, and a verified heap with the bugs that no model reaches",
        run: planted,
    },
    Step {
        name: "cycle",
        tier: Tier::Quick,
        draws: false,
        proves: "the abstract cycle keeps what can be reached, and ends; with any of its mistakes it does not",
        run: cycle,
    },
    Step {
        name: "programs",
        tier: Tier::Quick,
        draws: true,
        proves: "programs written by dice leave a whole heap as a plain graph says it should be",
        run: programs,
    },
    Step {
        name: "tsan",
        tier: Tier::Quick,
        draws: false,
        proves: "no data race in any scenario on real threads; three planted ones are seen",
        run: tsan,
    },
    Step { name: "deeper", tier: Tier::Full, draws: false, proves: "the models with one preemption more", run: deeper },
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

/// Races that ThreadSanitizer must see: an order, a claim, and a protocol.
const RACES: &[(&str, &str)] = &[
    ("forward_publish", "forwarding::the_loser_sees_the_winners_copy"),
    ("lock_give", "lock::two_holders_take_turns"),
    ("gate_leave", "gate::the_leader_sees_what_its_guests_did"),
];

fn tsan(tier: Tier, _: u64) -> Outcome {
    let flags = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg gc_tsan --cfg gc_mutants";
    let stress = match sanitized("tsan", flags, "stress") {
        Ok(path) => path,
        Err(other) => return other,
    };
    for (site, scenario) in RACES {
        let (passed, text) = Run::new("tsan-planted", 120, &stress).args(&format!("{scenario} 2000 {site}")).go();
        if passed || !text.contains("WARNING: ThreadSanitizer: data race") {
            return Outcome::Failed(format!("{site} is a race in {scenario}, and ThreadSanitizer saw none"));
        }
    }
    let runs = if tier == Tier::Quick { "300" } else { "5000" };
    Run::new("tsan", 900, &stress).args(&format!("all {runs}")).outcome(|text| {
        let (scenarios, runs) = tally(text, "STRESS ", "runs=");
        format!("{scenarios} scenarios, {runs} runs, no race; {} planted races seen", RACES.len())
    })
}

#[allow(dead_code, reason = "the steps that ask are on their way")]
fn skipped_without(program: &str, args: &str) -> Option<Outcome> {
    (!there_is(program, args)).then(|| Outcome::Skipped(format!("{program} is not installed")))
}
