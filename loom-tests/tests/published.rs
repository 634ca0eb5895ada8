//! A table is replaced whole while others read it.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { published:
    a_reader_sees_a_whole_version,
}
