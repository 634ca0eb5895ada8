#![expect(unsafe_code, reason = "the traits by which an embedder's types show the collector their references")]
//! What a type promises so that its values may live in the heap, and the descriptor made from the promise.
//!
//! ```text
//!   object:   header │ payload …                 fixed      header = &TypeInfo (+ the bits of `header.rs`)
//!             header │ len │ element │ element…   array      `ObjectRef` is the address of the header
//! ```
//!
//! Two ways to look at a value's references, because two kinds of thread do it:
//! *marking* has `&self`, beside running mutators; *moving* has `&mut self`, in a pause, when no mutator
//! holds a reference into the heap. Both are generic over the visitor, so that tracing is compiled once
//! for each collector and no call is virtual below the one through [`TypeInfo`].
//!
//! T1  `mark` shows every reference of the value; `relocate` shows the same ones and stores what it gets back.
//! T2  Neither runs code of the embedder's: both are written by `derive(Trace)` or in this library.
//! T3  What is not a reference is never changed by either.
//! T4  A visitor is the collector's, or trusted by it: `mark` and `relocate` are safe to call, so whoever could write a
//!     visitor could answer with any object, or look under a lock that is held.
use crate::object::raw::{ObjectRef, PlacePtr};
use crate::object::task::Task;
use crate::object::weak::WeakOps;
use std::any::TypeId;

/// A visitor that values may be shown to.
///
/// # Safety
/// T4: it keeps references to itself, forwards each to the object that it was, and calls a visit not concurrent only if
/// nothing else reaches the value meanwhile.
pub unsafe trait Visitor {}
// SAFETY: T4, the collector's own.
unsafe impl Visitor for crate::mark::worker::MarkWorker {}
// SAFETY: T4, the collector's own.
unsafe impl Visitor for crate::scavenge::worker::ScavengeWorker {}
// SAFETY: T4, by the promise that `new` asks for.
unsafe impl Visitor for EdgeList<'_> {}

/// A visitor that only looks: the marker, the verifier, whoever lists a heap's edges.
pub trait Marker: Visitor {
    /// Shows one reference.
    fn edge(&mut self, target: ObjectRef);
    /// Whether mutators may be running: a lock must then be tried, not assumed to be free.
    fn is_concurrent(&self) -> bool;
    /// Puts off what cannot be looked at now; `again` is called with `at` in a pause (or a later step).
    fn defer(&mut self, at: *mut u8, again: unsafe fn(*mut u8, &mut Self))
    where
        Self: Sized;
}

/// A visitor that moves objects: it is shown a reference and answers where the object is now.
pub trait Mover: Visitor {
    /// The target's address from now on.
    fn forward(&mut self, target: ObjectRef) -> ObjectRef;
}

/// Repairs one remembered place outside the tracing of a whole object: a slot or a lock in an old object.
pub type Fix<V> = unsafe fn(*mut u8, &mut V);

/// How a remembered place is looked at. One of these exists for each type of slot or lock.
#[derive(Clone, Copy)]
pub struct PlaceOps {
    /// Shows and rewrites the references at the place.
    pub relocate: Fix<crate::scavenge::worker::ScavengeWorker>,
}

impl PlaceOps {
    /// Rewrites what the place refers to; the world is stopped.
    pub(crate) fn relocate_place(&self, place: PlacePtr, v: &mut crate::scavenge::worker::ScavengeWorker) {
        // SAFETY: places come from barriers, which pair them with their own operations, and leave the
        // remembered set before their object's memory is reused.
        unsafe { (self.relocate)(place.0, v) }
    }
}

/// What a marker put off, to be done in a pause.
pub(crate) struct Deferred {
    pub at: PlacePtr,
    pub again: Fix<crate::mark::worker::MarkWorker>,
}

impl Deferred {
    pub(crate) fn run(self, v: &mut crate::mark::worker::MarkWorker) {
        // SAFETY: T2, the library's own lock deferred itself, and a marked object is not freed before the pause.
        unsafe { (self.again)(self.at.0, v) }
    }
}

/// The descriptor of a heap type; an object's header word is its address.
#[repr(align(16))]
pub struct TypeInfo {
    /// Bytes of an object before its elements, header included: a multiple of the word.
    pub fixed_bytes: usize,
    /// Bytes of an element, or 0 if the type is no array. An array's length is the word after its header.
    pub element_bytes: usize,
    /// Whether values may hold references at all; leaves are never scanned.
    pub has_edges: bool,
    /// Drop glue for the payload, called once after death and outside any pause.
    pub drop: Option<unsafe fn(*mut u8)>,
    /// Bytes outside of the heap that the payload owns, for types that can own any. The payload is the caller's alone.
    pub owned: Option<unsafe fn(*mut u8) -> usize>,
    /// The rest of the object's care, if it holds references weakly.
    pub weak: Option<&'static WeakOps>,
    /// The Rust type at the `'static` collector lifetime.
    pub id: fn() -> TypeId,
    /// The Rust type's name, for reports.
    pub name: fn() -> &'static str,
    /// Marks elements `from..to` of an array, or the whole of a fixed object.
    pub mark: unsafe fn(ObjectRef, usize, usize, &mut crate::mark::worker::MarkWorker),
    /// Moves what elements `from..to`, or the whole object, refer to.
    pub relocate: unsafe fn(ObjectRef, usize, usize, &mut crate::scavenge::worker::ScavengeWorker),
    /// Lists the references to a caller that is no collector: verification, inspection.
    pub list: unsafe fn(ObjectRef, usize, usize, &mut EdgeList<'_>),
}

impl Task {
    /// Shows the task's references to a marker.
    #[inline]
    pub(crate) fn mark(self, info: &TypeInfo, v: &mut crate::mark::worker::MarkWorker) {
        let (from, to) = self.elements(info);
        // SAFETY: T1; `info` is the object's own descriptor.
        unsafe { (info.mark)(self.object, from, to, v) }
    }
    /// Lists the task's references; the object is the caller's, or the world is stopped.
    pub(crate) fn list(self, info: &TypeInfo, found: &mut dyn FnMut(ObjectRef)) {
        let (from, to) = self.elements(info);
        // SAFETY: T1; `info` is the object's own descriptor.
        unsafe { (info.list)(self.object, from, to, &mut EdgeList { found }) }
    }
    /// Moves what the task's references lead to; the world is stopped.
    #[inline]
    pub(crate) fn relocate(self, info: &TypeInfo, v: &mut crate::scavenge::worker::ScavengeWorker) {
        let (from, to) = self.elements(info);
        // SAFETY: T1; `info` is the object's own descriptor.
        unsafe { (info.relocate)(self.object, from, to, v) }
    }
}

/// Lists what an object refers to; the world is stopped.
pub(crate) fn list_edges(object: ObjectRef, found: &mut dyn FnMut(ObjectRef)) {
    let info = object.info();
    let to = object.element_count(info);
    // SAFETY: T1.
    unsafe { (info.list)(object, 0, to, &mut EdgeList { found }) }
}

impl TypeInfo {
    /// Whether a collector has anything to do at an object of the type beside keeping it.
    #[inline(always)]
    pub(crate) const fn needs_visit(&self) -> bool {
        self.has_edges || self.weak.is_some()
    }
}

/// A [`Marker`] that hands each reference to a closure; the world must be stopped.
pub struct EdgeList<'a> {
    /// Called with each reference.
    pub(crate) found: &'a mut dyn FnMut(ObjectRef),
}

impl<'a> EdgeList<'a> {
    /// A list of what `found` is told.
    ///
    /// # Safety
    /// The world is stopped, or the values that are shown to it are the caller's alone; and `found` lets no reference
    /// outlive the window.
    pub unsafe fn new(found: &'a mut dyn FnMut(ObjectRef)) -> Self {
        Self { found }
    }
}

impl Marker for EdgeList<'_> {
    fn edge(&mut self, target: ObjectRef) {
        (self.found)(target)
    }
    fn is_concurrent(&self) -> bool {
        false
    }
    fn defer(&mut self, _: *mut u8, _: unsafe fn(*mut u8, &mut Self)) {
        unreachable!("an edge list is made in a stopped world, where nothing has to be put off")
    }
}
