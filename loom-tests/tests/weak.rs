//! Ephemerons: who waits for a key, and who reaches it. Clearing: who looks at what was found dead.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { weak:
    a_value_is_shown_when_its_key_is_reached,
    a_chain_is_followed_whoever_reaches_what,
    two_markers_of_two_tables_leave_nothing_white,
    a_target_dies_for_all_at_once,
    what_is_not_cleared_is_not_swept,
}
