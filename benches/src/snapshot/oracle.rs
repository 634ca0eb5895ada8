//! The figures that stand beside a snapshot: what others found reachable in it.
//!
//! `X.heapsnapshot`, packed or not, has its oracle in `X.oracle.json`.

use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;

/// What is reachable from node 0 with weak edges keeping nothing, and a `WeakMap` pair's value kept by table and key
/// together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Oracle {
    /// Reachable nodes.
    pub nodes: u64,
    /// The sum of their sizes.
    pub bytes: u64,
    /// The digest of the set itself: one bit a node in file order, the lowest bit of a byte first.
    pub bitmap_sha256: Option<String>,
}

/// Why an oracle is not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The file cannot be opened or read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The oracle's file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file does not hold the figures.
    #[error("{}: not an oracle", path.display())]
    Shape {
        /// The oracle's file.
        path: PathBuf,
        /// What is missing.
        source: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct Document {
    reachable: Reachable,
}

#[derive(Deserialize)]
struct Reachable {
    ephemeron: Oracle,
}

impl Oracle {
    /// Where the oracle of `snapshot` would be, if its name is a snapshot's.
    pub fn path_beside(snapshot: &Path) -> Option<PathBuf> {
        let name = snapshot.file_name()?.to_str()?;
        let bare = name.strip_suffix(".zst").or_else(|| name.strip_suffix(".gz")).unwrap_or(name);
        Some(snapshot.with_file_name(format!("{}.oracle.json", bare.strip_suffix(".heapsnapshot")?)))
    }

    /// Reads an oracle's file.
    ///
    /// # Errors
    /// When it cannot be read or does not hold the figures.
    pub fn read(path: &Path) -> Result<Oracle, OracleError> {
        let file = File::open(path).map_err(|source| OracleError::Read { path: path.to_owned(), source })?;
        let document: Document = serde_json::from_reader(BufReader::new(file))
            .map_err(|source| OracleError::Shape { path: path.to_owned(), source })?;
        Ok(document.reachable.ephemeron)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oracle_stands_beside_its_snapshot() {
        for name in ["dir/a.b.heapsnapshot", "dir/a.b.heapsnapshot.gz", "dir/a.b.heapsnapshot.zst"] {
            assert_eq!(Oracle::path_beside(Path::new(name)), Some(PathBuf::from("dir/a.b.oracle.json")));
        }
        assert_eq!(Oracle::path_beside(Path::new("graph.json")), None);
    }
}
