//! Any configuration is refused with a reason, or is that of a heap that works.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = loom_tests::program::configure(bytes);
});
