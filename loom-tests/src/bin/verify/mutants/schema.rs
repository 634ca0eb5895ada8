//! All mutants in one build: a copy of the source in which each function asks which of its mutants is planted.
//!
//! ```text
//!   fn leave(&self) { body }   ──▶   fn leave(&self) { match generated(17, 19) {
//!                                        17 => { } 18 => { body with == for != } 19 => { … }
//!                                        _ => { body }
//!                                    } }
//! ```
//!
//! What the compiler refuses is left out, and it is asked again.

use super::listed::{Function, Mutant};
use crate::run::Run;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where the copy stands, and what is built of it.
const COPY: &str = "target/mutants/source";
const BUILT: &str = "target/mutants/built";
/// Names of mutants that were refused by the compiler: it need not be asked twice.
const REFUSED: &str = "target/mutants/refused";

/// Which mutant this process is, and which functions were come to; it stands at the end of the copy of `planted.rs`.
const GENERATED: &str = r#"
/// Which of a function's mutants, numbered from `first` to `last`, is planted; 0 is none. A process without any says where it came.
pub fn generated(first: usize, last: usize) -> usize {
    static PLANTED: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    static REACHED: std::sync::Mutex<Vec<usize>> = std::sync::Mutex::new(Vec::new());
    match *PLANTED.get_or_init(|| std::env::var("ORINOCO_MUTANT").ok()?.parse().ok()) {
        Some(planted) if (first..=last).contains(&planted) => planted,
        Some(_) => 0,
        None => {
            let mut reached = REACHED.lock().unwrap();
            if !reached.contains(&first) {
                reached.push(first);
                eprintln!("REACHED {first}");
            }
            0
        }
    }
}
"#;

/// The lines of a file of the copy in which a mutant stands, or a whole function.
type Places = BTreeMap<String, Vec<(std::ops::RangeInclusive<usize>, Vec<usize>)>>;

/// The programs with all mutants in them.
pub struct Built {
    /// The models, under loom.
    pub model: String,
    /// The tests in the rooms of each crate.
    pub tests: BTreeMap<String, String>,
    /// Programs for a whole heap, and whole heaps with several threads.
    pub heaps: [String; 2],
    /// The numbers of those that the compiler refuses.
    pub refused: BTreeSet<usize>,
}

/// Builds all of them.
pub fn build(functions: &[Function]) -> Result<Built, String> {
    const CHECKED: &str = "build --config build.rustflags=['--cfg','loom','--cfg','crossbeam_loom'] --profile model";
    let mut refused = remembered(functions);
    copy()?;
    // First what runs without models: what is refused there is refused for all, so that there is one copy.
    let rooms = "test --no-run --profile model -p orinoco-collector -p orinoco --lib";
    let tests = compile("rooms", rooms, functions, &mut refused)?;
    let heaps = "build --profile model -p loom-tests --bin program --bin stress";
    let heaps = compile("heaps", heaps, functions, &mut refused)?;
    let models = compile("models", &format!("{CHECKED} -p loom-tests --bin model"), functions, &mut refused)?;
    let get = |programs: &BTreeMap<String, String>, name: &str| {
        programs.get(name).cloned().ok_or(format!("the build of the mutants made no {name}"))
    };
    Ok(Built {
        model: get(&models, "model")?,
        heaps: [get(&heaps, "program")?, get(&heaps, "stress")?],
        tests,
        refused,
    })
}

/// Has one world compiled, and what it refuses left out, until there is nothing more; the programs by their names.
fn compile(
    world: &str,
    command: &str,
    functions: &[Function],
    refused: &mut BTreeSet<usize>,
) -> Result<BTreeMap<String, String>, String> {
    let log = format!("mutants-{world}");
    for _ in 0..12 {
        let places = write(functions, refused)?;
        let (built, text) = Run::new(&log, 1800, "cargo")
            .args(command)
            .args(&format!("--message-format json --manifest-path {COPY}/Cargo.toml --target-dir {BUILT}/{world}"))
            .go();
        if built {
            let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let named = |message: &Value| {
                Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.to_owned()))
            };
            return Ok(messages.filter_map(|message| named(&message)).collect());
        }
        let more = errors(&text, &places);
        if more.is_subset(refused) {
            break;
        }
        refused.extend(more);
        remember(functions, refused);
        println!("{world}: {} refused by the compiler, which is asked again", refused.len());
    }
    Err(format!("the copy with all mutants cannot be built: see target/verify/{log}.log"))
}

fn mutants(functions: &[Function]) -> impl Iterator<Item = &Mutant> {
    functions.iter().flat_map(|function| &function.mutants)
}

fn remember(functions: &[Function], refused: &BTreeSet<usize>) {
    let refused = mutants(functions).filter(|mutant| refused.contains(&mutant.number));
    let names: Vec<&str> = refused.map(|mutant| mutant.name.as_str()).collect();
    fs::write(REFUSED, names.join("\n")).expect("the target directory can be written");
}

fn remembered(functions: &[Function]) -> BTreeSet<usize> {
    let names = fs::read_to_string(REFUSED).unwrap_or_default();
    let names: BTreeSet<&str> = names.lines().collect();
    mutants(functions).filter(|mutant| names.contains(mutant.name.as_str())).map(|mutant| mutant.number).collect()
}

/// Copies what the models are built of; a file that is the same already is left alone.
fn copy() -> Result<(), String> {
    for part in ["collector", "runtime", "loom-tests"] {
        copy_all(Path::new(part)).map_err(|error| format!("{part}: {error}"))?;
    }
    let manifest = fs::read_to_string("Cargo.toml").map_err(|error| error.to_string())?;
    keep(Path::new("Cargo.toml"), &manifest.replace(", \"benches\"", ""))?;
    if !Path::new(COPY).join("Cargo.lock").exists() {
        fs::copy("Cargo.lock", Path::new(COPY).join("Cargo.lock")).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn copy_all(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let skipped = ["target", "fuzz", "tests"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !skipped {
            copy_all(&path)?;
        } else if path.extension().is_some_and(|e| e == "rs" || e == "toml") {
            keep(&path, &fs::read_to_string(&path)?).map_err(std::io::Error::other)?;
        }
    }
    Ok(())
}

/// Writes a file of the copy, unless it is that already: what is the same is not built again.
fn keep(path: &Path, text: &str) -> Result<(), String> {
    let to = Path::new(COPY).join(path);
    if fs::read_to_string(&to).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let parent = to.parent().expect("the copy has a directory");
    fs::create_dir_all(parent).and_then(|()| fs::write(&to, text)).map_err(|error| format!("{}: {error}", to.display()))
}

/// Writes the mutants into the copy; where they stand.
fn write(functions: &[Function], refused: &BTreeSet<usize>) -> Result<Places, String> {
    let planted = "collector/src/planted.rs";
    let table = fs::read_to_string(planted).map_err(|error| error.to_string())?;
    keep(Path::new(planted), &(table + GENERATED))?;
    let mut places = Places::new();
    let files: BTreeSet<&str> = functions.iter().map(|function| function.file.as_str()).collect();
    for file in files {
        let source = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let mut copied = String::new();
        let mut done = 0;
        for function in functions.iter().filter(|function| function.file == file && !function.is_none()) {
            let open = function.text.start + body(&source[function.text.clone()]);
            // A constant cannot ask.
            let head = source[function.text.start..open].replace("const fn", "fn");
            copied += &source[done..function.text.start];
            copied += &head;
            let from = copied.lines().count();
            // Arms have one type, and two closures have two: what an iterator yields is put in a row.
            let ends = if source[function.text.start..open].contains("-> impl Iterator") {
                (" ({", "}).collect::<Vec<_>>().into_iter()")
            } else {
                ("", "")
            };
            let arms = arms(&mut copied, &source[open..function.text.end], open, function, refused, ends);
            let to = copied.lines().count();
            let whole = function.mutants.iter().map(|mutant| mutant.number).collect();
            places.entry(file.to_owned()).or_default().extend(arms.into_iter().chain([(from..=to, whole)]));
            done = function.text.end;
        }
        copied += &source[done..];
        keep(Path::new(file), &copied)?;
    }
    Ok(places)
}

/// Writes a body that asks which one it is; the lines of each mutant.
fn arms(
    copied: &mut String,
    body: &str,
    open: usize,
    function: &Function,
    refused: &BTreeSet<usize>,
    (begin, end): (&str, &str),
) -> Vec<(std::ops::RangeInclusive<usize>, Vec<usize>)> {
    let tried = |mutant: &&Mutant| !mutant.in_a_mistake && !refused.contains(&mutant.number);
    if !function.mutants.iter().any(|mutant| tried(&mutant)) {
        copied.push_str(body);
        return Vec::new();
    }
    let home = if function.file.starts_with("collector/") { "crate" } else { "::orinoco_collector" };
    *copied += &format!("{{ match {home}::planted::generated({}, {}) {{", function.first(), function.last());
    let mut lines = Vec::new();
    for mutant in function.mutants.iter().filter(tried) {
        let (before, after) = (&body[..mutant.at.start - open], &body[mutant.at.end - open..]);
        *copied += "\n";
        let from = copied.lines().count() + 1;
        // A space on both sides: `a - b` is not to become `a --b`.
        *copied += &format!("{} => {{ {begin}{before} {} {after}{end} }}", mutant.number, mutant.instead);
        lines.push((from..=copied.lines().count(), vec![mutant.number]));
    }
    *copied += &format!("\n_ => {{ {begin}{body}{end} }}\n}} }}");
    lines
}

/// Where a function's body begins.
fn body(function: &str) -> usize {
    let mut at = 0;
    for line in function.split_inclusive('\n') {
        let code = line.trim_start();
        if !code.starts_with("//")
            && !code.starts_with("#[")
            && let Some(brace) = line.find('{')
        {
            return at + brace;
        }
        at += line.len();
    }
    at
}

/// The mutants that the compiler's errors point at.
fn errors(text: &str, places: &Places) -> BTreeSet<usize> {
    let mut refused = BTreeSet::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let message = &line["message"];
        if message["level"] != "error" {
            continue;
        }
        let spans = message["spans"].as_array().cloned().unwrap_or_default();
        for span in spans.iter().filter(|span| span["is_primary"] == true) {
            let file = span["file_name"].as_str().unwrap_or_default();
            let at = span["line_start"].as_u64().unwrap_or_default() as usize;
            let of_file =
                places.iter().filter(|(name, _)| file.ends_with(name.as_str())).flat_map(|(_, places)| places);
            // The narrowest place: a mutant rather than its function.
            let mut hit: Vec<_> = of_file.filter(|(lines, _)| lines.contains(&at)).collect();
            hit.sort_by_key(|(lines, _)| lines.end() - lines.start());
            refused.extend(hit.first().into_iter().flat_map(|(_, mutants)| mutants));
        }
    }
    refused
}
