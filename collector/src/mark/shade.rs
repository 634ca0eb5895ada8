//! Where a mutator that stores and a marker that scans meet: no lock, no fence, one bit an object.
//!
//! ```text
//!   mutator   write the object ─▶ publish it in a slot ─▶ shade it: claim its bit, list it ─▶ hand over what is listed
//!                                       │                        │                                 │
//!   marker                           follow the slot ─▶ shade: claim its bit, push it           pop, scan
//! ```
//!
//! S1  Who follows a slot sees the object behind it as it was when it was stored there: an object whose fields are still
//!     being written is in no slot, and has its length and its descriptor before it is.
//! S2  While marking, who stores a reference to an old object shades it before its next safepoint, *whatever the colour of
//!     the host*. To look at that colour would need a fence between the store and the look: without one, a mutator finds
//!     the host white, a marker turns it black and finds the slot as it was, and neither has seen the other.
//! S3  Who claims a bit scans the object, or puts it where somebody who scans will find it.
//!
//! S2 makes deletions harmless: what a marker has passed by cannot be put behind it unshaded. Reading is not watched at
//! all, so a reference that is only in a mutator's hands is nobody's; when it is stored, it is shaded, and when it is held
//! in a root, the stop that ends marking finds it there.
use crate::planted::{bug, ord};
use crate::region::mark_bitmap::MarkBitmap;
use crate::sync::AtomicPtr;
use crate::worklist::shared::{Local, Worklist};

/// Stores a reference where others will follow it; the barrier comes after.
#[inline(always)]
pub fn publish(slot: &AtomicPtr<u8>, word: *mut u8) {
    // Release: S1, what the reference leads to is written first; partner: Acquire in `follow`.
    // Guarded by `barrier::what_is_followed_is_written`.
    slot.store(word, ord::slot_publish());
}

/// Reads a reference, to go on to what it leads to.
#[inline(always)]
pub fn follow(slot: &AtomicPtr<u8>) -> *mut u8 {
    // Acquire: partner of the Release in `publish`. Guarded by the same model.
    slot.load(ord::slot_follow())
}

/// Publishes a reference and follows the one it replaces.
#[inline(always)]
pub fn exchange(slot: &AtomicPtr<u8>, word: *mut u8) -> *mut u8 {
    // AcqRel: as `publish` and `follow`, in one step. Guarded by `barrier::what_is_exchanged_is_written`.
    slot.swap(word, ord::slot_exchange())
}

/// Publishes a reference if the slot holds `old`; the one that was found otherwise can be followed.
///
/// # Errors
/// What the slot holds, if it is not `old`.
#[inline(always)]
pub fn claim(slot: &AtomicPtr<u8>, old: *mut u8, word: *mut u8) -> Result<*mut u8, *mut u8> {
    // AcqRel: as in `exchange`. Acquire on failure: as in `follow`. Guarded by `barrier::what_is_claimed_is_written`.
    slot.compare_exchange(old, word, ord::slot_exchange(), ord::slot_follow())
}

/// Turns an object grey while marking, if it was white: claims its bit, and has `found` list it.
///
/// `host_is_black` is never asked (S2), except by a planted mistake.
#[inline(always)]
pub fn shade(marks: MarkBitmap<'_>, bit: usize, host_is_black: impl FnOnce() -> bool, found: impl FnOnce()) {
    if bug::barrier_forgets_shade() || (bug::barrier_looks_at_its_host() && !host_is_black()) {
        return;
    }
    if marks.try_mark(bit) {
        found();
    }
}

/// An object is born old while marking: its references are shown as if each had been stored, and it is black.
#[inline]
pub fn be_born(marks: MarkBitmap<'_>, bit: usize, show_references: impl FnOnce()) {
    // No marker will ever scan it. Guarded by `barrier::what_is_born_black_has_shown_its_references`.
    if !bug::birth_forgets_its_references() {
        show_references();
    }
    let _ = marks.try_mark(bit);
}

/// Puts objects that were shaded where every marker finds them.
pub fn hand_over<T>(shaded: impl IntoIterator<Item = T>, list: &Worklist<T>) {
    let mut local = Local::new();
    shaded.into_iter().for_each(|object| local.push(list, object));
    if bug::shaded_are_not_handed_over() {
        local.clear();
    }
    local.publish(list);
}

/// In a stop: turns marking on or off for every mutator, by `turn`.
///
/// All of them in one stop, the one that takes the roots: so there is no moment at which a marker works beside a mutator
/// that does not shade, and none at which a mutator shades for a cycle that has ended.
pub fn turn_all<L>(on: bool, mutators: impl FnOnce(&mut dyn FnMut(&L)), turn: impl Fn(&L)) {
    let mut missed = if on { bug::turning_on_misses_a_mutator() } else { bug::turning_off_misses_a_mutator() };
    mutators(&mut |mutator| {
        if !std::mem::take(&mut missed) {
            turn(mutator);
        }
    });
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::AtomicUsize;
    use std::cell::Cell;

    #[test]
    fn an_object_is_listed_by_the_first_who_shades_it() {
        let words = [AtomicUsize::new(0)];
        let marks = MarkBitmap::new(&words);
        let listed = Cell::new(0);
        (0..3).for_each(|_| {
            shade(marks, 5, || unreachable!("the host is not looked at"), || listed.set(listed.get() + 1))
        });
        assert_eq!(listed.get(), 1);
    }

    #[test]
    fn what_is_handed_over_is_there_to_take() {
        let list = Worklist::new();
        hand_over(0..3, &list);
        assert_eq!(list.steal().map(|segment| segment.len()), Some(3));
    }

    #[test]
    fn every_mutator_is_turned() {
        let mutators = [Cell::new(false), Cell::new(false)];
        turn_all(true, |each| mutators.iter().for_each(each), |mutator: &Cell<bool>| mutator.set(true));
        assert!(mutators.iter().all(Cell::get));
    }
}
