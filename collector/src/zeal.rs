//! Zeal: what a heap does far too often, or in the way that mistakes do not expect. For any build, chosen while it runs.
//!
//! ```text
//!   ORINOCO_ZEAL=young:3,marking,forbid          a young collection at every third safepoint, marking without end,
//!                                                emptied regions inaccessible
//! ```
//!
//! | word | what it does |
//! | --- | --- |
//! | `young`, `full`, `everything`, `alternating`, each perhaps with `:n` | collects so at every n-th safepoint |
//! | `alloc:n` | wishes for a collection at every n-th refill of a buffer; with `labs`, at every n-th allocation |
//! | `marking` | marking begins again as soon as the last cycle is swept |
//! | `step` | no helper marks, and a step marks one object |
//! | `compact` | every old region that can be is emptied in every marking cycle |
//! | `promote` | what survives is old at once |
//! | `retain` | a young collection copies little: the rest of what survives stays where it is, and its regions become old |
//! | `labs` | an allocation buffer holds one object |
//! | `nursery` | the nursery is one region |
//! | `delays`, perhaps with `:n` | threads sleep a little, once in n times, at points where others may come between |
//! | `poison` | freed memory is filled with what is no address, no header and no small number |
//! | `forbid` | emptied regions are inaccessible until they are used again: a stale reference is a fault where it is used |
//! | `1`, `on` | `everything,poison` |
//! | `all` | `alternating:3,alloc:64,marking,compact,labs,nursery,delays,poison,forbid` |
//!
//! No word makes regions small: their size is a constant, so that an address leads to its region by a shift. What small ones
//! would show, ends of regions met all the time, `nursery` (a row that ends after one) and `labs` show.
use crate::error::HeapError;

/// The environment variable that [`Zeal::from_env`] reads.
pub const ZEAL_VARIABLE: &str = "ORINOCO_ZEAL";

/// Collecting far more often than needed, to find bugs. See [`zeal`](crate::zeal) for the words that make one from text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zeal {
    /// Collect at every n-th safepoint; 0 for none.
    pub every: u32,
    /// How.
    pub kind: ZealKind,
    /// Wish for a collection at every n-th refill of an allocation buffer; 0 for none.
    pub allocations: u32,
    /// Begin marking whenever the last cycle has been swept.
    pub marking: bool,
    /// Mark one object in a step, and nothing beside the program.
    pub step: bool,
    /// Empty every old region in every marking cycle.
    pub compact: bool,
    /// Promote whatever survives.
    pub promote: bool,
    /// Copy little in a young collection, and leave the rest where it is.
    pub retain: bool,
    /// Hand out buffers that hold one object.
    pub labs: bool,
    /// Make the nursery one region.
    pub nursery: bool,
    /// Sleep once in so many times at points where others may come between; 0 for never.
    pub delays: u32,
    /// Fill freed memory.
    pub poison: bool,
    /// Make emptied regions inaccessible.
    pub forbid: bool,
}

/// What a zealous collection collects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZealKind {
    /// What is young.
    #[default]
    Young,
    /// Both generations, in one stop.
    Full,
    /// Both generations, and every object moves.
    Everything,
    /// One of them after the other.
    Alternating,
}

impl Zeal {
    /// No zeal: collect when it pays.
    pub const OFF: Self = Self {
        every: 0,
        kind: ZealKind::Young,
        allocations: 0,
        marking: false,
        step: false,
        compact: false,
        promote: false,
        retain: false,
        labs: false,
        nursery: false,
        delays: 0,
        poison: false,
        forbid: false,
    };
    /// A young collection at every safepoint; freed memory is filled.
    pub const YOUNG: Self = Self { every: 1, poison: true, ..Self::OFF };
    /// Every object moves at every safepoint; freed memory is filled.
    pub const EVERYTHING: Self = Self { kind: ZealKind::Everything, ..Self::YOUNG };

    /// What the environment variable [`ZEAL_VARIABLE`] asks for; [`OFF`](Self::OFF) when it is not set.
    ///
    /// # Errors
    /// As of [`from_str`](str::parse).
    pub fn from_env() -> Result<Self, HeapError> {
        std::env::var(ZEAL_VARIABLE).map_or(Ok(Self::OFF), |text| text.parse())
    }
    /// Whether there is any.
    pub fn is_on(&self) -> bool {
        *self != Self::OFF
    }
    /// Adds what one word asks for; false if there is no such word.
    fn add(&mut self, word: &str) -> bool {
        let (name, number) = match word.split_once(':') {
            None => (word, None),
            Some((name, digits)) => match digits.parse().ok().filter(|n| *n > 0) {
                Some(number) => (name, Some(number)),
                None => return false,
            },
        };
        let kind = |kind| (kind, number.unwrap_or(1));
        let collects = match name {
            "young" => Some(kind(ZealKind::Young)),
            "full" => Some(kind(ZealKind::Full)),
            "everything" => Some(kind(ZealKind::Everything)),
            "alternating" => Some(kind(ZealKind::Alternating)),
            _ => None,
        };
        if let Some((kind, every)) = collects {
            (self.kind, self.every) = (kind, every);
            return true;
        }
        match (name, number) {
            ("alloc", number) => self.allocations = number.unwrap_or(1),
            ("delays", number) => self.delays = number.unwrap_or(20),
            (_, Some(_)) => return false,
            ("marking", _) => self.marking = true,
            ("step", _) => self.step = true,
            ("compact", _) => self.compact = true,
            ("promote", _) => self.promote = true,
            ("retain", _) => self.retain = true,
            ("labs", _) => self.labs = true,
            ("nursery", _) => self.nursery = true,
            ("poison", _) => self.poison = true,
            ("forbid", _) => self.forbid = true,
            _ => return false,
        }
        true
    }
}

impl std::str::FromStr for Zeal {
    type Err = HeapError;

    /// Words of the table above, with commas between them; `0`, `off` and nothing at all are [`OFF`](Self::OFF).
    fn from_str(text: &str) -> Result<Self, HeapError> {
        let words = match text.trim() {
            "" | "0" | "off" => return Ok(Self::OFF),
            "1" | "on" => "everything,poison",
            "all" => "alternating:3,alloc:64,marking,compact,labs,nursery,delays,poison,forbid",
            words => words,
        };
        let mut zeal = Self::OFF;
        match words.split(',').map(str::trim).find(|word| !zeal.add(word)) {
            None => Ok(zeal),
            Some(word) => Err(HeapError::Config {
                setting: "zeal",
                expected: format!(
                    "words like young, full:3, everything, alternating, alloc:64, marking, step, compact, promote, retain, \
                     labs, nursery, delays, poison, forbid, with commas between them; {word:?} is none"
                ),
            }),
        }
    }
}

/// In the form that is read back.
impl std::fmt::Display for Zeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            ZealKind::Young => "young",
            ZealKind::Full => "full",
            ZealKind::Everything => "everything",
            ZealKind::Alternating => "alternating",
        };
        let numbers = [(kind, self.every), ("alloc", self.allocations), ("delays", self.delays)];
        let flags = [
            ("marking", self.marking),
            ("step", self.step),
            ("compact", self.compact),
            ("promote", self.promote),
            ("retain", self.retain),
            ("labs", self.labs),
            ("nursery", self.nursery),
            ("poison", self.poison),
            ("forbid", self.forbid),
        ];
        let numbers = numbers.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name}:{n}"));
        let flags = flags.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned());
        let words: Vec<String> = numbers.chain(flags).collect();
        f.write_str(if words.is_empty() { "off" } else { "" })?;
        f.write_str(&words.join(","))
    }
}

/// Sleeps a little once in `zeal.delays` times: called where another thread may come between two steps of this one.
#[inline]
pub(crate) fn delay(zeal: &Zeal) {
    if zeal.delays > 0 {
        delay_slow(zeal.delays);
    }
}

#[cold]
fn delay_slow(once_in: u32) {
    use std::cell::Cell;
    use std::time::Duration;
    thread_local! { static ROLLS: Cell<u64> = const { Cell::new(0) }; }
    let before = ROLLS.get();
    // Each thread rolls differently: the address of its own cell begins the sequence.
    let seed = if before == 0 { ROLLS.with(|cell| std::ptr::from_ref(cell).addr() as u64 | 1) } else { before };
    let next = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
    ROLLS.set(next | 1);
    let roll = (next >> 33) as u32;
    if roll.is_multiple_of(once_in) {
        match roll / once_in % 4 {
            0..3 => std::thread::yield_now(),
            _ => std::thread::sleep(Duration::from_micros(u64::from(roll >> 8 & 127))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeal_is_read_back_as_it_was_written() {
        for text in [
            "off",
            "young:1",
            "everything:1,poison",
            "alternating:3,alloc:64,delays:20,marking,labs,nursery,poison,forbid",
            "full:7,step,compact,promote,retain",
            "marking",
        ] {
            assert_eq!(text.parse::<Zeal>().unwrap().to_string(), text);
        }
        assert_eq!("1".parse(), Ok(Zeal::EVERYTHING));
        assert_eq!("0".parse(), Ok(Zeal::OFF));
        assert_eq!(" young , poison ".parse(), Ok(Zeal::YOUNG));
    }

    #[test]
    fn a_word_that_means_nothing_is_named() {
        for (text, word) in [("young,fulll", "fulll"), ("young:0", "young:0"), ("poison:3", "poison:3"), ("a,,b", "a")]
        {
            let error = text.parse::<Zeal>().unwrap_err().to_string();
            assert!(error.contains(&format!("{word:?}")), "{text}: {error}");
        }
    }
}
