//! Stopped mutators lend a hand in the phases of their stop, and are home before it ends.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { hands:
    nobody_is_at_work_when_a_stop_ends,
    each_phase_has_its_own_guests,
}
