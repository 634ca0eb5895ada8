//! The command-line program. It reads arguments and says what went wrong; the work is in the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use orinoco_benches::cli;

/// Runs real heap graphs, shared workloads and torture on the orinoco heap.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Replay(cli::replay::ReplayArgs),
    Bench(cli::bench::BenchArgs),
    Compare(cli::compare::CompareArgs),
    Stress(cli::stress::StressArgs),
    Weak(cli::weak::WeakArgs),
}

/// What a command ends with that could not be carried out. One that was, and found a disagreement, ends with 1.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Replay(args) => cli::replay::run(args),
        Command::Bench(args) => cli::bench::run(args),
        Command::Compare(args) => cli::compare::run(args),
        Command::Stress(args) => cli::stress::run(args),
        Command::Weak(args) => cli::weak::run(args),
    };
    done.unwrap_or_else(|error| {
        // One line, whatever a file name or a message holds.
        let line = format!("{error:#}").replace(char::is_control, " ");
        eprintln!("orinoco: {line}");
        ExitCode::from(FAILED)
    })
}
