//! What the fuzzers of `loom-tests/fuzz` found worth keeping, run again on any toolchain. The snapshots are in the tests of
//! the replay.
#![cfg(not(loom))]

use loom_tests::program;

fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).expect("the corpus is there");
    let read = |file: std::io::Result<std::fs::DirEntry>| std::fs::read(file.expect("readable").path());
    let kept: Vec<_> = files.map(|file| read(file).expect("readable")).collect();
    assert!(kept.len() >= 10, "{target} has {} inputs", kept.len());
    kept
}

#[test]
fn kept_programs_agree_with_the_graph() {
    let mut done = program::Done::default();
    kept("heap").iter().for_each(|bytes| done += program::run(bytes));
    assert!(done.collections > 0 && done.compared > 0, "{done:?}");
}

#[test]
fn kept_configurations_are_refused_or_work() {
    let all = kept("configuration");
    let made = all.iter().filter(|bytes| program::configure(bytes)).count();
    assert!(made > 0 && made < all.len(), "{made} of {} made a heap", all.len());
}
