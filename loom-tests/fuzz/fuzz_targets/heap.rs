//! Any bytes are a program for a heap, which must leave it as a plain graph says.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = loom_tests::program::run(bytes);
});
