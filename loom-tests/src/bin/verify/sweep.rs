//! The sweep over all orders and mistakes, kept: each planted, one at a time, and the model that it dies of.

use crate::run::Run;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::ExitCode;

const FILE: &str = "loom-tests/sweep.md";

const HEAD: &str = "# The sweep

What `cargo verify sweep` said when it was last kept: every order of the table weakened in every way, and every mistake of the
table made, one at a time, each in a process of its own. None survived. The times are those of two cores, busy or not.

| planted | died in | after |
| --- | --- | --- |
";

/// Runs the sweep and writes it down, if none survived.
pub fn keep() -> ExitCode {
    let (whole, text) = Run::new("sweep", 1800, "cargo").args("loom --test mutants --success-output final").go();
    let rows: BTreeSet<(&str, &str, &str)> = text.lines().filter_map(row).collect();
    if !whole || rows.is_empty() {
        eprintln!("the sweep is not whole: see target/verify/sweep.log");
        return ExitCode::FAILURE;
    }
    let mut page = HEAD.to_owned();
    for (planted, model, after) in &rows {
        let _ = writeln!(page, "| `{planted}` | `{model}` | {after} |");
    }
    std::fs::write(FILE, page).expect("the sweep can be written");
    println!("{} planted, all died: {FILE}", rows.len());
    ExitCode::SUCCESS
}

/// `MUTANT planted in model: died after time`.
fn row(line: &str) -> Option<(&str, &str, &str)> {
    let (planted, rest) = line.trim().strip_prefix("MUTANT ")?.split_once(" in ")?;
    let (model, after) = rest.split_once(": died after ")?;
    Some((planted, model, after))
}
