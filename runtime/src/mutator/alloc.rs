#![expect(unsafe_code, reason = "raw memory for objects: taken here, written by whoever asked")]
//! Raw memory for objects: the bump and its slow half.
//!
//! A1  Memory handed out is the caller's alone until it writes a header there; it does so, or has the range filled,
//!     before the window ends. No collection runs within a window, so nobody walks the memory meanwhile.
//! A2  Sizes are whole words, the header included.
use crate::mutator::cx::Cx;
use orinoco_collector::error::AllocError;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::units::{LARGE_BYTES, WORD};

/// Memory for one object, and whether it lies among the large ones.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: *mut u8,
    pub(crate) bytes: usize,
}

impl Place {
    #[inline(always)]
    pub(crate) fn is_large(&self) -> bool {
        self.bytes > LARGE_BYTES
    }
}

impl Cx {
    /// Memory for a small object.
    #[inline(always)]
    pub(crate) fn bump(&self, bytes: usize) -> Result<*mut u8, AllocError> {
        match self.local.lab.try_bump(bytes) {
            Some(start) => Ok(start),
            None => self.bump_slow(bytes),
        }
    }
    /// Takes another buffer; at most asks for a collection, never runs one.
    #[cold]
    #[inline(never)]
    pub(crate) fn bump_slow(&self, bytes: usize) -> Result<*mut u8, AllocError> {
        debug_assert!(bytes.is_multiple_of(WORD) && bytes <= LARGE_BYTES);
        let start = self.collector().allocate_slow(&self.local, bytes);
        self.pass_on_wish();
        start
    }
    /// Memory for an object of any size.
    #[inline]
    pub(crate) fn place(&self, bytes: usize, has_edges: bool) -> Result<Place, AllocError> {
        let start = if bytes <= LARGE_BYTES { self.bump(bytes)? } else { self.place_large(bytes, has_edges)? };
        Ok(Place { start, bytes })
    }
    #[cold]
    #[inline(never)]
    fn place_large(&self, bytes: usize, has_edges: bool) -> Result<*mut u8, AllocError> {
        let start = self.collector().allocate_large(&self.local, bytes, has_edges);
        self.pass_on_wish();
        start
    }
    /// Gives up memory that no object was written to.
    ///
    /// # Safety
    /// A1: `place` came from [`Cx::place`] in this window and holds no object.
    #[cold]
    pub(crate) unsafe fn abandon(&self, place: Place) {
        // SAFETY: A1, A2.
        unsafe { self.collector().fill(place.start, place.bytes) }
    }
    /// Registers a large object that refers to others: it was born old, and its first stores had no barrier.
    ///
    /// # Safety
    /// The object is completely written, its header included.
    #[cold]
    pub(crate) unsafe fn finish_large(&self, object: ObjectRef) {
        // SAFETY: the caller's promise.
        unsafe { self.collector().finish_large(&self.local, object) }
    }
    /// Registers an object with drop glue.
    #[inline(never)]
    pub(crate) fn note_droppable(&self, object: ObjectRef) {
        self.local.droppables.borrow_mut().push(object);
    }
}
