//! Programs from bytes, on a whole heap: see `loom_tests::program`.
//!
//! `program random SECONDS SEED [SITE]` writes programs by dice, from nothing and from those in `loom-tests/fuzz/corpus/heap`;
//! `program FILE …` runs kept ones; `program shrink FILE` leaves out what a failing one does not need. The program that runs
//! is always in `target/verify/program.bin` (or the file that `ORINOCO_PROGRAM` names), so that one which ends the process
//! can be run again.

use std::process::ExitCode;

#[cfg(not(loom))]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["random", seconds, seed, site @ ..] if site.len() < 2 => {
            let (Ok(seconds), Ok(seed)) = (seconds.parse(), seed.parse()) else { return usage() };
            if let Some(site) = site.first()
                && let Err(reason) = loom_tests::plant(site)
            {
                eprintln!("{reason}");
                return ExitCode::from(2);
            }
            kept::random(std::time::Duration::from_secs(seconds), seed);
            ExitCode::SUCCESS
        }
        ["shrink", file] => kept::shrink(file),
        [] => usage(),
        files => {
            for file in files {
                let done = loom_tests::program::run(&std::fs::read(file).expect("the file can be read"));
                println!("PROGRAM {file} {done:?}");
            }
            ExitCode::SUCCESS
        }
    }
}

#[cfg(not(loom))]
fn usage() -> ExitCode {
    eprintln!("usage: program random SECONDS SEED [SITE] | shrink FILE | FILE …");
    ExitCode::from(2)
}

#[cfg(loom)]
fn main() -> ExitCode {
    eprintln!("this build is for models: it has no heap");
    ExitCode::from(2)
}

#[cfg(not(loom))]
mod kept {
    use loom_tests::program::{Dice, Done, run};
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitCode, Stdio};
    use std::time::{Duration, Instant};

    const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/heap");

    fn now_running() -> PathBuf {
        std::env::var_os("ORINOCO_PROGRAM").map_or_else(|| PathBuf::from("target/verify/program.bin"), PathBuf::from)
    }

    fn corpus() -> Vec<Vec<u8>> {
        let Ok(entries) = std::fs::read_dir(CORPUS) else { return Vec::new() };
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
    }

    /// Runs the corpus, and then programs by dice until time is over.
    pub fn random(time: Duration, seed: u64) {
        let (begun, mut dice, kept) = (Instant::now(), Dice::new(seed), corpus());
        let mut done = Done::default();
        let mut runs = 0u64;
        let file = now_running();
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).expect("the directory can be made");
        }
        let mut go = |program: &[u8]| {
            std::fs::write(&file, program).expect("the program can be written down");
            done += run(program);
            runs += 1;
        };
        kept.iter().for_each(|program| go(program));
        while begun.elapsed() < time {
            let one = |dice: &mut Dice| kept.get(dice.roll() as usize % kept.len().max(1)).cloned();
            match one(&mut dice).zip(one(&mut dice)).filter(|_| dice.roll().is_multiple_of(2)) {
                Some((program, other)) => go(&dice.mutate(&program, &other)),
                None => go(&dice.program()),
            }
        }
        println!("PROGRAMS runs={runs} seed {seed}: {done:?}");
    }

    /// Whether a program fails, in a process of its own.
    fn fails(program: &[u8]) -> bool {
        let file = now_running().with_extension("try");
        std::fs::write(&file, program).expect("the program can be written down");
        let mut command = Command::new(std::env::current_exe().expect("this program has a file"));
        let status = command.arg(file).stdout(Stdio::null()).stderr(Stdio::null()).status();
        !status.expect("it can be started").success()
    }

    /// Leaves out ever smaller parts for as long as the rest still fails.
    pub fn shrink(file: &str) -> ExitCode {
        let mut program = std::fs::read(file).expect("the file can be read");
        if !fails(&program) {
            eprintln!("{file} does not fail");
            return ExitCode::FAILURE;
        }
        let mut part = program.len() / 2;
        while part > 0 {
            let mut at = 0;
            while at < program.len() {
                let mut less = program.clone();
                less.drain(at..(at + part).min(program.len()));
                if fails(&less) {
                    program = less;
                } else {
                    at += part;
                }
            }
            part /= 2;
        }
        let small = Path::new(file).with_extension("small");
        std::fs::write(&small, &program).expect("the program can be written down");
        println!("{} bytes still fail: {}", program.len(), small.display());
        ExitCode::SUCCESS
    }
}
