//! When a phase is over there is no work, and everyone sees everything.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { termination:
    everyone_sees_everything_at_the_end,
    no_work_is_left_at_the_end,
    a_phase_that_is_over_stays_over,
    three_workers_end_together,
}
