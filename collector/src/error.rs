//! What can go wrong, in sentences that an embedder can act on.
use crate::units::Bytes;

/// An allocation was refused. The heap is whole; nothing was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// A word, so that a `Result` of a reference or this error travels in two registers.
#[repr(usize)]
#[non_exhaustive]
pub enum AllocError {
    /// The heap's limit is reached. A collection may free memory: reach a safepoint and try again.
    LimitReached,
    /// The heap is as good as full: the last whole collections freed almost nothing. One more helps only if the program
    /// has let go of something.
    HeapFull,
    /// This mutator has used up its quota; others go on. A new one is set by `Mutator::set_quota`.
    QuotaReached,
    /// The operating system refused memory below the limit.
    OutOfMemory,
    /// No object can be that large.
    TooLarge,
}

impl AllocError {
    /// Whether a whole collection may make the same allocation possible, or the size itself is out of reach.
    pub const fn collection_may_help(self) -> bool {
        !matches!(self, Self::TooLarge | Self::QuotaReached)
    }
}

impl std::fmt::Display for AllocError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::LimitReached => {
                "the heap's limit is reached; collect at a safepoint and try again, or raise the limit"
            }
            Self::HeapFull => {
                "live data fill the heap's limit, and collections free almost nothing; let go of some, or raise the limit"
            }
            Self::QuotaReached => "the mutator's quota is used up; end what it runs, or set another",
            Self::OutOfMemory => "the operating system refused memory below the heap's limit",
            Self::TooLarge => "an object of this size exceeds what the heap can ever hold",
        })
    }
}
impl std::error::Error for AllocError {}

/// A heap could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeapError {
    /// A setting is out of its range.
    Config {
        /// The setting's name.
        setting: &'static str,
        /// What it may be.
        expected: String,
    },
    /// Address space for the heap could not be reserved.
    Reservation {
        /// How much was asked for.
        wanted: Bytes,
        /// The operating system's error number.
        os_error: i32,
    },
    /// The helper threads could not be started.
    Helpers {
        /// How many were asked for.
        wanted: usize,
        /// What the operating system said.
        reason: String,
    },
}

impl std::fmt::Display for HeapError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config { setting, expected } => write!(f, "the setting `{setting}` must be {expected}"),
            Self::Reservation { wanted, os_error } => {
                let reason = std::io::Error::from_raw_os_error(*os_error);
                write!(f, "cannot reserve {wanted} of address space: {reason}; lower the heap's limit")
            }
            Self::Helpers { wanted, reason } => {
                write!(f, "cannot start {wanted} helper threads: {reason}; ask for fewer, or none")
            }
        }
    }
}
impl std::error::Error for HeapError {}
