//! Roots that any thread may drop while a stop moves what they hold.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { roots:
    what_a_root_holds_is_written,
    a_root_dropped_in_a_stop_is_swept_once,
    a_root_dropped_in_a_stop_is_not_resurrected,
}
