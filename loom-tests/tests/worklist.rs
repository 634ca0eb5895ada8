//! Work changes hands, and every entry comes out once.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { worklist:
    every_entry_is_taken_once,
    two_thieves_share_what_an_owner_gives,
    a_view_that_goes_leaves_its_work,
    work_hidden_in_a_mutator_is_found_in_the_stop,
}
