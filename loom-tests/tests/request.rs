//! A wish for a collection is served by one that began after it.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { request:
    a_wish_is_served_by_what_began_after_it,
    two_wishes_are_both_served,
}
