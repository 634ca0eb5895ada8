//! `schedules SCENARIO|all RUNS SEED [SITE]`: scenarios and whole heaps under shuttle, in interleavings that a seed draws;
//! `schedules replay SCENARIO FILE` runs one again.

use std::process::ExitCode;

#[cfg(shuttle)]
fn main() -> ExitCode {
    use loom_tests::{by_name, plant, scenarios, schedules};
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["replay", scenario, file] = words.as_slice() {
        schedules::replay(by_name(scenario), file.as_ref());
        return ExitCode::SUCCESS;
    }
    let [scenario, runs, seed, site @ ..] = words.as_slice() else { return usage() };
    let (Ok(runs), Ok(seed)) = (runs.parse::<usize>(), seed.parse()) else { return usage() };
    if let Some(site) = site.first()
        && let Err(reason) = plant(site)
    {
        eprintln!("{reason}");
        return ExitCode::from(2);
    }
    std::fs::create_dir_all("target/verify").expect("the directory can be made");
    let chosen = |name: &str| *scenario == "all" || name == *scenario;
    for one in scenarios::all().into_iter().filter(|one| chosen(one.name)) {
        // A whole heap takes as long as some hundred scenarios.
        let runs = if one.name.starts_with("heaps::") && *scenario == "all" { runs.div_ceil(20) } else { runs };
        println!("SCHEDULES {} seed={seed} …", one.name);
        let begun = std::time::Instant::now();
        println!("SCHEDULED {} runs={} in {:.2?}", one.name, schedules::check(one, runs, seed), begun.elapsed());
    }
    println!("SCHEDULED in all: {} marking cycles", loom_tests::heaps::cycles());
    ExitCode::SUCCESS
}

#[cfg(shuttle)]
fn usage() -> ExitCode {
    eprintln!("usage: schedules SCENARIO|all RUNS SEED [SITE] | replay SCENARIO FILE");
    loom_tests::scenarios::all().iter().for_each(|scenario| eprintln!("  {}", scenario.name));
    ExitCode::from(2)
}

#[cfg(not(shuttle))]
fn main() -> ExitCode {
    eprintln!("this build has no scheduler: it is built with --cfg shuttle");
    ExitCode::from(2)
}
