//! Why a mutant may live.

use super::listed::Mutant;

/// Bits that are known to be clear where they are set.
const SAME: &str = "equal: the bits are known to be clear, or to have nothing in common";
/// What is read by nobody who decides anything.
const HINT: &str = "a hint: who acts on it looks again under the lock, or in the stop";
/// How long, or how often, somebody looks before it sleeps.
const WAITING: &str = "how a thread waits, not whether: it is woken, or looks again";
/// Only speed, or memory, is lost.
const SPEED: &str = "costs time or memory and nothing else";
/// Reports.
const TOLD: &str = "what is told of it, to a person or to pacing";

/// A file, words that the mutant's name has, and the reason. The first that fits holds.
const EXPLAINED: &[(&str, &str, &str)] = &[
    ("gate.rs", "replace | with ^", SAME),
    ("forward.rs", "replace | with ^", SAME),
    ("lock_word.rs", "replace | with ^", SAME),
    ("state.rs", "replace | with ^", SAME),
    ("root_chunk.rs", "replace | with ^", SAME),
    ("mark_bitmap.rs", "replace | with ^", SAME),
    ("hands.rs", "hands_hint", HINT),
    ("hands.rs", "stand_by", WAITING),
    ("jobs.rs", "quiesce", "closing a gate twice is closing it once"),
    ("jobs.rs", "is_idle_hint", HINT),
    ("jobs.rs", "bytes", TOLD),
    ("jobs.rs", "admit", SPEED),
    ("jobs.rs", "Jobs::end", SPEED),
    ("lock_word.rs", "_hint", HINT),
    ("clearing.rs", "is_on", HINT),
    ("state.rs", "_hint", HINT),
    ("registry.rs", "is_parked_hint", HINT),
    ("registry.rs", "Occupant::", "what an occupant does of itself: every one in use says something else"),
    ("registry.rs", "World<M>::len", TOLD),
    ("registry.rs", "World<M>::is_empty", TOLD),
    ("registry.rs", "unpark_slow", WAITING),
    ("safepoint.rs", "look_for_stragglers", WAITING),
    ("safepoint.rs", "wait_for_stragglers", TOLD),
    ("safepoint.rs", "Stopped<'_, M>::len", TOLD),
    ("safepoint.rs", "Stopped<'_, M>::is_empty", TOLD),
    ("termination.rs", "idle_until", WAITING),
    ("shared.rs", "share", SPEED),
    ("shared.rs", "refill", SPEED),
    ("shared.rs", "Drop for Local", "a check, of what is right"),
    ("segment.rs", "Segment<T>::push", SPEED),
    ("waiting.rs", "shard", SPEED),
    ("waiting.rs", "shrink", SPEED),
    ("waiting.rs", "Hasher", SPEED),
    ("published.rs", "Drop for Published", "leaks, and LeakSanitizer says so"),
];

/// Why this one may.
pub fn reason(mutant: &Mutant) -> Option<&'static str> {
    let (file, change) = mutant.change();
    EXPLAINED.iter().find(|(room, words, _)| file.ends_with(room) && change.contains(words)).map(|found| found.2)
}
