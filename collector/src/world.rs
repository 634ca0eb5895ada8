#![expect(unsafe_code, reason = "the proof that the world is stopped can only be given by who stopped it")]
//! The proof that the world is stopped.
//!
//! The collector never stops a thread: whoever asks it for a pause shows that every mutator is parked, and
//! keeps them so for as long as the proof is borrowed.
//!
//! S1  While a `StoppedWorld` exists no mutator of its heap reads or writes the heap, its roots or its
//!     [`crate::mutator_local::MutatorLocal`], and none attaches or leaves.
use std::marker::PhantomData;

/// Every mutator of one heap is parked.
pub struct StoppedWorld<'w> {
    _stop: PhantomData<&'w mut ()>,
}

impl<'w> StoppedWorld<'w> {
    /// Takes the caller's word for it.
    ///
    /// # Safety
    /// S1 holds for as long as `stop` is borrowed.
    pub const unsafe fn assume<S>(_stop: &'w S) -> Self {
        Self { _stop: PhantomData }
    }
}
