//! Chance for scenarios: the same seed, the same rolls (Steele, Lea and Flood 2014, SplitMix).

/// A source of numbers.
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// The numbers of part `index` of a run whose seed is `seed`: parts that share a seed roll differently.
    pub const fn of_part(seed: u64, index: usize) -> Self {
        let mut dice = Self(seed ^ (index as u64 + 1).wrapping_mul(0xA076_1D64_78BD_642F));
        let start = dice.next();
        Self(start)
    }
    /// All 64 bits of the next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
    /// A number below `sides`, which is not 0.
    pub const fn below(&mut self, sides: usize) -> usize {
        (self.next() % sides as u64) as usize
    }
    /// True once in `sides` times.
    pub const fn once_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn parts_of_one_seed_roll_differently_and_each_the_same_again() {
        let rolls = |index| {
            let mut dice = Dice::of_part(7, index);
            std::array::from_fn::<u64, 8, _>(|_| dice.next())
        };
        assert_eq!(rolls(0), rolls(0));
        assert_ne!(rolls(0), rolls(1));
    }
}
