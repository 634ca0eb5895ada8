//! One thread's part of a run: what it is asked to do, and what it has measured.

use super::gaps::{Gaps, now};
use super::random::Random;

/// Handed to the workload's function, on the thread that runs it.
pub struct Part {
    /// Which thread this is, from 0.
    pub index: u32,
    /// How many there are.
    pub threads: u32,
    /// How much work the whole run is; each workload says in what unit.
    pub size: f64,
    /// This thread's numbers.
    pub random: Random,
    /// Gaps between iterations of the main phase.
    pub gaps: Gaps,
    /// Gaps between iterations while the live data are built.
    pub build_gaps: Gaps,
    /// How long building took, in nanoseconds.
    pub build_ns: u64,
    /// Iterations of the main phase.
    pub operations: u64,
    /// What the data came to; added up over all threads.
    pub checksum: u64,
    /// Time on a core, in nanoseconds.
    pub ran_ns: u64,
    /// Time runnable without a core, in nanoseconds.
    pub waited_ns: u64,
}

impl Part {
    /// The part of thread number `index`, made by that thread.
    pub fn new(index: u32, threads: u32, size: f64) -> Self {
        Self {
            index,
            threads,
            size,
            random: Random::of_thread(index),
            gaps: Gaps::new(),
            build_gaps: Gaps::new(),
            build_ns: 0,
            operations: 0,
            checksum: 0,
            ran_ns: 0,
            waited_ns: 0,
        }
    }

    /// Runs `build` and keeps the time it took.
    pub fn building<O>(&mut self, build: impl FnOnce(&mut Self) -> O) -> O {
        let begun = now();
        let built = build(self);
        self.build_ns = now() - begun;
        built
    }

    /// This thread's share of `whole`, as every runtime rounds it: down.
    pub fn share(&self, whole: f64) -> u64 {
        (whole / f64::from(self.threads)) as u64
    }
}
