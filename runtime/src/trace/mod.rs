#![expect(unsafe_code, reason = "the traits by which types show their references are promises to the collector")]
//! What a type promises so that the collector may find, follow and rewrite the references in its values.
//!
//! ```text
//!   Rebind   the type as a constructor: Node<'_> ─▶ Node<'a>
//!     └── Trace   shows its references
//!           └── Share   may be reached by several mutators and by the marker at once
//!                 └── Brand<'gc>   and is written at exactly this lifetime: what may be born in a window
//! ```
//!
//! All four come from `derive(Trace)`; nobody writes them by hand.
//!
//! R1  `At<'a>` is `Self` with the collector lifetime replaced and nothing else, so the two have one layout and one vtable.
//! R2  `mark` shows every reference of a value, `relocate` the same ones, and both run generated code only.
//! R3  What a `Share` value holds besides references is `Send + Sync`.
pub mod check;
mod containers;
mod std_types;

use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::EdgeList;
pub use orinoco_collector::object::trace::{Marker, Mover};
pub use orinoco_collector::object::weak::WeakOps;

/// A type seen as a constructor over the collector lifetime.
///
/// # Safety
/// R1. `derive(Trace)` implements it.
pub unsafe trait Rebind: Sized {
    /// `Self` with the collector lifetime `'a`.
    type At<'a>: Sized + 'a;
}

/// Shows the references of a value to the collector.
///
/// # Safety
/// R2, and the constants tell the truth. `derive(Trace)` implements it.
#[diagnostic::on_unimplemented(
    message = "the collector cannot trace `{Self}`",
    note = "derive it with `#[derive(Trace)]`, or, for a `'static` type without collector pointers, put `#[trace(skip)]` on the field"
)]
pub unsafe trait Trace: Rebind {
    /// Whether a [`Slot`](crate::Slot), or a [`Lock`](crate::Lock) around references, lies inline in the value. Such a value
    /// may not sit in malloc memory (`Vec`, `Box`, `Lock`), because their write barriers know the host by their own address.
    const HAS_SLOT: bool = false;
    /// Whether a value can refer to anything; leaves are never scanned.
    const HAS_EDGES: bool = true;
    /// Whether a value can own memory outside of the heap, of which [`owned_bytes`](Self::owned_bytes) tells.
    #[doc(hidden)]
    const OWNS: bool = false;
    /// Bytes outside of the heap that the value owns. What containers own deeper down counts if `deep`; without it the
    /// answer takes a constant time.
    #[doc(hidden)]
    #[inline(always)]
    fn owned_bytes(&mut self, deep: bool) -> usize {
        let _ = deep;
        0
    }
    /// The names of the fields, variant by variant, in the order in which `mark` shows them; for reports on a heap.
    #[doc(hidden)]
    const FIELD_NAMES: &'static [(&'static str, &'static [&'static str])] = &[];
    /// The care that a type of this library needs if it refers to objects weakly.
    #[doc(hidden)]
    const WEAK: Option<&'static WeakOps> = None;
    /// Shows every reference, beside running mutators.
    fn mark<V: Marker>(&self, visitor: &mut V);
    /// Shows every reference and stores what it becomes; the world is stopped. The only code that ever writes an
    /// immutable [`Gc`](crate::Gc) field.
    fn relocate<V: Mover>(&mut self, visitor: &mut V);
}

/// The value may be reached by several mutator threads and by the marker at once.
///
/// # Safety
/// R3, and its references lead to `Share` types. `derive(Trace)` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot live in the heap: other mutator threads and the concurrent marker would share it",
    note = "use `Slot`, `Lock` or an atomic instead of `Cell`/`RefCell`, `Arc` instead of `Rc`; root-only types take `#[trace(root)]`"
)]
pub unsafe trait Share: Trace {}

/// A heap type whose collector lifetime is exactly `'gc`: `Node<'gc>`, not `Node<'static>`.
///
/// Every object is born at its brand. Otherwise an object could be allocated at `'static` with all its fields null, viewed
/// at `'gc` through a root or a downcast, written there, and read at `'static`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a heap type of this allocation's lifetime")]
pub trait Brand<'gc>: Share + Rebind<At<'gc> = Self> {}
impl<'gc, T: Share + Rebind<At<'gc> = T>> Brand<'gc> for T {}

/// Lists the references of a value that nothing else reaches meanwhile: the caller's own copy, or in a stopped world.
pub(crate) fn list_references(value: &impl Trace, mut found: impl FnMut(ObjectRef)) {
    // SAFETY: as the caller says; what `found` is told is used within the window or the stop.
    value.mark(&mut unsafe { EdgeList::new(&mut found) });
}

/// Implemented for every type with a `Drop` of its own, so that the derive's own implementation collides with it.
#[doc(hidden)]
pub trait MustNotImplDrop {}
#[expect(drop_bounds, reason = "the bound is the test")]
impl<T: Drop> MustNotImplDrop for T {}

/// Fails to compile if `T` has a slot inline. Called in a container's `mark`, which every allocated type instantiates, and
/// not from a chain of associated constants, which would be cyclic for `struct Tree { kids: Vec<Tree> }`.
pub(crate) const fn no_slot<T: Trace>() {
    assert!(
        !T::HAS_SLOT,
        "a `Slot`, or a `Lock` around references, inside a Vec/Box/Lock would bypass the write barrier; store a plain `Gc`/value there and mutate it through one `Lock` around the whole"
    );
}
