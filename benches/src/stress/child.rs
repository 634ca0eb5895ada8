//! A scenario in a process of its own: a mistake that ends the process ends nobody else.
//!
//! ```text
//!   orinoco stress ──spawns──▶ orinoco stress --inside SCENARIO …
//!         ▲                        │ a line a quarter second: Pulse           read by whoever shows progress
//!         └────────────────────────┤ a line at the end:       Outcome
//!                                  └ its end:                 exit status, or the signal that killed it; what it said
//! ```
//!
//! A child whose mutators do nothing for `PATIENCE` is ended, and that is a failure too: nothing hangs silently.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Scenario;
use super::context::Context;
use super::run::{Outcome, run};

/// How long a child may get no further.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two pulses.
const BEAT: Duration = Duration::from_millis(250);

/// What a child says while it works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// Turns of each mutator.
    pub turns: Vec<u64>,
    /// Comparisons of all.
    pub checks: u64,
    /// Stops by length.
    pub stops: Vec<u64>,
    /// Memory that is resident, in MiB.
    pub rss_mib: u64,
}

/// A line of a child.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Pulse(Pulse),
    Outcome(Box<Outcome>),
}

fn say(said: &Said) {
    let mut out = std::io::stdout().lock();
    // A parent that has gone away wants nothing any more.
    let _ = serde_json::to_writer(&mut out, said).map_err(std::io::Error::from).and_then(|()| writeln!(out));
    let _ = out.flush();
}

/// The child's side: runs the scenario and says how it goes.
pub fn inside(scenario: &'static Scenario, context: &Context) -> bool {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                say(&Said::Pulse(pulse(context)));
                thread::sleep(BEAT);
            }
        });
        let outcome = run(scenario, context);
        over.store(true, Relaxed);
        let passed = outcome.passed;
        say(&Said::Outcome(Box::new(outcome)));
        passed
    })
}

fn pulse(context: &Context) -> Pulse {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    Pulse {
        turns: context.lines.iter().map(|line| line.turns.load(Relaxed)).collect(),
        checks: context.sum(|line| &line.checks),
        stops: context.stops.read(),
        rss_mib: pages >> 8,
    }
}

/// The parent's side: runs one scenario in a child with these arguments, and says what came of it.
///
/// # Errors
/// When no child can be started.
pub fn run_in_child(scenario: &str, arguments: &[String], mut beat: impl FnMut(&Pulse)) -> Result<Outcome> {
    let began = Instant::now();
    // One arena: with one for each thread the GNU C library keeps what scatters over them, and a resident set says nothing.
    let mut child = Command::new(std::env::current_exe()?)
        .args(["stress", "--inside", scenario])
        .args(arguments)
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (out, err) = (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
    let (told, lines) = channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if told.send(line).is_err() {
                return;
            }
        }
    });
    let errors = thread::spawn(move || {
        let mut said = Vec::new();
        let _ = err.take(1 << 20).read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    });
    let mut outcome = None;
    let mut last = Pulse::default();
    let mut moved = Instant::now();
    let hung = loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(Said::Pulse(pulse)) => {
                    beat(&pulse);
                    if (&pulse.turns, &pulse.stops) != (&last.turns, &last.stops) {
                        moved = Instant::now();
                    }
                    last = pulse;
                }
                Ok(Said::Outcome(said)) => outcome = Some(*said),
                Err(_) => {}
            },
            Err(RecvTimeoutError::Timeout) => break true,
            Err(RecvTimeoutError::Disconnected) => break false,
        }
        if moved.elapsed() > PATIENCE {
            break true;
        }
    };
    if hung {
        child.kill()?;
    }
    let status = child.wait()?;
    let _ = reader.join();
    let said = errors.join().unwrap_or_default();
    let mut outcome = outcome.unwrap_or_else(|| Outcome {
        scenario: scenario.to_owned(),
        turns: last.turns.iter().sum(),
        mutators: last.turns.len(),
        checks: last.checks,
        stops: last.stops,
        seconds: began.elapsed().as_secs_f64(),
        ..Outcome::default()
    });
    if !status.success() {
        outcome.passed = false;
        let how = if hung { format!("no mutator got any further for {PATIENCE:?}") } else { end(status) };
        let told = outcome.failure.take().unwrap_or_else(|| message(&said).to_owned());
        outcome.failure = Some(if told.is_empty() { how } else { format!("{told} ({how})") });
    }
    if !said.is_empty() {
        outcome.fields.insert("said".to_owned(), said.into());
    }
    Ok(outcome)
}

fn end(status: ExitStatus) -> String {
    match status.signal() {
        Some(6) => "it ended itself".to_owned(),
        Some(11) => "signal 11, a fault on memory that is not there".to_owned(),
        Some(signal) => format!("signal {signal}"),
        None => format!("exit status {}", status.code().unwrap_or(-1)),
    }
}

/// What a panic said, among all that a process said last.
fn message(said: &str) -> &str {
    let mut lines = said.lines().skip_while(|line| !line.contains("panicked at"));
    let text = lines.next().and_then(|_| lines.next());
    text.or_else(|| said.lines().last()).unwrap_or("").trim()
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn a_panics_message_is_found_among_other_words() {
        let said = "orinoco: hm\nthread 'mutator 1' (7) panicked at collector/src/verify.rs:70:13:\nV3: old refers to young\nnote: x\n";
        assert_eq!(message(said), "V3: old refers to young");
        assert_eq!(message("no panic here\nthe end\n"), "the end");
        assert_eq!(message(""), "");
    }
}
