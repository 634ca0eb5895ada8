//! The header word: what an object is, and what has become of it.
//!
//! ```text
//!   63      50 49   48 47                                   4 3 2 1 0
//!  ┌──────────┬───────┬──────────────────────────────────────┬─┬─┬─┬─┐
//!  │   free   │ hash  │ address of the TypeInfo (16-aligned)  │ │ │R│F│      F = 0
//!  ├──────────┴───────┴──────────────────────────────────────┴─┴─┴─┼─┤
//!  │ address of the copy (8-aligned)                               │1│      F = 1: forwarded
//!  └────────────────────────────────────────────────────────────────┴─┘
//!   hash: 0 never asked for · 1 asked for, derived from the address · 2 stored behind the payload
//!   R: retained, the object stays where it is in this scavenge (only during one)
//! ```
//!
//! The states of the identity hash (Bacon, Fink and Grove 2002): an object's hash is a function of its
//! address and its region's birth number until it first moves; the mover then stores it behind the payload.
//!
//! ```text
//!   Unhashed ──identity_hash()──▶ Hashed ──moved──▶ Stored (one word longer, for good)
//! ```

/// Bits of a header that hold the descriptor's address.
pub const INFO_MASK: usize = 0x0000_FFFF_FFFF_FFF0;
/// Lowest bit of the two-bit hash state.
pub const HASH_SHIFT: u32 = 48;
/// The two bits of the hash state.
pub const HASH_MASK: usize = 0b11 << HASH_SHIFT;

/// Whether the object's identity hash was asked for, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashState {
    /// Nobody asked.
    Unhashed,
    /// Asked for; a function of where the object still is.
    Hashed,
    /// Asked for before a move; in the word behind the payload.
    Stored,
}

/// The hash state of a header that is not forwarded.
#[inline]
pub const fn hash_state(header: usize) -> HashState {
    match (header & HASH_MASK) >> HASH_SHIFT {
        0 => HashState::Unhashed,
        1 => HashState::Hashed,
        _ => HashState::Stored,
    }
}

/// `header` with another hash state.
#[inline]
pub const fn with_hash_state(header: usize, state: HashState) -> usize {
    let bits = match state {
        HashState::Unhashed => 0,
        HashState::Hashed => 1,
        HashState::Stored => 2,
    };
    (header & !HASH_MASK) | (bits << HASH_SHIFT)
}

/// The identity hash of an object `offset` bytes into its heap, in a region born as number `birth`.
pub const fn hash_at(offset: usize, birth: usize) -> u64 {
    let mut x = (offset as u64) ^ (birth as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_state_does_not_disturb_the_descriptor() {
        let header = 0x7FFF_1234_5670;
        for state in [HashState::Hashed, HashState::Stored, HashState::Unhashed] {
            let word = with_hash_state(header, state);
            assert_eq!(hash_state(word), state);
            assert_eq!(word & INFO_MASK, header);
        }
    }

    #[test]
    fn one_address_in_two_lives_of_a_region_hashes_differently() {
        assert_ne!(hash_at(0x1000, 1), hash_at(0x1000, 2));
    }
}
