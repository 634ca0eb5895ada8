//! What can be wrong with a snapshot, in words that fit one line.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a snapshot is not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file cannot be opened.
    #[error("{}: cannot be opened", path.display())]
    Open {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The path names a directory.
    #[error("{}: is a directory, not a snapshot", path.display())]
    Directory {
        /// The path asked for.
        path: PathBuf,
    },
    /// There is not one byte to read.
    #[error("the file is empty")]
    Empty,
    /// Reading or decompressing fails half-way.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// The text, or what is packed in it, ends too early.
    #[error("the file is truncated: {0}")]
    Truncated(String),
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// The text is JSON, but of another shape: a string where a number belongs, a field that is missing.
    #[error("not a heap snapshot: {0}")]
    Shape(String),
    /// The shape is right and the figures contradict each other.
    #[error("malformed snapshot: {flaw}{}", place(*line, *column))]
    Flaw {
        /// What contradicts what.
        flaw: Flaw,
        /// The line where it shows, or 0 when only the whole file shows it.
        line: usize,
        /// The column where it shows.
        column: usize,
    },
}

fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(" (line {line}, column {column})") }
}

/// A contradiction inside a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Flaw {
    /// A section stands twice.
    #[error("the section \"{0}\" stands twice")]
    Twice(&'static str),
    /// A section is missing.
    #[error("the section \"{0}\" is missing")]
    Missing(&'static str),
    /// A section stands before the one that explains it.
    #[error("the section \"{section}\" stands before \"{needs}\", which explains it")]
    Order {
        /// The section that came.
        section: &'static str,
        /// The one that had to come first.
        needs: &'static str,
    },
    /// The description of nodes or edges lacks a field that the graph cannot do without.
    #[error("\"{list}\" does not name \"{field}\"")]
    NoField {
        /// The list in the description.
        list: &'static str,
        /// The field that is not in it.
        field: &'static str,
    },
    /// The description names more fields than any snapshot has.
    #[error("\"{list}\" names {count} fields, at most {most} are read")]
    TooManyFields {
        /// The list in the description.
        list: &'static str,
        /// How many it names.
        count: usize,
        /// How many are read.
        most: usize,
    },
    /// The description does not say what the types are called.
    #[error("\"{0}\" does not list the names of the types")]
    NoTypes(&'static str),
    /// A count beyond what is ever read.
    #[error("{count} {what} are promised, at most {most} are read")]
    Absurd {
        /// Nodes or edges.
        what: &'static str,
        /// The promise.
        count: u64,
        /// The bound.
        most: u64,
    },
    /// The array is shorter than the header says.
    #[error("{promised} {what} are promised, {found} are there")]
    TooFew {
        /// Nodes or edges.
        what: &'static str,
        /// The header's figure.
        promised: u64,
        /// The array's.
        found: u64,
    },
    /// The array is longer than the header says.
    #[error("more {what} are there than the {promised} promised")]
    TooMany {
        /// Nodes or edges.
        what: &'static str,
        /// The header's figure.
        promised: u64,
    },
    /// The array ends in the middle of a row.
    #[error("the {what} end inside number {index}")]
    Ragged {
        /// Nodes or edges.
        what: &'static str,
        /// The row that is not whole.
        index: u64,
    },
    /// The nodes' edge counts and the header's disagree.
    #[error("the nodes have {found} edges together, {promised} are promised")]
    EdgeSum {
        /// The header's figure.
        promised: u64,
        /// The sum, as far as it was taken.
        found: u64,
    },
    /// A type that the description does not list.
    #[error("{what} {index} is of type {kind}, of {count} known")]
    UnknownType {
        /// Node or edge.
        what: &'static str,
        /// Which one.
        index: u64,
        /// Its type.
        kind: u64,
        /// How many the description lists.
        count: usize,
    },
    /// An edge leads nowhere.
    #[error("edge {edge} leads to offset {to}, the nodes end at {end}")]
    EdgeOutOfRange {
        /// The edge, counted from 0.
        edge: u64,
        /// Its target as in the file.
        to: u64,
        /// The length of the nodes' array.
        end: u64,
    },
    /// An edge leads into the middle of a node.
    #[error("edge {edge} leads to offset {to}, inside a node of {width} fields")]
    EdgeInsideNode {
        /// The edge, counted from 0.
        edge: u64,
        /// Its target as in the file.
        to: u64,
        /// Fields a node has.
        width: usize,
    },
    /// A name that is not among the strings.
    #[error("{what} {index} is named by string {string}, there are {count}")]
    StringOutOfRange {
        /// Node or edge.
        what: &'static str,
        /// Which one.
        index: u64,
        /// Its name's index.
        string: u64,
        /// How many strings there are.
        count: u64,
    },
    /// Sizes whose sum does not fit a machine word.
    #[error("the sizes of the nodes add up to more than 2^64 bytes")]
    SizeSum,
    /// There is no root.
    #[error("there is not one node")]
    NoRoot,
}
