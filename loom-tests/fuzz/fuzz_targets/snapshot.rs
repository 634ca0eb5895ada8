//! Any bytes are a snapshot, or are refused with a reason; never a panic, and never more memory than they pay for.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = orinoco_benches::snapshot::Snapshot::read(bytes) {
        (0..snapshot.node_count()).for_each(|node| assert!(snapshot.edges(node).all(|(_, to, _)| to < snapshot.node_count())));
    }
});
