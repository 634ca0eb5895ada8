//! Stops, against mutators that run, return, come, go, and stop the world themselves.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { safepoint:
    a_stop_sees_what_a_parked_mutator_did,
    a_mutator_that_resumes_sees_what_the_stop_did,
    a_stop_and_a_return_do_not_both_proceed,
    a_buffer_retired_in_a_stop_is_not_used_again,
    a_newcomer_waits_or_is_stopped,
    a_newcomer_has_the_phase_that_is,
    nobody_leaves_in_a_stop,
    two_stops_in_a_row_let_a_mutator_run_between,
    two_leaders_take_turns,
}
