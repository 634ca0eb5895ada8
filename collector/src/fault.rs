//! Faults on purpose: what a system refuses rarely, refused when asked for. For any build, chosen while it runs.
//!
//! | word | what happens |
//! | --- | --- |
//! | `memory:k` | the k-th request to open memory is refused, and every later one |
//! | `memory-every:n` | every n-th such request is refused |
//! | `pause:k` | the k-th collection panics in its pause: a stand-in for a mistake of ours |
//! | `helper:k` | whoever is the k-th to join its leader in a pause panics there: a helper, or a stopped mutator |
use crate::error::HeapError;
use crate::sync::{AtomicU32, Ordering::Relaxed};

/// Which faults; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Refuse the k-th request to open memory and every later one; 0 for none.
    pub memory: u32,
    /// Refuse every n-th request to open memory; 0 for none.
    pub memory_every: u32,
    /// Panic in the k-th collection's pause; 0 for none.
    pub pause: u32,
    /// Panic in whoever is the k-th to join a leader in a pause; 0 for none.
    pub helper: u32,
}

impl std::str::FromStr for Faults {
    type Err = HeapError;

    /// Words of the table above, with commas between them; nothing at all for no faults.
    fn from_str(text: &str) -> Result<Self, HeapError> {
        let mut faults = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let number = word.split_once(':').and_then(|(name, digits)| Some((name, digits.parse::<u32>().ok()?)));
            match number {
                Some(("memory", k)) => faults.memory = k,
                Some(("memory-every", n)) => faults.memory_every = n,
                Some(("pause", k)) => faults.pause = k,
                Some(("helper", k)) => faults.helper = k,
                _ => {
                    return Err(HeapError::Config {
                        setting: "faults",
                        expected: format!(
                            "memory:k, memory-every:n, pause:k, helper:k, with commas between them; {word:?} is none"
                        ),
                    });
                }
            }
        }
        Ok(faults)
    }
}

/// In the form that is read back.
impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            ("memory", self.memory),
            ("memory-every", self.memory_every),
            ("pause", self.pause),
            ("helper", self.helper),
        ];
        let words: Vec<_> = all.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name}:{n}")).collect();
        f.write_str(&words.join(","))
    }
}

/// Counts occasions, and says which of them fail.
#[derive(Debug, Default)]
pub(crate) struct Trap {
    faults: Faults,
    openings: AtomicU32,
    pauses: AtomicU32,
    helpers: AtomicU32,
}

impl Trap {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }
    /// Whether this request to open memory is to be refused.
    pub(crate) fn refuses_memory(&self) -> bool {
        let Faults { memory, memory_every, .. } = self.faults;
        if memory == 0 && memory_every == 0 {
            return false;
        }
        let count = self.openings.fetch_add(1, Relaxed) + 1;
        (memory > 0 && count >= memory) || (memory_every > 0 && count.is_multiple_of(memory_every))
    }
    /// Panics if this is the pause that is to fail.
    pub(crate) fn spring_in_pause(&self) {
        if self.faults.pause > 0 {
            let count = self.pauses.fetch_add(1, Relaxed) + 1;
            assert!(count != self.faults.pause, "a fault was asked for in pause {count}");
        }
    }
    /// Panics if whoever joins a leader now is the one that is to fail.
    pub(crate) fn spring_in_helper(&self) {
        if self.faults.helper > 0 {
            let count = self.helpers.fetch_add(1, Relaxed) + 1;
            assert!(count != self.faults.helper, "a fault was asked for in helper {count}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kth_request_and_every_later_one_is_refused_or_every_nth() {
        let refused = |text: &str| {
            let trap = Trap::new(text.parse().unwrap());
            std::array::from_fn::<bool, 5, _>(|_| trap.refuses_memory())
        };
        assert_eq!(refused(""), [false; 5]);
        assert_eq!(refused("memory:3"), [false, false, true, true, true]);
        assert_eq!(refused("memory-every:2"), [false, true, false, true, false]);
        let all: Faults = "memory:3,pause:7,helper:2".parse().unwrap();
        assert_eq!(all.to_string(), "memory:3,pause:7,helper:2");
        assert!("memory".parse::<Faults>().unwrap_err().to_string().contains("\"memory\""));
    }
}
