//! When to spare an object its second copy.
//!
//! An object that has survived one scavenge is copied once more before it is old, in the hope that it dies meanwhile. When
//! nearly everything that was given this chance has survived it, the chance is left out for a while: what survives goes
//! straight to the old generation, and then a scavenge with survivors measures again. (An adaptive form of Ungar and
//! Jackson's feedback-mediated tenuring, 1988, with two ages.)

/// Whether survivors go on to survive.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tenure {
    /// Bytes that the last scavenge left among the survivors.
    survivors: usize,
    /// Scavenges since survivors were last given their chance.
    without: u32,
    /// Whether they made nothing of it.
    hopeless: bool,
}

impl Tenure {
    /// Of a thousand bytes of survivors, how many must survive again to make the chance not worth its copy.
    const HOPELESS: usize = 850;
    /// Below this, survivors are too few to be a measure.
    const MEASURABLE: usize = 64 << 10;
    /// Scavenges without the chance before it is given again.
    const PATIENCE: u32 = 7;

    /// Whether the next scavenge promotes everything that survives.
    pub(crate) const fn at_once(self) -> bool {
        self.hopeless && self.without < Self::PATIENCE
    }
    /// Learns from a scavenge that was done as [`at_once`](Self::at_once) said.
    pub(crate) fn learn(&mut self, copied: usize, promoted: usize) {
        if self.at_once() {
            self.without += 1;
            self.survivors = 0;
            return;
        }
        if self.survivors >= Self::MEASURABLE {
            self.hopeless = promoted as u128 * 1000 >= self.survivors as u128 * Self::HOPELESS as u128;
            self.without = 0;
        }
        self.survivors = copied;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn survivors_that_all_survive_again_lose_their_chance_for_a_while() {
        let mut tenure = Tenure::default();
        let mib = Bytes::mib(1).get();
        tenure.learn(mib, 0);
        assert!(!tenure.at_once(), "nothing is known yet");
        tenure.learn(mib, mib);
        let spared = std::iter::from_fn(|| tenure.at_once().then(|| tenure.learn(0, mib))).count();
        assert_eq!(spared, 7);
        // The chance is given again; what comes of it is seen a scavenge later.
        tenure.learn(mib, 0);
        assert!(!tenure.at_once());
        tenure.learn(mib, mib / 2);
        assert!(!tenure.at_once(), "half of them died");
    }

    #[test]
    fn few_survivors_prove_nothing() {
        let mut tenure = Tenure::default();
        tenure.learn(1000, 0);
        tenure.learn(1000, 1000);
        assert!(!tenure.at_once());
    }
}
