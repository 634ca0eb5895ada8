//! A whole cycle of marking on a tiny heap.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { cycle:
    nothing_that_can_be_reached_stays_white,
    nobody_shades_for_a_cycle_that_is_over,
}
