//! Old objects are moved out of regions that were chosen beforehand, and whoever refers to them is known by then.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { evacuation:
    what_is_stored_while_marking_is_updated,
    what_two_markers_found_is_updated,
    a_host_that_moved_is_not_visited_where_it_was,
    what_is_pinned_is_held_before_anybody_copies,
}
