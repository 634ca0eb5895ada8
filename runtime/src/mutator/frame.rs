#![expect(
    unsafe_code,
    reason = "frames and root structures are traced through their addresses, with the type forgotten"
)]
//! Roots that one mutator owns, with the type forgotten: its root structure, and the frames of `keep!`.
//!
//! F1  `data` is a value of the type that `ops` was made for, and stays there for as long as it is listed.
//! F2  It is looked at only in a stop, when no Rust reference to it is live: its mutator is inside `&mut Mutator`.
use crate::trace::Trace;
use orinoco_collector::mark::worker::MarkWorker;
use orinoco_collector::object::trace::EdgeList;
use orinoco_collector::scavenge::worker::ScavengeWorker;
use std::marker::PhantomData;

/// How to trace a value whose type is forgotten.
pub(crate) struct RootOps {
    pub(crate) mark: unsafe fn(*mut u8, &mut MarkWorker),
    pub(crate) relocate: unsafe fn(*mut u8, &mut ScavengeWorker),
    pub(crate) list: unsafe fn(*mut u8, &mut EdgeList<'_>),
}

/// The [`RootOps`] of `K`.
pub(crate) struct OpsOf<K>(PhantomData<K>);

impl<K: Trace> OpsOf<K> {
    pub(crate) const OPS: &'static RootOps = &RootOps {
        // SAFETY: F1, F2.
        mark: |p, v| unsafe { (*p.cast::<K>()).mark(v) },
        // SAFETY: F1, F2.
        relocate: |p, v| unsafe { (*p.cast::<K>()).relocate(v) },
        // SAFETY: F1, F2.
        list: |p, v| unsafe { (*p.cast::<K>()).mark::<EdgeList<'_>>(v) },
    };
}

/// One entry of a mutator's shadow stack; it lies on the Rust stack.
pub(crate) struct Frame {
    pub(crate) prev: *const Frame,
    pub(crate) data: *mut u8,
    pub(crate) ops: &'static RootOps,
}
