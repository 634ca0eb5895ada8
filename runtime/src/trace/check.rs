//! What the derive asks of each field, as functions that the field itself is handed to.
//!
//! Their bounds are the point. Because they get the field and not only its type's name, no reading of the declaration that
//! differs from the compiler's can pass; and because `mark` is made of them, no marking goes without the check.
use crate::trace::{Marker, Share};

/// Marks a field that may live in the heap.
#[inline(always)]
pub fn shared<T: Share, V: Marker>(field: &T, visitor: &mut V) {
    field.mark(visitor);
}

/// A field that the collector does not visit: other threads may read it, and it outlives every window.
#[inline(always)]
pub fn plain<T: Send + Sync + 'static>(_: &T) {}

/// A field of a root type that the collector does not visit.
#[inline(always)]
pub fn plain_rooted<T: 'static>(_: &T) {}
