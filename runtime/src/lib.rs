//! A garbage collector for language runtimes with many threads: moving, generational, and safe to use.
//!
//! A [`Heap`] is shared by any number of mutator threads. A thread enters it and is lent a [`Mutator`]; two borrows of it
//! say all there is to say about when objects may move:
//!
//! - `&Cx` (a [`Mutator`] derefs to it): *nothing can move*. Allocate, read, write.
//! - `&mut Mutator`: *a collection may happen here*. [`Mutator::safepoint`], [`Mutator::park`], [`Mutator::collect`].
//!
//! A reference [`Gc<'gc, T>`](Gc) borrows the mutator, so one that is used after a safepoint is an ordinary borrow error.
//!
//! ```
//! #![forbid(unsafe_code)]
//! use orinoco::{Cx, Field, Gc, Heap, HeapConfig, Trace};
//!
//! #[derive(Trace)]
//! struct Node<'gc> {
//!     next: Field<'gc, Node<'gc>>,
//!     value: u64,
//! }
//!
//! fn push<'gc>(cx: &'gc Cx, list: Option<Gc<'gc, Node<'gc>>>, value: u64) -> Gc<'gc, Node<'gc>> {
//!     cx.alloc(Node { next: Field::new(list), value })
//! }
//!
//! let heap = Heap::new(HeapConfig::new())?;
//! let sum = heap.enter((), |m| {
//!     let list = { let l = push(m, None, 1); let l = push(m, Some(l), 2); m.root(l) };
//!     m.collect(); // the nodes move
//!     let l = list.get(m);
//!     l.value + l.next.get().map_or(0, |n| n.value)
//! });
//! assert_eq!(sum, 3);
//! # Ok::<(), orinoco::HeapError>(())
//! ```
//!
//! # What may live in the heap
//!
//! Types with `#[derive(Trace)]`, and `[V]` and `str`. They carry the collector lifetime: `struct Node<'gc> { .. }`. Their
//! fields are plain values, which are immutable once the object exists; [`Slot`]s and [`Field`]s, mutable words that any
//! thread may read and write; [`Lock`]s around ordinary Rust data; and atomics.
//!
//! # What keeps objects alive
//!
//! A mutator's root structure, borrowed for a window by [`Mutator::split`]; a [`Root`], owned, from any thread; and live
//! locals, taken across a safepoint by [`safepoint!`] and [`keep!`].
//!
//! # The floors
//!
//! ```text
//!   R4   heap/        Heap · Attached · Mutator               the embedder's face
//!   R3   driver/      safepoint · roots        handle/        who asks, who holds
//!   R2   mutator/     cx · alloc · barrier · frame · roots    what one thread owns
//!   R1   world/       state · registry · safepoint   trace/   ground
//! ```
//!
//! Under `--cfg loom` only `world` and `mutator/root_chunk` are built: rooms without a heap.
#[cfg(not(loom))]
extern crate self as orinoco;

#[cfg(not(loom))]
mod driver;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod heap;
#[cfg(not(loom))]
#[macro_use]
mod macros;
#[doc(hidden)]
pub mod model;
mod mutator;
#[cfg(not(loom))]
mod trace;
#[doc(hidden)]
pub mod world;

#[cfg(not(loom))]
pub use crate::driver::idle::IdleWork;
#[cfg(not(loom))]
pub use crate::handle::{
    dynamic::GcDyn,
    external::External,
    gc::{Gc, HeapType, Opaque},
    local::Local,
    lock::{Lock, LockGuard},
    pinned::Pinned,
    registry::FinalizationRegistry,
    root::Root,
    slot::{Field, Slot},
    tagged::{SmallInt, TooWide},
    weak::{Weak, WeakCell},
    weak_map::WeakMap,
    weak_set::WeakSet,
    word::{Packed, Word},
};
#[cfg(not(loom))]
pub use crate::heap::{
    Heap,
    attached::Attached,
    finalizing::{Budget, Finalizer},
    mutator::Mutator,
};
#[cfg(not(loom))]
pub use crate::mutator::cx::Cx;
#[cfg(not(loom))]
pub use crate::trace::{Brand, Rebind, Share, Trace};
#[cfg(not(loom))]
pub use orinoco_collector::{
    collector::{Cause, Census, CollectionKind, CollectionReport, Forced, Pressure},
    config::{Compaction, HeapConfig, NearLimit, Settings},
    error::{AllocError, HeapError},
    event::{Event, Observer, Phase, PhaseTimes},
    fault::Faults,
    gc_log::GcLog,
    stall::{Stall, StallState},
    statistics::{MemoryUsage, Space, SpaceStatistics, Statistics, StopKind, StopSummary},
    units::Bytes,
    zeal::{Zeal, ZealKind},
};
#[cfg(not(loom))]
pub use orinoco_derive::{Trace, Word};

/// What the macros and derives of this crate write in terms of. Nothing here is for anybody else.
#[cfg(not(loom))]
#[doc(hidden)]
pub mod __private {
    pub use crate::handle::dynamic::{RebindDyn, UnsizeFrom};
    pub use crate::handle::local::{Erased, erase, rebind};
    pub use crate::handle::{tagged, transparent};
    pub use crate::heap::mutator::{ExactMutator, exact};
    pub use crate::trace::{Marker, Mover, MustNotImplDrop, check};
}

/// The README's example is a test.
#[cfg(all(doctest, not(loom)))]
#[doc = include_str!("../../README.md")]
struct Readme;
