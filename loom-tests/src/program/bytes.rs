//! Where a program's decisions come from: bytes that somebody wrote, or dice that write some.

/// Bytes to decide by; when they are used up every decision is 0.
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Decisions from `bytes`, front to back.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
    /// Whether none are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }
    /// One of `n` things.
    pub fn below(&mut self, n: usize) -> usize {
        if n <= 256 {
            return usize::from(self.byte()) % n.max(1);
        }
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % n
    }
}

/// A sequence of numbers that a seed determines (Marsaglia's xorshift), to write programs with.
pub struct Dice(u64);

impl Dice {
    /// Dice for a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    /// A program of some hundred to some thousand operations.
    pub fn program(&mut self) -> Vec<u8> {
        let length = 400 + (self.roll() >> 20) as usize % 6000;
        (0..length).map(|_| (self.roll() >> 24) as u8).collect()
    }
    /// Another program much like this one: a part is changed, doubled, left out, or taken from the other.
    pub fn mutate(&mut self, program: &[u8], other: &[u8]) -> Vec<u8> {
        let mut new = program.to_vec();
        for _ in 0..1 + self.roll() % 4 {
            let at = self.roll() as usize % (new.len() + 1);
            let part = at..(at + self.roll() as usize % 40).min(new.len());
            match self.roll() % 4 {
                0 => new[part].iter_mut().for_each(|byte| *byte = (self.roll() >> 24) as u8),
                1 => drop(new.splice(at..at, program.iter().copied().skip(at).take(40))),
                2 => drop(new.drain(part)),
                _ => drop(new.splice(part, other.iter().copied().skip(at).take(40))),
            }
        }
        new
    }
}
