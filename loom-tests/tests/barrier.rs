//! A mutator stores where a marker scans.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { barrier:
    what_is_followed_is_written,
    what_is_exchanged_is_written,
    what_is_claimed_is_written,
    what_moves_behind_the_marker_is_shaded,
    a_host_that_looks_white_is_no_excuse,
    two_writers_of_one_slot_leave_nothing_white,
    what_is_born_black_has_shown_its_references,
}
