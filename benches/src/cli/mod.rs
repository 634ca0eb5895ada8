//! The commands, one file each: their arguments, and what they print.

use std::io::{self, ErrorKind, Write};

pub mod bench;
pub mod compare;
pub mod replay;
pub mod stress;
pub mod weak;

/// Prints a command's outcome. A reader that has gone away has had enough; that is no failure.
///
/// # Errors
/// When standard output cannot be written for any other reason.
pub fn print(outcome: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{outcome}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
