//! What a region is used for, in one byte that every thread may read at any time.
//!
//! ```text
//!    7      6       5           4…3   2…0
//!  ┌──────┬───────┬───────────┬─────┬──────┐
//!  │ from │ large │ candidate │  –  │ job  │
//!  └──────┴───────┴───────────┴─────┴──────┘
//!
//!             take                scavenge: from            survivors of two scavenges
//!    Free ─────────▶ Eden ──────────────────────▶ Free     ┌──────────▶ Old
//!      └───────────▶ Survivor (filled in a pause) ─────────┘           ▲ │ swept empty
//!      ▲                                                    given up │ ▼ chosen
//!      ├──────────────────────────────────────────────────────── Old, candidate
//!      └──── swept empty, or emptied ────────────────────────────────┘
//! ```
//!
//! K1  Kinds change in a pause, or under the pool's lock while nobody has an address in the region.
//! K2  *from* is set only during a scavenge, on the regions that it empties.
//! K3  *candidate* is set in the stop that starts marking, and goes when the region is emptied or given up.

/// One region's job; see the ruler above.
#[derive(Clone, Copy, PartialEq, Eq, bytemuck::NoUninit)]
#[repr(transparent)]
pub struct Kind(u8);

const FROM: u8 = 0x80;
const LARGE: u8 = 0x40;
const CANDIDATE: u8 = 0x20;

impl Kind {
    /// Nobody's.
    pub const FREE: Self = Self(0);
    /// New objects; they have survived nothing.
    pub const EDEN: Self = Self(1);
    /// Objects that survived one scavenge.
    pub const SURVIVOR: Self = Self(2);
    /// Tenured objects.
    pub const OLD: Self = Self(3);
    /// One large young object (without references), or part of it.
    pub const LARGE_YOUNG: Self = Self(LARGE | 1);
    /// One large old object, or part of it.
    pub const LARGE_OLD: Self = Self(LARGE | 3);

    /// Whether a scavenge is emptying it (or deciding about its one large object).
    #[inline(always)]
    pub const fn is_from(self) -> bool {
        self.0 & FROM != 0
    }
    /// Whether it belongs to one large object.
    #[inline(always)]
    pub const fn is_large(self) -> bool {
        self.0 & LARGE != 0
    }
    /// Whether its objects are young.
    #[inline(always)]
    pub const fn is_young(self) -> bool {
        matches!(self.0 & 7, 1 | 2)
    }
    /// Whether its objects are old.
    #[inline(always)]
    pub const fn is_old(self) -> bool {
        self.0 & 7 == 3
    }
    /// Whether its objects have survived a scavenge.
    #[inline(always)]
    pub const fn is_survivor(self) -> bool {
        self.0 & 7 == 2
    }
    /// Whether the region is to be emptied, and references into it are remembered until it is (see `compact`).
    #[inline(always)]
    pub const fn is_candidate(self) -> bool {
        self.0 & CANDIDATE != 0
    }
    /// The same job, with *candidate* set.
    pub const fn as_candidate(self) -> Self {
        Self(self.0 | CANDIDATE)
    }
    /// The same job, with *from* set.
    pub const fn as_from(self) -> Self {
        Self(self.0 | FROM)
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let job = ["free", "eden", "survivor", "old", "?", "?", "?", "?"][(self.0 & 7) as usize];
        let large = if self.is_large() { "large " } else { "" };
        let from = if self.is_from() { " (from)" } else { "" };
        let candidate = if self.is_candidate() { " (candidate)" } else { "" };
        write!(f, "{large}{job}{candidate}{from}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_emptied_changes_nothing_else() {
        for kind in [Kind::EDEN, Kind::SURVIVOR, Kind::OLD, Kind::LARGE_YOUNG, Kind::LARGE_OLD] {
            assert!(!kind.is_from() && kind.as_from().is_from());
            assert_eq!(kind.as_from().is_large(), kind.is_large());
            assert_eq!(kind.as_from().is_young(), kind.is_young());
            assert_eq!(kind.as_from().is_old(), kind.is_old());
            assert!(kind.as_candidate().as_from().is_candidate() && !kind.as_from().is_candidate());
        }
        assert!(!Kind::FREE.is_young() && !Kind::FREE.is_old());
    }
}
