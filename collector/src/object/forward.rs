//! Where an object has gone: the race to move it has one winner, and everyone ends up at the same place.
//!
//! ```text
//!                        claim_copy: the copy is complete, one worker wins
//!             ┌───────▶ Forwarded   the word is the copy's address, bit 0 set; for good
//!   Here ─────┤
//!             └───────▶ Retained    the word is the header, bit 1 set; until `restore` after the scavenge
//!                        claim_retain: there was no room for a copy
//! ```
//!
//! F1  A word leaves *Here* once, by a compare-and-swap, and no other edge is taken while workers run.
//! F2  A copy is completely written before `claim_copy` offers its address.
//! F3  Whoever finds *Forwarded*, by looking or by losing, sees the copy that F2 speaks of.
//!
//! The hard idea is F3: the winner's Release meets an Acquire on both ways to the new address.

use crate::planted::{bug, ord};
use crate::sync::AtomicUsize;
use crate::sync::Ordering::Relaxed;

/// The word is the address of the copy, plus this.
pub const FORWARDED: usize = 0b01;
/// The object stays where it is in this scavenge; the rest of the word is its header.
pub const RETAINED: usize = 0b10;

/// What a header word says about its object's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has moved it; this is its header.
    Here(usize),
    /// It was moved; this is its new address.
    Forwarded(usize),
    /// It stays where it is.
    Retained,
}

/// What came of trying to decide an object's place.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This worker decided.
    Won,
    /// Another was first and decided so; what this worker prepared goes back.
    Lost(State),
}

/// Reads a header word.
#[inline(always)]
pub const fn decode(word: usize) -> State {
    if word & FORWARDED != 0 {
        State::Forwarded(word & !FORWARDED)
    } else if word & RETAINED != 0 {
        State::Retained
    } else {
        State::Here(word)
    }
}

/// Where the object is.
#[inline(always)]
pub fn probe(header: &AtomicUsize) -> State {
    // Acquire: who finds an address reads the copy behind it; partner: `claim_copy`.
    // Guarded by `forwarding::the_loser_sees_the_winners_copy`.
    decode(header.load(ord::forward_probe()))
}

/// Offers the finished copy at address `copy` as the object, if its header still is `seen`.
#[inline]
pub fn claim_copy(header: &AtomicUsize, seen: usize, copy: usize) -> Claim {
    debug_assert!(matches!(decode(seen), State::Here(_)), "only an object that is here can be moved");
    debug_assert!(copy != 0 && copy & (FORWARDED | RETAINED) == 0, "a copy's address leaves the low bits free");
    if bug::forward_without_claim() {
        header.store(copy | FORWARDED, ord::forward_publish());
        return Claim::Won;
    }
    // Release: whoever reads this address must find the copy behind it; partner: Acquire in `probe`.
    // Acquire on failure: the loser goes on to read the winner's copy.
    // Guarded by `forwarding::the_loser_sees_the_winners_copy`.
    match header.compare_exchange(seen, copy | FORWARDED, ord::forward_publish(), ord::forward_lost()) {
        Ok(_) => Claim::Won,
        Err(word) => Claim::Lost(decode(word)),
    }
}

/// Decides that the object stays where it is, if its header still is `seen`.
#[inline]
pub fn claim_retain(header: &AtomicUsize, seen: usize) -> Claim {
    debug_assert!(matches!(decode(seen), State::Here(_)), "only an object that is here can be retained");
    if bug::retain_without_claim() {
        header.store(seen | RETAINED, Relaxed);
        return Claim::Won;
    }
    // Guarded by `forwarding::a_copy_and_a_retreat_agree` and `forwarding::what_stays_is_scanned_by_one`.
    // Relaxed on success: nothing was written that another could miss; the object is where it always was.
    // Acquire on failure, as in `claim_copy`: the winner may have copied.
    match header.compare_exchange(seen, seen | RETAINED, Relaxed, ord::forward_lost()) {
        Ok(_) => Claim::Won,
        Err(word) => Claim::Lost(decode(word)),
    }
}

/// Decides for the objects that have to stay, and only then lets copiers begin: both are done to `stage`.
pub fn hold_first<S>(stage: &mut S, hold: impl FnOnce(&mut S), begin: impl FnOnce(&mut S)) {
    // Guarded by `evacuation::what_is_pinned_is_held_before_anybody_copies`.
    if bug::pins_come_late() {
        begin(stage);
        hold(stage);
    } else {
        hold(stage);
        begin(stage);
    }
}

/// Makes a retained object an ordinary one again, after the scavenge and before anyone runs.
#[inline]
pub fn restore(header: &AtomicUsize) {
    let word = header.load(Relaxed);
    debug_assert!(word & FORWARDED == 0, "a forwarded object is not there to be restored");
    header.store(word & !RETAINED, Relaxed);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const HEADER: usize = 0x7FFF_0000_1230;

    #[test]
    fn an_object_goes_where_its_winner_says() {
        let word = AtomicUsize::new(HEADER);
        assert_eq!(probe(&word), State::Here(HEADER));
        assert_eq!(claim_copy(&word, HEADER, 0x5000), Claim::Won);
        assert_eq!(probe(&word), State::Forwarded(0x5000));
    }

    #[test]
    fn the_second_worker_learns_where_the_first_one_went() {
        let word = AtomicUsize::new(HEADER);
        assert_eq!(claim_copy(&word, HEADER, 0x5000), Claim::Won);
        assert_eq!(claim_copy(&word, HEADER, 0x6000), Claim::Lost(State::Forwarded(0x5000)));
        assert_eq!(claim_retain(&word, HEADER), Claim::Lost(State::Forwarded(0x5000)));
        assert_eq!(probe(&word), State::Forwarded(0x5000));
    }

    #[test]
    fn a_retained_object_cannot_be_moved_and_gets_its_header_back() {
        let word = AtomicUsize::new(HEADER);
        assert_eq!(claim_retain(&word, HEADER), Claim::Won);
        assert_eq!(claim_retain(&word, HEADER), Claim::Lost(State::Retained));
        assert_eq!(claim_copy(&word, HEADER, 0x5000), Claim::Lost(State::Retained));
        restore(&word);
        assert_eq!(probe(&word), State::Here(HEADER));
    }

    #[test]
    fn a_claim_on_an_outdated_header_is_lost_to_the_header_that_is_there() {
        let word = AtomicUsize::new(HEADER | (1 << 48));
        assert_eq!(claim_copy(&word, HEADER, 0x5000), Claim::Lost(State::Here(HEADER | (1 << 48))));
    }
}
