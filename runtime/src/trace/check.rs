//! What the derive asks of each field, as functions that the field itself is handed to.
//!
//! They do nothing; their bounds are the point. Because they get the field and not its type's name, no reading of the
//! declaration that differs from the compiler's can pass.
use crate::trace::{Share, Trace};

/// A field that may live in the heap.
pub fn shared<T: Share>(_: &T) {}

/// A field of a type that stays among one mutator's roots.
pub fn rooted<T: Trace>(_: &T) {}

/// A field that the collector does not visit: other threads may read it, and it outlives every window.
pub fn plain<T: Send + Sync + 'static>(_: &T) {}

/// A field of a root type that the collector does not visit.
pub fn plain_rooted<T: 'static>(_: &T) {}
