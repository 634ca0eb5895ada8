//! Which edges are not edges but halves of a `WeakMap` entry.
//!
//! A snapshot has no word for ephemerons. The producer writes an entry as two internal edges, one from the table and
//! one from the key, both to the value, and says so in their names:
//!
//! ```text
//! 7 / part of key (Object @41) -> value (Listener @43) pair in WeakMap (table @39)
//! ```
//!
//! The class names in there are the program's own and may hold anything, a line break or a whole `) -> value (` too.
//! So the name is read from its end, every possible key is kept, and the ends of the edge decide.

/// An edge's name that reads as half of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PairName {
    /// Ids that may be the key's, in the order in which they stand; nearly always one.
    pub(super) keys: Vec<u64>,
    pub(super) value: u64,
    pub(super) table: u64,
}

const BEFORE_KEY: &[u8] = b" / part of key (";
const BEFORE_VALUE: &[u8] = b") -> value (";
const BEFORE_TABLE: &[u8] = b") pair in WeakMap (table @";

impl PairName {
    /// Reads a name, as bytes: it may hold half a surrogate pair and so not be a string at all.
    pub(super) fn parse(name: &[u8]) -> Option<PairName> {
        let (head, table) = trailing_id(name.strip_suffix(b")")?)?;
        let (head, value) = trailing_id(head.strip_suffix(BEFORE_TABLE)?)?;
        let head = head.strip_suffix(b"@")?;
        let digits = head.iter().take_while(|b| b.is_ascii_digit()).count();
        let middle = head[digits..].strip_prefix(BEFORE_KEY).filter(|_| digits > 0)?;
        let splits = middle.windows(BEFORE_VALUE.len()).enumerate().filter(|(_, w)| *w == BEFORE_VALUE);
        let keys: Vec<u64> = splits
            .filter_map(|(at, _)| trailing_id(&middle[..at]).filter(|(name, _)| name.ends_with(b"@")).map(|(_, id)| id))
            .collect();
        (!keys.is_empty()).then_some(PairName { keys, value, table })
    }
}

/// Splits the number off the end.
fn trailing_id(text: &[u8]) -> Option<(&[u8], u64)> {
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (head, number) = text.split_at(text.len() - digits);
    Some((head, std::str::from_utf8(number).ok()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Option<(Vec<u64>, u64, u64)> {
        PairName::parse(name.as_bytes()).map(|p| (p.keys, p.value, p.table))
    }

    #[test]
    fn an_entry_gives_its_key_value_and_table() {
        let name = "12 / part of key (Object @41) -> value (system / Hole @63) pair in WeakMap (table @39)";
        assert_eq!(read(name), Some((vec![41], 63, 39)));
    }

    #[test]
    fn a_line_break_in_a_class_name_does_no_harm() {
        let name = "1 / part of key (two\nlines @5) -> value (V @7) pair in WeakMap (table @9)";
        assert_eq!(read(name), Some((vec![5], 7, 9)));
    }

    #[test]
    fn a_class_name_that_reads_like_an_entry_leaves_both_keys_possible() {
        let name = "1 / part of key (x @1) -> value (y @5) -> value (V @7) pair in WeakMap (table @9)";
        assert_eq!(read(name), Some((vec![1, 5], 7, 9)));
    }

    #[test]
    fn other_names_are_no_entries() {
        for name in [
            "",
            ")",
            "elements",
            "1 / part of key (%s @%u) -> value (%s @%u) pair in WeakMap (table @%u)",
            "1 / part of key (a @1) -> value (b @2) pair in WeakMap (table @3) ",
            " / part of key (a @1) -> value (b @2) pair in WeakMap (table @3)",
            "1 / part of key (a @1) pair in WeakMap (table @3)",
            "1 / part of key (a 1) -> value (b @2) pair in WeakMap (table @3)",
            "1 / part of key (a @1) -> value (b 2) pair in WeakMap (table @3)",
            "1 / part of key (a @1) -> value (b @99999999999999999999999) pair in WeakMap (table @3)",
        ] {
            assert_eq!(read(name), None, "{name:?}");
        }
    }
}
