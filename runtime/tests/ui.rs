//! Programs of safe code that must not compile, with the messages that they get; and one that must.
//!
//! Each case is built, not only checked, because some rules hold after monomorphisation: a slot inside a `Vec` is found
//! when the `Vec`'s marking is instantiated. `TRYBUILD=overwrite` records the messages anew.
#[test]
fn programs_that_break_a_rule_do_not_compile() {
    let cases = trybuild::TestCases::new();
    // One that compiles makes trybuild build all.
    cases.pass("tests/ui/what_is_allowed.rs");
    for room in ["windows", "threads", "types", "places", "words", "macros", "doors"] {
        cases.compile_fail(format!("tests/ui/{room}/*.rs"));
    }
}
