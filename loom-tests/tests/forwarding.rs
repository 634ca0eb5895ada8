//! Workers reach one object: one copy becomes it, and all end up reading that one.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { forwarding:
    the_loser_sees_the_winners_copy,
    three_workers_agree,
    a_copy_and_a_retreat_agree,
    the_losers_space_is_given_back,
    what_stays_is_scanned_by_one,
}
