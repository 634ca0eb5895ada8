//! `heap WORK ROUNDS [SITE]`: a whole heap under its verifier, with a bug planted or not. `WORK` is `slots`, `locks` or `weak`.

use std::process::ExitCode;

#[cfg(not(loom))]
fn main() -> ExitCode {
    use loom_tests::heap::{Work, run};
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match arguments.as_slice() {
        [work, rounds, rest @ ..] if rest.len() < 2 => Work::by_name(work).zip(rounds.parse().ok()).zip(Some(rest)),
        _ => None,
    };
    let Some(((work, rounds), site)) = parsed else {
        eprintln!("usage: heap slots|locks|weak ROUNDS [SITE]");
        return ExitCode::from(2);
    };
    if let Some(site) = site.first()
        && let Err(reason) = loom_tests::plant(site)
    {
        eprintln!("{reason}");
        return ExitCode::from(2);
    }
    println!("HEAP {work:?} rounds={rounds} cycles={}", run(work, rounds, 0x5EED));
    ExitCode::SUCCESS
}

#[cfg(loom)]
fn main() -> ExitCode {
    eprintln!("this build is for models: it has no heap");
    ExitCode::from(2)
}
