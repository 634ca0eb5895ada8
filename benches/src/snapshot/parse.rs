//! Walks the JSON and hands its rows to the draft. One row, or one string, is in memory at a time.

use std::{fmt, io::Read};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    Flaw, Snapshot, SnapshotError,
    draft::Draft,
    schema::{Header, MOST_FIELDS},
    source::Allowance,
};

/// What one value may be long: far more than any producer writes, far less than would hurt.
const HEADER: u64 = 1 << 20;
const ROW: u64 = 1 << 16;
const STRING: u64 = 64 << 20;

pub(super) fn parse(text: impl Read, allowance: &Allowance) -> Result<Snapshot, SnapshotError> {
    let mut walk = Walk { draft: Draft::default(), allowance, flaw: None };
    let mut json = serde_json::Deserializer::from_reader(text);
    let walked = Document(&mut walk).deserialize(&mut json).and_then(|()| {
        allowance.grant(HEADER);
        json.end()
    });
    match (walked, walk.flaw) {
        (Ok(()), _) => walk.draft.finish().map_err(|flaw| SnapshotError::Flaw { flaw, line: 0, column: 0 }),
        (Err(e), Some(flaw)) => Err(SnapshotError::Flaw { flaw, line: e.line(), column: e.column() }),
        (Err(e), None) => Err(classify(e)),
    }
}

fn classify(error: serde_json::Error) -> SnapshotError {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof => SnapshotError::Truncated(error.to_string()),
        Category::Syntax => SnapshotError::NotJson(error.to_string()),
        Category::Data => SnapshotError::Shape(error.to_string()),
        Category::Io => {
            let error = std::io::Error::from(error);
            if error.kind() == std::io::ErrorKind::UnexpectedEof {
                SnapshotError::Truncated(error.to_string())
            } else {
                SnapshotError::Read(error)
            }
        }
    }
}

struct Walk<'a> {
    draft: Draft,
    allowance: &'a Allowance,
    /// The first contradiction. It stops the walk through an error of the JSON reader's, which can only carry text.
    flaw: Option<Flaw>,
}

impl Walk<'_> {
    fn check<T, E: Error>(&mut self, outcome: Result<T, Flaw>) -> Result<T, E> {
        outcome.map_err(|flaw| {
            self.flaw = Some(flaw);
            E::custom("")
        })
    }
}

/// The outermost object.
struct Document<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.0.allowance.grant(HEADER);
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object that a snapshot is")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let walk = self.0;
        while let Some(section) = map.next_key::<String>()? {
            match section.as_str() {
                "snapshot" => {
                    let header: Header = map.next_value()?;
                    let done = walk.draft.header(&header);
                    walk.check(done)?;
                }
                "nodes" => map.next_value_seed(Rows { walk, of: Of::Nodes })?,
                "edges" => map.next_value_seed(Rows { walk, of: Of::Edges })?,
                "strings" => map.next_value_seed(Strings(walk))?,
                _ => {
                    walk.allowance.lift();
                    map.next_value::<IgnoredAny>()?;
                }
            }
            walk.allowance.grant(HEADER);
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Of {
    Nodes,
    Edges,
}

/// One of the two long arrays of numbers.
struct Rows<'w, 'a> {
    walk: &'w mut Walk<'a>,
    of: Of,
}

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Rows { walk, of } = self;
        let begun = match of {
            Of::Nodes => walk.draft.begin_nodes(),
            Of::Edges => walk.draft.begin_edges(),
        };
        let width = walk.check(begun)?;
        let mut row = [0; MOST_FIELDS];
        loop {
            walk.allowance.grant(ROW);
            let mut filled = 0;
            while filled < width {
                match seq.next_element()? {
                    Some(number) => row[filled] = number,
                    None => break,
                }
                filled += 1;
            }
            let done = match of {
                _ if filled == 0 => break,
                Of::Nodes => walk.draft.node(&row[..filled]),
                Of::Edges => walk.draft.edge(&row[..filled]),
            };
            walk.check(done)?;
        }
        let ended = match of {
            Of::Nodes => walk.draft.end_nodes(),
            Of::Edges => walk.draft.end_edges(),
        };
        walk.check(ended)
    }
}

/// The array of strings.
struct Strings<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Strings<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let begun = self.0.draft.begin_strings();
        self.0.check(begun)?;
        loop {
            self.0.allowance.grant(STRING);
            if seq.next_element_seed(OneString(&mut self.0.draft))?.is_none() {
                return Ok(());
            }
        }
    }
}

/// One string, taken as bytes: producers cut characters in two, and half a surrogate pair is not text.
struct OneString<'d>(&'d mut Draft);

impl<'de> DeserializeSeed<'de> for OneString<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for OneString<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<(), E> {
        self.0.string(bytes);
        Ok(())
    }
}
