//! The one source of chance: a linear congruential generator of 32 bits, the same in every runtime.
//!
//! It is poor chance, and that does not matter: what matters is that each runtime draws the same numbers, so
//! that the checksums of two runtimes can be compared.

/// The state of one thread's generator.
pub struct Random(u32);

impl Random {
    /// The generator of thread number `thread`.
    pub fn of_thread(thread: u32) -> Self {
        Self(1_000_003u32.wrapping_mul(thread).wrapping_add(12_345))
    }

    /// The next number, all 32 bits of it.
    #[inline]
    pub fn step(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }

    /// The next number below `bound`; its upper 24 bits decide.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        (self.step() >> 8) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_sequence_is_the_one_that_the_checksums_rest_on() {
        let mut random = Random::of_thread(0);
        assert_eq!([random.step(), random.step()], [87_628_868, 71_072_467]);
        let mut random = Random::of_thread(3);
        let first = random.step();
        assert_eq!(first, 3_012_354u32.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        assert_eq!(Random::of_thread(3).below(1000), (first >> 8) % 1000);
    }
}
