//! Commands under a time limit, with what they print kept, and counted.

use std::fmt::{Display, Formatter};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The target that sanitizers are built for.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What came of a step.
pub enum Outcome {
    /// It saw what it was to see: how much.
    Passed(String),
    /// It did not.
    Failed(String),
    /// What it needs is not here.
    Skipped(String),
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed(covered) => write!(f, "passed   {covered}"),
            Self::Failed(why) => write!(f, "FAILED   {why}"),
            Self::Skipped(reason) => write!(f, "SKIPPED  {reason}"),
        }
    }
}

/// Steps name files from the workspace's root.
pub fn go_to_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    std::env::set_current_dir(root).expect("the workspace is there");
    fs::create_dir_all("target/verify").expect("the target directory can be written");
}

/// A command of a step.
pub struct Run {
    command: Command,
    log: PathBuf,
}

impl Run {
    /// `program`, for at most `limit` seconds; what it prints goes to the log of that name.
    pub fn new(log: &str, limit: u64, program: &str) -> Self {
        // coreutils' timeout ends the whole group, which a killed cargo would leave behind.
        let mut command = Command::new("timeout");
        command.args(["--kill-after=10", &limit.to_string(), program]);
        // A verifier started by `cargo run` must not hand its own package's variables down.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
            command.env_remove(name);
        }
        Self { command, log: PathBuf::from(format!("target/verify/{log}.log")) }
    }
    /// Arguments, divided by spaces.
    pub fn args(mut self, words: &str) -> Self {
        self.command.args(words.split_whitespace());
        self
    }
    /// A variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }
    /// Whether it succeeded, and all that it printed.
    pub fn go(mut self) -> (bool, String) {
        let out = File::create(&self.log).expect("the log can be written");
        let err = out.try_clone().expect("one more descriptor");
        let status = self.command.stdin(std::process::Stdio::null()).stdout(out).stderr(err).status();
        let text = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        (status.is_ok_and(|status| status.success()), text)
    }
    /// As [`go`](Self::go): passed with what `covered` makes of the text, or failed with its last words.
    pub fn outcome(self, covered: impl FnOnce(&str) -> String) -> Outcome {
        let log = self.log.clone();
        match self.go() {
            (true, text) => Outcome::Passed(covered(&text)),
            (false, text) => Outcome::Failed(format!("{} (see {})", last_words(&text), log.display())),
        }
    }
}

/// The lines that say why, or the last one.
fn last_words(text: &str) -> String {
    let telling = ["panicked at", "error", "FAIL", "WARNING: ThreadSanitizer", "ERROR: "];
    let line = text.lines().find(|line| telling.iter().any(|word| line.contains(word)));
    let line = line.or_else(|| text.lines().rev().find(|line| !line.trim().is_empty()));
    line.unwrap_or("it said nothing: out of time?").trim().chars().take(160).collect()
}

/// How many lines have `word`, and the sum of what follows `key` in them.
pub fn tally(text: &str, word: &str, key: &str) -> (usize, u64) {
    let lines = || text.lines().filter(|line| line.contains(word));
    let number = |line: &str| {
        let rest = line.split_once(key)?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
    };
    (lines().count(), lines().filter_map(number).sum())
}

/// What a test runner counted.
pub fn tests(text: &str) -> String {
    let line = text.lines().rev().find(|line| line.contains(" passed")).unwrap_or("no test").trim();
    line.split_once(']').map_or(line, |(_, counts)| counts).trim().to_owned()
}

/// Whether a program answers.
pub fn there_is(program: &str, args: &str) -> bool {
    let mut command = Command::new(program);
    command.args(args.split_whitespace()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Does something with each number below `count`, two at a time, in this order; what came of each.
pub fn in_two_lanes<T: Send>(count: usize, each: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    if at >= count {
                        return;
                    }
                    let result = each(at);
                    done.lock().expect("no lane panics").push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no lane panics");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
