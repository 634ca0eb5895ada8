//! The walls of the house, read from the source: where unsafe code lives, who names threads and locks, which orders stand alone.
use std::fs;
use std::path::{Path, PathBuf};

/// Every source file of both crates, with its path from the workspace's root and its text.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("the sources are there").map(|e| e.expect("readable").path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                found.push(entry);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned();
    let mut files = Vec::new();
    for part in ["collector/src", "runtime/src"] {
        walk(&root.join(part), &mut files);
    }
    assert!(files.len() > 40, "only {} files found", files.len());
    files
        .into_iter()
        .map(|f| {
            let text = fs::read_to_string(&f).expect("readable");
            (f.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/"), text)
        })
        .collect()
}

/// The text before the tests, without comments.
fn code(text: &str) -> String {
    let body = text.split("\n#[cfg(test)]").next().unwrap_or(text).split("\n#[cfg(all(test").next().unwrap_or(text);
    body.lines().map(|l| l.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

fn offenders(allowed: &[&str], pattern: &str) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|(path, text)| code(text).contains(pattern) && !allowed.iter().any(|a| path.starts_with(a)))
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn the_helper_pool_the_epoch_and_the_deque_each_have_one_room() {
    assert_eq!(offenders(&["collector/src/workers/rayon.rs"], "rayon::"), [""; 0]);
    assert_eq!(offenders(&["collector/src/memory/published.rs"], "crossbeam_epoch"), [""; 0]);
    assert_eq!(offenders(&["collector/src/sync/"], "crossbeam::"), [""; 0]);
    assert_eq!(offenders(&["collector/src/sync/"], "parking_lot"), [""; 0]);
    assert_eq!(offenders(&["collector/src/sync/"], "loom::"), [""; 0]);
    assert_eq!(offenders(&["collector/src/sync/"], "shuttle::"), [""; 0]);
}

#[test]
fn unsafe_code_is_confined_to_rooms_that_say_what_they_are_trusted_with() {
    for (path, text) in sources() {
        let uses = code(&text).lines().any(|l| l.contains("unsafe {") || l.contains("unsafe impl"));
        // Macros expand in the embedder's crate, each block with its own reason.
        if uses && path != "runtime/src/macros.rs" {
            assert!(
                text.replace(char::is_whitespace, "").contains("[expect(unsafe_code,reason="),
                "{path} holds unsafe code and does not say why"
            );
        }
    }
}

#[test]
fn every_unsafe_block_says_what_it_leans_on() {
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let bare = line.split("//").next().unwrap_or("");
            if bare.contains("unsafe {") || bare.trim_start().starts_with("unsafe impl") {
                let near = lines[n.saturating_sub(6)..=n].iter().any(|l| l.contains("SAFETY"));
                assert!(near, "{path}:{}: {}", n + 1, line.trim());
            }
        }
    }
}

#[test]
fn sequential_consistency_is_asked_of_fences_only() {
    for (path, text) in sources() {
        for (n, line) in code(&text).lines().enumerate() {
            assert!(
                !line.contains("SeqCst") || line.contains("fence") || path.ends_with("planted.rs"),
                "{path}:{}: a checker cannot model {line}",
                n + 1
            );
        }
    }
}

#[test]
fn the_collector_knows_nothing_of_the_runtime() {
    for (path, text) in sources() {
        if path.starts_with("collector/") {
            assert!(!code(&text).contains("orinoco::"), "{path} looks up the stairs");
        }
    }
}

/// Floors from the ground up; a file may import from its own floor's ground and below, never from above.
const FLOORS: &[(&str, u32)] = &[
    ("sync", 1),
    ("planted", 1),
    ("units", 1),
    ("world", 1),
    ("config", 2),
    ("error", 2),
    ("fault", 2),
    ("gate", 2),
    ("memory", 2),
    ("object", 2),
    ("worklist", 2),
    ("zeal", 2),
    ("recent", 2),
    ("region", 3),
    ("workers", 3),
    ("graveyard", 3),
    ("pace", 3),
    ("owned", 3),
    ("statistics", 3),
    ("mutator_local", 4),
    ("space", 4),
    ("compact", 5),
    ("heap_core", 5),
    ("roots", 5),
    ("sweep", 5),
    ("verify", 6),
    ("mark", 6),
    ("scavenge", 6),
    ("collector", 7),
];

/// What a descriptor needs to know of those who read it: function pointers to the concrete visitors, which keep tracing
/// monomorphic. Everything else runs downhill.
const UPHILL: &[(&str, &str)] = &[
    ("object", "mark"),
    ("object", "scavenge"),
    ("roots", "mark"),
    ("roots", "scavenge"),
    ("heap_core", "mark"),
    ("sync", "sync"),
];

#[test]
fn imports_run_downhill() {
    let floor = |room: &str| FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor);
    for (path, text) in sources() {
        let Some(rest) = path.strip_prefix("collector/src/") else { continue };
        let room = rest.split(['/', '.']).next().expect("a name");
        let Some(own) = floor(room) else { continue };
        for line in code(&text).lines() {
            for piece in line.split("crate::").skip(1) {
                let target: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if target == room || UPHILL.contains(&(room, target.as_str())) {
                    continue;
                }
                if let Some(below) = floor(&target) {
                    assert!(below <= own, "{path} imports {target}, which is upstairs");
                }
            }
        }
    }
}
