//! Why a mutant may live.

use super::listed::Mutant;

/// A file, words that the mutant's name has, and the reason.
const EXPLAINED: &[(&str, &str, &str)] = &[];

/// Why this one may.
pub fn reason(mutant: &Mutant) -> Option<&'static str> {
    let (file, change) = mutant.change();
    EXPLAINED.iter().find(|(room, words, _)| file.ends_with(room) && change.contains(words)).map(|found| found.2)
}
