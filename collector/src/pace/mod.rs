//! When to collect, and how much to do at once: arithmetic without clocks or heaps, one question a file.
pub(crate) mod dice;
pub(crate) mod duty;
pub(crate) mod effort;
pub(crate) mod growth;
pub(crate) mod marking;
pub(crate) mod nursery;
pub(crate) mod reducer;
pub(crate) mod tenure;
