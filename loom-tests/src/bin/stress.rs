//! `stress SCENARIO RUNS [SITE]`: one scenario on real threads, with no test harness in the way of a sanitizer.
//! `SCENARIO` may be `all`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, runs, sites @ ..] = arguments.as_slice() else {
        eprintln!("usage: stress SCENARIO RUNS [SITE]");
        loom_tests::scenarios::all().iter().for_each(|scenario| eprintln!("  {}", scenario.name));
        return ExitCode::from(2);
    };
    let Ok(runs) = runs.parse::<u64>() else {
        eprintln!("{runs} is not a number of runs");
        return ExitCode::from(2);
    };
    if let Some(site) = sites.first()
        && let Err(reason) = loom_tests::plant(site)
    {
        eprintln!("{reason}");
        return ExitCode::from(2);
    }
    if cfg!(loom) {
        eprintln!("this build is for models: its atomics work inside a model alone");
        return ExitCode::from(2);
    }
    for one in loom_tests::scenarios::all().into_iter().filter(|one| scenario == "all" || one.name == scenario) {
        // A whole heap takes as long as some dozen scenarios.
        let whole = scenario == "all" && one.name.starts_with("heaps::");
        let runs = if whole { runs.div_ceil(10) } else { runs };
        (0..runs).for_each(|_| (one.body)());
        println!("STRESS {} runs={runs}", one.name);
    }
    ExitCode::SUCCESS
}
