//! The sizes that every floor agrees on, and byte counts with a unit in their name.

/// Bytes of a machine word; headers, slots and the heap's alignment.
pub const WORD: usize = 8;
/// `log2` of [`REGION_BYTES`].
pub const REGION_SHIFT: u32 = 18;
/// A region: the unit in which memory changes its job.
pub const REGION_BYTES: usize = 1 << REGION_SHIFT;
/// Regions that are opened and given back together: a huge page of 2 MiB.
pub const GROUP: usize = (2 << 20) / REGION_BYTES;
/// An object above this size gets regions of its own and never moves.
pub const LARGE_BYTES: usize = REGION_BYTES / 2;
/// A mutator's allocation buffer. It divides a region, so no buffer straddles two.
pub const LAB_BYTES: usize = 32 << 10;
/// Elements of an array that are traced in one go: the grain at which long arrays are shared and paused.
pub const SLICE: usize = 512;

/// A number of bytes.
///
/// ```
/// use orinoco_collector::units::Bytes;
/// assert_eq!(Bytes::mib(2).get(), 2 << 20);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(usize);

impl Bytes {
    /// `n` bytes.
    pub const fn new(n: usize) -> Self {
        Self(n)
    }
    /// `n` KiB; saturates.
    pub const fn kib(n: usize) -> Self {
        Self(n.saturating_mul(1 << 10))
    }
    /// `n` MiB; saturates.
    pub const fn mib(n: usize) -> Self {
        Self(n.saturating_mul(1 << 20))
    }
    /// `n` GiB; saturates.
    pub const fn gib(n: usize) -> Self {
        Self(n.saturating_mul(1 << 30))
    }
    /// The plain number.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            n if n >= 1 << 30 => write!(f, "{:.2} GiB", n as f64 / (1u64 << 30) as f64),
            n if n >= 1 << 20 => write!(f, "{:.2} MiB", n as f64 / (1u64 << 20) as f64),
            n if n >= 1 << 10 => write!(f, "{:.1} KiB", n as f64 / 1024.0),
            n => write!(f, "{n} B"),
        }
    }
}

/// `n` rounded up to whole words.
pub const fn round_to_word(n: usize) -> usize {
    (n + WORD - 1) & !(WORD - 1)
}
