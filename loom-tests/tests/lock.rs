//! A lock in a heap object, between mutators and a marker.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { lock:
    a_marker_and_holders_take_turns,
    two_holders_take_turns,
}
