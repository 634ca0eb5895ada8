//! Which edges are cut before anything is built, so that real garbage, with real cycles, must go.
//!
//! The choice is a pure function of a seed and an edge's place in the file, so that anyone can compute it again.

use std::str::FromStr;

/// `SEED:PERMILLE`: of every thousand edges about so many are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    seed: u64,
    permille: u64,
}

impl Cut {
    /// Whether the edge at this place in the file is chosen. Whether it may be cut is the caller's to know: weak edges
    /// and the halves of pairs are not.
    pub fn takes(&self, edge: u32) -> bool {
        splitmix64(self.seed ^ u64::from(edge)) % 1000 < self.permille
    }
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Cut, String> {
        let parts = text.split_once(':').and_then(|(s, p)| Some((s.parse().ok()?, p.parse().ok()?)));
        match parts {
            Some((seed, permille @ 0..=1000)) => Ok(Cut { seed, permille }),
            _ => Err("SEED:PERMILLE is wanted, two whole numbers, the second at most 1000".to_owned()),
        }
    }
}

/// One step of the SplitMix64 generator, used as a hash.
pub(super) fn splitmix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_generator() {
        // The generator's first outputs from state 0: the state advances by the constant that the hash adds.
        let outputs = [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F];
        for (step, output) in (0u64..).zip(outputs) {
            assert_eq!(splitmix64(step.wrapping_mul(0x9E37_79B9_7F4A_7C15)), output);
        }
    }

    #[test]
    fn a_cut_is_a_seed_and_a_share() {
        assert_eq!("7:250".parse(), Ok(Cut { seed: 7, permille: 250 }));
        for wrong in ["", "7", "7:", ":7", "7:1001", "7:-1", "a:1", "1:2:3"] {
            assert!(wrong.parse::<Cut>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn nothing_is_cut_at_0_and_all_at_1000() {
        let [none, all] = ["3:0", "3:1000"].map(|c| c.parse::<Cut>().unwrap());
        assert!((0..1000).all(|edge| !none.takes(edge) && all.takes(edge)));
    }
}
