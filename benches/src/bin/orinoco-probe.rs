//! Counts the instructions of single operations.
//!
//! ```text
//! cargo run --release -p orinoco-benches --bin orinoco-probe -- count          every operation
//! cargo run --release -p orinoco-benches --bin orinoco-probe -- count alloc bump
//! ```
//!
//! A clock is of little use for two or three instructions on a machine that others use too. So `count` runs
//! itself (`run OPERATION TIMES`) under callgrind, with N and with 2 N repetitions: starting up, preparing and
//! cleaning up cost the same in both, and the difference divided by N is the price of one repetition, its share
//! of slow paths and of the loop included. It needs `valgrind` on the path.

use std::env::current_exe;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use orinoco_benches::operations::{Operation, UNIT};

/// Counts the instructions of single operations.
#[derive(Parser)]
enum Probe {
    /// Repeat one operation, for a profiler to watch
    Run {
        /// What to repeat
        operation: Operation,
        /// How often; rounded down to a multiple of 256
        times: u64,
    },
    /// Count the instructions of one repetition with callgrind
    Count {
        /// Which operations; all if none is named
        operations: Vec<Operation>,
        /// How often each is repeated in the shorter run
        #[arg(long, default_value_t = 64 * UNIT)]
        times: u64,
    },
}

fn main() -> Result<()> {
    match Probe::parse() {
        Probe::Run { operation, times } => operation.with(|repeat| repeat(times)),
        Probe::Count { operations, times } => {
            let times = times.next_multiple_of(UNIT);
            let operations = if operations.is_empty() { Operation::value_variants() } else { &operations };
            println!("{:<18} {:>12}", "operation", "instructions");
            for &operation in operations {
                let (once, twice) = (count(operation, times)?, count(operation, 2 * times)?);
                println!("{:<18} {:>12.2}", name(operation), (twice as f64 - once as f64) / times as f64);
            }
        }
    }
    Ok(())
}

fn name(operation: Operation) -> String {
    operation.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The instructions of a whole run.
fn count(operation: Operation, times: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(current_exe()?)
        .args(["run", &name(operation), &times.to_string()])
        .output()
        .context("valgrind cannot be started; is it installed?")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the run of {operation:?} failed:\n{said}");
    collected(&said).with_context(|| format!("callgrind told no count:\n{said}"))
}

/// The number after "Collected :" in callgrind's summary.
fn collected(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected :"))?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn the_count_is_found_in_what_callgrind_says() {
        let said = "==7== \n==7== Events    : Ir\n==7== Collected : 1234567\n==7== \n";
        assert_eq!(collected(said), Some(1_234_567));
        assert_eq!(collected("==7== Events    : Ir"), None);
    }
}
