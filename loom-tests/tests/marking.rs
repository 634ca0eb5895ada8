//! Mark bits that share a word.
//! The mutants that these models catch are listed in `mutants.rs`.

loom_tests::models! { marking:
    two_bits_of_one_word_are_both_set,
    one_object_is_pushed_once,
    clearing_a_range_spares_a_mark_beside_it,
}
