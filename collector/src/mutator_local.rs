//! The part of a mutator that the collector owns: its allocation buffer, what its barriers found, what it made.
//!
//! | field | written by | read by |
//! | --- | --- | --- |
//! | `lab` | its mutator; in a pause the collector empties it | its mutator |
//! | `barrier_table`, `region_mask`, `marking` | the collector, while this mutator is stopped | its mutator, in every store |
//! | the lists | its mutator, in slow paths; in a pause the collector takes them | – |
use crate::object::raw::{ObjectRef, PlacePtr};
use crate::object::task::Task;
use crate::object::trace::PlaceOps;
use crate::region::lab::Lab;
use std::cell::{Cell, RefCell};
use std::time::Instant;

/// What one mutator and the collector share. Lives inside the embedder-facing context, at its start.
#[repr(C)]
pub struct MutatorLocal {
    /// Where the mutator allocates.
    pub lab: Lab,
    /// One byte a region, indexed by `address >> REGION_SHIFT & region_mask`: what a store into it must do.
    /// See [`crate::region::barrier_table`].
    pub barrier_table: Cell<*const u8>,
    /// Number of table entries less one.
    pub region_mask: Cell<usize>,
    /// Whether old objects that become referenced must be shaded.
    pub marking: Cell<bool>,
    /// Old places that may hold young references.
    pub remembered: RefCell<Vec<Remembered>>,
    /// Old objects that this mutator's barrier marked and nobody has scanned.
    pub shaded: RefCell<Vec<ObjectRef>>,
    /// No marking step before this moment: the duty cycle.
    pub rest_until: Cell<Option<Instant>>,
    /// New objects with drop glue.
    pub droppables: RefCell<Vec<ObjectRef>>,
    /// Bytes outside of the heap that its objects own by now, more or less than the heap's count knows of.
    pub owned: Cell<isize>,
    /// Bytes that the mutator may still take; the largest number if nobody has set a quota.
    pub quota: Cell<usize>,
}

/// Something old that may refer to something young, or to a candidate (see `compact`).
#[derive(Clone, Copy)]
pub enum Remembered {
    /// A slot or a lock, and how to look at it.
    Place(PlacePtr, &'static PlaceOps),
    /// A whole object, or one slice of an array.
    Object(Task),
    /// An object that refers weakly to something young, or to a candidate.
    Weak(ObjectRef),
}

impl Remembered {
    /// The object that refers weakly, if that is what is remembered.
    pub(crate) fn weak(&self) -> Option<ObjectRef> {
        if let Self::Weak(object) = self { Some(*object) } else { None }
    }
}
