//! From a file to text: what it is packed with, and how much one value may claim.
//!
//! The packing is told by the first bytes, not by the name. Nothing is read ahead but a buffer, so a file larger than
//! memory is no trouble as long as no single value is: the [`Allowance`] bounds that, whatever the file unpacks to.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::Path,
    rc::Rc,
};

use super::SnapshotError;

const BUFFER: usize = 128 << 10;
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Opens a snapshot's file.
///
/// # Errors
/// When the path names no file, or a directory.
pub fn open(path: &Path) -> Result<File, SnapshotError> {
    let fail = |source| SnapshotError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(fail)?;
    if file.metadata().map_err(fail)?.is_dir() {
        return Err(SnapshotError::Directory { path: path.to_owned() });
    }
    Ok(file)
}

/// The bytes that may still be read for the value in hand. The parser grants, the reader spends.
#[derive(Clone, Default)]
pub(super) struct Allowance(Rc<Cell<u64>>);

impl Allowance {
    /// Grants `bytes` from here on, and what the buffer has read ahead.
    pub(super) fn grant(&self, bytes: u64) {
        self.0.set(bytes + BUFFER as u64);
    }

    /// No bound until the next grant: for values that are skipped without being kept.
    pub(super) fn lift(&self) {
        self.0.set(u64::MAX);
    }
}

struct Bounded<R> {
    inner: R,
    left: Allowance,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        match self.left.0.get().checked_sub(n as u64) {
            Some(left) => self.left.0.set(left),
            None => return Err(io::Error::other("one value is longer than any snapshot's")),
        }
        Ok(n)
    }
}

/// The text behind `packed`, unpacked as it is read.
pub(super) fn unpack<'r>(mut packed: impl Read + 'r, allowance: &Allowance) -> Result<impl Read + 'r, SnapshotError> {
    let mut head = Vec::with_capacity(ZSTD.len());
    packed.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head).map_err(SnapshotError::Read)?;
    if head.is_empty() {
        return Err(SnapshotError::Empty);
    }
    let is_zstd = head == ZSTD;
    let is_gzip = head.starts_with(&GZIP);
    let whole = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(packed));
    let text: Box<dyn Read + 'r> = if is_zstd {
        Box::new(zstd::Decoder::with_buffer(whole).map_err(SnapshotError::Read)?)
    } else if is_gzip {
        Box::new(flate2::bufread::MultiGzDecoder::new(whole))
    } else {
        Box::new(whole)
    };
    Ok(BufReader::with_capacity(BUFFER, Bounded { inner: text, left: allowance.clone() }))
}
