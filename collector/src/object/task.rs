//! The unit of tracing: a whole object, or one slice of a long array.
//!
//! A long array is one task at a time: whoever takes slice *n* first offers slice *n + 1*, so that the array can
//! be shared among workers and interrupted between slices without ever filling a worklist.
use crate::object::raw::ObjectRef;
use crate::object::trace::TypeInfo;
use crate::planted::bug;
use crate::units::SLICE;

/// An object to scan, or the part of it that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The object.
    pub object: ObjectRef,
    slice: u32,
}

const WHOLE: u32 = u32::MAX;
const UNSEEN: u32 = u32::MAX - 1;

impl Task {
    /// All of an object, or the first slice of a long array.
    #[inline]
    pub fn first(object: ObjectRef, info: &TypeInfo) -> Self {
        let long = info.element_bytes != 0 && object.array_length() > SLICE;
        Self { object, slice: if long { 0 } else { WHOLE } }
    }
    /// An object that was shaded by someone who had no time to look at it.
    #[inline]
    pub(crate) const fn unseen(object: ObjectRef) -> Self {
        Self { object, slice: UNSEEN }
    }
    /// Whether nobody has looked at the object yet.
    #[inline]
    pub(crate) const fn is_unseen(self) -> bool {
        self.slice == UNSEEN
    }
    /// The slice that holds element `index` of an array.
    pub(crate) fn holding(object: ObjectRef, info: &TypeInfo, index: usize) -> Self {
        let whole = Self::first(object, info);
        if whole.slice == WHOLE { whole } else { Self { object, slice: (index / SLICE) as u32 } }
    }
    /// The part of a table that begins at entry `index`, a multiple of the slice.
    pub(crate) const fn of_table(object: ObjectRef, index: usize) -> Self {
        Self { object, slice: (index / SLICE) as u32 }
    }
    /// The first entry of a table that is due.
    pub(crate) const fn table_index(self) -> usize {
        if self.slice == WHOLE { 0 } else { self.slice as usize * SLICE }
    }
    /// Whether this is the object's first task, or its only one.
    #[inline]
    pub(crate) const fn is_first(self) -> bool {
        self.slice == WHOLE || self.slice == 0
    }
    /// What comes after this slice, if anything does.
    #[inline]
    pub(crate) fn next(self) -> Option<Self> {
        if self.slice >= UNSEEN {
            return None;
        }
        let slice = self.slice + 1;
        let missing = if bug::slice_ends_early() { SLICE } else { 0 };
        (slice as usize * SLICE + missing < self.object.array_length()).then_some(Self { object: self.object, slice })
    }
    /// The elements that are due; nothing for an object that is no array.
    #[inline]
    pub(crate) fn elements(self, info: &TypeInfo) -> (usize, usize) {
        if info.element_bytes == 0 {
            return (0, 0);
        }
        let len = self.object.array_length();
        if self.slice == WHOLE {
            return (0, len);
        }
        let from = self.slice as usize * SLICE;
        (from, (from + SLICE).min(len))
    }
}
