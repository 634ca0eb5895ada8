//! A program for a heap, read from bytes: operations on several mutators in an order that the bytes say, held against a
//! plain graph that never frees.
//!
//! ```text
//!   bytes ──▶ a configuration, then operations ──▶ done to a heap, and to a graph ──▶ compared after each collection
//! ```
//!
//! Any bytes are a program, so a fuzzer may write them; a program that finds something is its own reproduction. Collections
//! of each kind, allocations that a limit refuses, mutators that come and go, roots of every kind, and all that refers
//! weakly are operations like others. The verifier walks the heap around each collection as well.

mod bytes;
mod configuration;
mod graph;
mod heap;
mod operations;

pub use bytes::{Bytes, Dice};
pub use configuration::configure;
use heap::World;

/// What a program did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Operations.
    pub operations: u64,
    /// Collections of any kind.
    pub collections: u64,
    /// Allocations that the heap's limit refused.
    pub refused: u64,
    /// Objects that were compared.
    pub compared: u64,
}

impl std::ops::AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.collections += other.collections;
        self.refused += other.refused;
        self.compared += other.compared;
    }
}

/// The most operations of a program: those that a longer one has beyond are left out.
const OPERATIONS: u64 = 4000;

/// Runs a program.
///
/// # Panics
/// When the heap and the graph differ, or the verifier finds a rule broken; that may end the process.
pub fn run(program: &[u8]) -> Done {
    let mut bytes = Bytes::new(program);
    let mut world = World::new(&mut bytes);
    while !bytes.is_empty() && world.done.operations < OPERATIONS {
        operations::one(&mut world, &mut bytes);
    }
    world.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_are_a_program_too() {
        assert_eq!(run(&[]).operations, 0);
    }

    #[test]
    fn programs_at_random_agree_with_the_graph() {
        let mut dice = Dice::new(0x5EED);
        let mut done = Done::default();
        (0..20).for_each(|_| done += run(&dice.program()));
        assert!(done.collections > 20 && done.compared > 1000, "{done:?}");
    }
}
