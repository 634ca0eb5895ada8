//! The snapshot's description of itself: which column of a row means what.
//!
//! Producers add columns from version to version, so none is taken by position.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use super::Flaw;

/// More columns than any producer has written; a row is read into an array of this length.
pub(super) const MOST_FIELDS: usize = 32;

/// The section `snapshot`, as far as it is needed.
#[derive(Deserialize)]
pub(super) struct Header {
    meta: Meta,
    pub(super) node_count: u64,
    pub(super) edge_count: u64,
}

#[derive(Deserialize)]
struct Meta {
    node_fields: Vec<String>,
    node_types: Vec<TypeNames>,
    edge_fields: Vec<String>,
    edge_types: Vec<TypeNames>,
}

/// What a column may hold: one of some named kinds, or simply "number", "string", "node".
enum TypeNames {
    Kinds(Vec<String>),
    Plain,
}

impl<'de> Deserialize<'de> for TypeNames {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = TypeNames;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a type or a list of names")
            }
            fn visit_str<E>(self, _: &str) -> Result<TypeNames, E> {
                Ok(TypeNames::Plain)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TypeNames, A::Error> {
                let mut kinds = Vec::new();
                while let Some(kind) = seq.next_element()? {
                    kinds.push(kind);
                }
                Ok(TypeNames::Kinds(kinds))
            }
        }
        from.deserialize_any(Names)
    }
}

/// What the type of an edge says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EdgeKind {
    /// Keeps nothing.
    Weak,
    /// Its name is a number.
    Indexed,
    /// Its name is a string.
    Named,
}

/// Where to look in a row.
pub(super) struct Schema {
    pub(super) node_width: usize,
    pub(super) node_type: usize,
    pub(super) node_name: usize,
    pub(super) node_id: usize,
    pub(super) node_size: usize,
    pub(super) node_edges: usize,
    pub(super) node_kinds: usize,
    pub(super) edge_width: usize,
    pub(super) edge_type: usize,
    pub(super) edge_name: usize,
    pub(super) edge_to: usize,
    pub(super) edge_kinds: Vec<EdgeKind>,
}

impl Schema {
    pub(super) fn new(header: &Header) -> Result<Schema, Flaw> {
        let Meta { node_fields, node_types, edge_fields, edge_types } = &header.meta;
        let node = |field| column("node_fields", node_fields, field);
        let edge = |field| column("edge_fields", edge_fields, field);
        let (node_type, edge_type) = (node("type")?, edge("type")?);
        let Some(TypeNames::Kinds(node_kinds)) = node_types.get(node_type) else {
            return Err(Flaw::NoTypes("node_types"));
        };
        let Some(TypeNames::Kinds(edge_kinds)) = edge_types.get(edge_type) else {
            return Err(Flaw::NoTypes("edge_types"));
        };
        let edge_kind = |name: &String| match name.as_str() {
            "weak" => EdgeKind::Weak,
            "element" | "hidden" => EdgeKind::Indexed,
            _ => EdgeKind::Named,
        };
        Ok(Schema {
            node_width: node_fields.len(),
            node_type,
            node_name: node("name")?,
            node_id: node("id")?,
            node_size: node("self_size")?,
            node_edges: node("edge_count")?,
            node_kinds: node_kinds.len(),
            edge_width: edge_fields.len(),
            edge_type,
            edge_name: edge("name_or_index")?,
            edge_to: edge("to_node")?,
            edge_kinds: edge_kinds.iter().map(edge_kind).collect(),
        })
    }
}

fn column(list: &'static str, fields: &[String], field: &'static str) -> Result<usize, Flaw> {
    if fields.len() > MOST_FIELDS {
        return Err(Flaw::TooManyFields { list, count: fields.len(), most: MOST_FIELDS });
    }
    fields.iter().position(|f| f == field).ok_or(Flaw::NoField { list, field })
}
