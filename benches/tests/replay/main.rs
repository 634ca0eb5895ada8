//! The main job from outside: snapshots made here and a real one, through the library and through the program.
//!
//! `ORINOCO_ZEAL=1` in the environment makes every replay collect, and move everything, at every safepoint.

mod bad_input;
mod made;
mod pairs;
mod program;
mod random_graphs;
mod real_snapshot;

use std::path::PathBuf;

use orinoco_benches::{
    replay::{HeapOptions, Options, Report, ZealKind, replay},
    snapshot::{Oracle, Snapshot},
};

/// What every test starts from; for small graphs, since the heap checks itself at every turn.
fn options(threads: usize) -> Options {
    let zeal = std::env::var_os("ORINOCO_ZEAL").map(|_| ZealKind::Everything);
    let heap = HeapOptions { zeal, verify: true, limit: Some(512 << 20), ..HeapOptions::default() };
    Options { threads, rounds: 2, litter: Some(1 << 20), heap, ..Options::default() }
}

/// The same without the checks, which take as long as the graph is large.
fn unchecked(threads: usize) -> Options {
    let checked = options(threads);
    Options { heap: HeapOptions { verify: false, ..checked.heap }, ..checked }
}

fn zealous(threads: usize) -> Options {
    let plain = options(threads);
    Options { heap: HeapOptions { zeal: Some(ZealKind::Everything), ..plain.heap }, ..plain }
}

fn run(snapshot: &Snapshot, oracle: Option<&Oracle>, options: &Options) -> Report {
    replay(snapshot, oracle, options, |_| {}).expect("the replay can be carried out")
}

fn bundled() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/page-detached.heapsnapshot.zst")
}
