//! `model SCENARIO [SITE]`: one scenario under the checker of this build, in a process of its own, with a bug planted or not.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (scenario, site) = match arguments.as_slice() {
        [scenario] => (scenario, None),
        [scenario, site] => (scenario, Some(site.as_str())),
        _ => {
            eprintln!("usage: model SCENARIO [SITE]");
            loom_tests::scenarios::all().iter().for_each(|scenario| eprintln!("  {}", scenario.name));
            return ExitCode::from(2);
        }
    };
    if let Some(site) = site
        && let Err(reason) = loom_tests::plant(site)
    {
        eprintln!("{reason}");
        return ExitCode::from(2);
    }
    loom_tests::report(scenario);
    ExitCode::SUCCESS
}
