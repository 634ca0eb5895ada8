//! What `cargo mutants` makes of the source, function by function, as its list says.

use crate::run::{Run, there_is};
use serde_json::Value;
use std::ops::Range;

/// A function, and its mutants: numbers in a row.
pub struct Function {
    /// Its file, from the workspace's root.
    pub file: String,
    /// Where in the file it stands, with its comments; empty for what is in no function.
    pub text: Range<usize>,
    /// What can be done to it.
    pub mutants: Vec<Mutant>,
}

/// One change.
pub struct Mutant {
    /// From 1 on; 0 is none.
    pub number: usize,
    /// `file:line:column: what is done`.
    pub name: String,
    /// Where in the file.
    pub at: Range<usize>,
    /// What stands there instead.
    pub instead: String,
    /// Whether it stands inside `if bug::… { … }`.
    pub in_a_mistake: bool,
}

impl Function {
    /// The number of its first mutant, by which it is known.
    pub fn first(&self) -> usize {
        self.mutants[0].number
    }
    /// The number of its last.
    pub fn last(&self) -> usize {
        self.first() + self.mutants.len() - 1
    }
    /// Whether this is no function: constants.
    pub fn is_none(&self) -> bool {
        self.text.is_empty()
    }
}

impl Mutant {
    /// The file and the change, without the place, which moves.
    pub fn change(&self) -> (&str, &str) {
        let mut parts = self.name.splitn(4, ':');
        let file = parts.next().unwrap_or_default();
        (file, parts.nth(2).unwrap_or_default().trim())
    }
}

/// The functions of these files that have mutants.
pub fn functions(files: &[&str]) -> Result<Vec<Function>, String> {
    if !there_is("cargo", "mutants --version") {
        return Err("cargo-mutants is not installed: cargo install cargo-mutants --locked".to_owned());
    }
    let files: Vec<String> = files.iter().map(|file| format!("--file {file}")).collect();
    let (whole, text) =
        Run::new("mutants-list", 120, "cargo").args("mutants --list --json").args(&files.join(" ")).go();
    let from =
        text.find('[').filter(|_| whole).ok_or("cargo mutants lists nothing: see target/verify/mutants-list.log")?;
    let list: Vec<Value> = serde_json::from_str(&text[from..]).map_err(|error| error.to_string())?;
    let mut functions: Vec<Function> = Vec::new();
    let mut number = 0;
    for entry in &list {
        let word = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        // What tests a room is no part of it.
        if entry["function"]["function_name"].as_str().is_some_and(|name| name.starts_with("tests::")) {
            continue;
        }
        let file = word("file");
        number += 1;
        let source = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let text = span(&source, &entry["function"]["span"]).unwrap_or(0..0);
        let change = span(&source, &entry["span"]).ok_or("a mutant without a place")?;
        let mutant = Mutant {
            number,
            name: word("name"),
            in_a_mistake: in_a_mistake(&source, &text, &change),
            at: change,
            instead: word("replacement"),
        };
        match functions.last_mut() {
            Some(last) if last.file == file && last.text == text => last.mutants.push(mutant),
            _ => functions.push(Function { file, text, mutants: vec![mutant] }),
        }
    }
    Ok(functions)
}

/// The bytes between two places given by line and column, both from 1 on.
fn span(source: &str, span: &Value) -> Option<Range<usize>> {
    let byte = |place: &Value| {
        let (line, column) = (place["line"].as_u64()? as usize, place["column"].as_u64()? as usize);
        let start: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let within: usize = source[start..].chars().take(column - 1).map(char::len_utf8).sum();
        Some(start + within)
    };
    Some(byte(&span["start"])?..byte(&span["end"])?)
}

/// Whether a change to a function lies in a mistake that is planted by hand.
fn in_a_mistake(source: &str, function: &Range<usize>, change: &Range<usize>) -> bool {
    source[function.clone()].match_indices("if bug::").any(|(at, _)| {
        let start = function.start + at;
        let Some(open) = source[start..].find('{').map(|at| start + at) else { return false };
        start <= change.start && change.end <= open + matching(&source[open..])
    })
}

/// How long the block is that a text begins with.
fn matching(block: &str) -> usize {
    let mut depth = 0;
    for (at, c) in block.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    block.len()
}
