//! When a scavenge is over every reference leads to the one copy of its object, and what was promoted is remembered.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { scavenge:
    two_workers_leave_one_copy_of_each_object,
}
