//! Helpers come to a phase when they come; its leader waits for those inside alone.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { gate:
    a_guest_sees_what_was_prepared,
    the_leader_sees_what_its_guests_did,
    a_stage_opens_when_the_one_before_is_empty,
    two_guests_and_a_leader_part,
}
