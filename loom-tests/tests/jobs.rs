//! Markers beside the program come and go with the stops.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { jobs:
    a_stop_has_no_marker,
    what_markers_held_is_on_the_list,
    a_marker_sees_what_was_stored_before_the_stop,
}
