//! Gaps of old regions pass from sweepers to whoever promotes, and the dead have no visitors by then.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { sweeping:
    a_gap_is_written_before_it_is_used,
    two_sweepers_sweep_two_regions,
    what_refers_into_the_dead_goes_before_they_are_swept,
    a_candidates_gaps_are_nobodys_until_it_is_given_up,
}
