#![expect(unsafe_code, reason = "targets are addresses that only the collector keeps true")]
//! `FinalizationRegistry<H>`: learns that objects have died, without ever seeing them again.
//!
//! ```text
//!   register ─▶ Waiting (target, held) ──target dead──▶ Ready (held) ──poll──▶ gone
//!                   └──────────────── unregister ────────────────────────────▶ gone
//! ```
//!
//! There is no callback and no way to the dead target: nothing can be resurrected, and the collector never runs code of
//! the embedder's. A program asks with `poll`, when it likes; no order is promised, nor that an object is ever found dead.
//! A registry that dies takes its records along.
//!
//! Invariants as in `weak_map` (K1 to K4); the held values are kept alive by the registry.
use crate::handle::gc::Gc;
use crate::handle::weak_map::list;
use crate::mutator::cx::Cx;
use crate::trace::{Brand, Marker, Mover, Rebind, Share, Trace, list_references, no_slot};
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::{WeakOps, WeakVerdict};
use orinoco_collector::planted::bug;
use orinoco_collector::sync::Mutex;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::atomic::AtomicBool;

/// Hands out the value registered with an object, once that object has died.
pub struct FinalizationRegistry<H> {
    /// K3.
    listed: AtomicBool,
    records: Mutex<Records<H>>,
    /// Neither `Send` nor `Sync`, whatever `H` is: a thread that got hold of a registry could run another heap, and register
    /// that heap's objects with it.
    _window: PhantomData<*const ()>,
}

struct Records<H> {
    waiting: Vec<Waiting<H>>,
    ready: VecDeque<(H, bool)>,
}

struct Waiting<H> {
    target: ObjectRef,
    token: Option<ObjectRef>,
    held: H,
    seen: bool,
}

impl<H: Share> FinalizationRegistry<H> {
    /// An empty registry.
    pub fn new<'gc>(cx: &'gc Cx) -> Gc<'gc, Self>
    where
        Self: Brand<'gc>,
    {
        let records = Mutex::new(Records { waiting: Vec::new(), ready: VecDeque::new() });
        cx.alloc(FinalizationRegistry { listed: AtomicBool::new(false), records, _window: PhantomData })
    }
    /// Keeps `held` until `target` has died; then [`poll`](Self::poll) hands it out.
    pub fn register<'gc, T: ?Sized>(&self, cx: &'gc Cx, target: Gc<'gc, T>, held: H) {
        self.add(cx, Gc::object(target), None, held);
    }
    /// As [`register`](Self::register), with an object by which [`unregister`](Self::unregister) finds the record. Neither
    /// the target nor the token is kept alive.
    pub fn register_with<'gc, T: ?Sized, U: ?Sized>(
        &self,
        cx: &'gc Cx,
        target: Gc<'gc, T>,
        held: H,
        token: Gc<'gc, U>,
    ) {
        self.add(cx, Gc::object(target), Some(Gc::object(token)), held);
    }
    fn add(&self, cx: &Cx, target: ObjectRef, token: Option<ObjectRef>, held: H) {
        self.records.lock().waiting.push(Waiting { target, token, held, seen: false });
        // SAFETY: K4.
        unsafe { list(cx, std::ptr::from_ref(self).addr(), target, &self.listed) }
    }
    /// Drops the records of living targets that were registered with this token; how many there were.
    pub fn unregister<'gc, U: ?Sized>(&self, _cx: &'gc Cx, token: Gc<'gc, U>) -> usize {
        let token = Some(Gc::object(token));
        let mut gone = Vec::new();
        let mut records = self.records.lock();
        let mut i = 0;
        while i < records.waiting.len() {
            if records.waiting[i].token == token {
                gone.push(records.waiting.swap_remove(i));
            } else {
                i += 1;
            }
        }
        drop(records);
        gone.len()
    }
    /// A value whose target has died, if there is one; each is handed out once.
    pub fn poll(&self, cx: &Cx) -> Option<H> {
        let (held, _) = self.records.lock().ready.pop_front()?;
        if cx.local.marking.get() {
            // The marker comes to held values late: what the program has seen must stay.
            list_references(&held, |target| cx.shade(target));
        }
        Some(held)
    }
}

impl<H: Trace> FinalizationRegistry<H> {
    /// Shows the held values that were not shown yet; true if there was one.
    fn step<A>(&mut self, visitor: &mut A, mut show: impl FnMut(&mut H, &mut A)) -> bool {
        let records = self.records.get_mut();
        let waiting = records.waiting.iter_mut().map(|w| (&mut w.held, &mut w.seen));
        let ready = records.ready.iter_mut().map(|(held, seen)| (held, seen));
        let mut any = false;
        for (held, seen) in waiting.chain(ready).filter(|(_, seen)| !**seen) {
            (*seen, any) = (true, true);
            if bug::registry_forgets_held() {
                continue;
            }
            show(held, visitor);
        }
        any
    }
    /// Sorts out the dead; true if anything that is left is young.
    fn settle(&mut self, verdict: &dyn WeakVerdict) -> bool {
        let records = self.records.get_mut();
        let mut young = false;
        for mut record in std::mem::take(&mut records.waiting) {
            record.seen = false;
            record.token = record.token.and_then(|token| verdict.resolve(token));
            match verdict.resolve(record.target) {
                Some(target) => {
                    record.target = target;
                    young |= verdict.is_young(target) || record.token.is_some_and(|t| verdict.is_young(t));
                    records.waiting.push(record);
                }
                None => records.ready.push_back((record.held, false)),
            }
        }
        let held = records.waiting.iter().map(|w| &w.held).chain(records.ready.iter().map(|(held, _)| held));
        held.for_each(|held| list_references(held, |target| young |= verdict.is_young(target)));
        records.ready.iter_mut().for_each(|(_, seen)| *seen = false);
        *self.listed.get_mut() = young;
        young
    }
    /// The registry that `object` is.
    ///
    /// # Safety
    /// K4, and K2: the world is stopped and this is the only reference.
    unsafe fn of<'a>(object: ObjectRef) -> &'a mut Self {
        // SAFETY: the caller's promise.
        unsafe { &mut *object.payload().cast::<Self>() }
    }
    const OPS: &'static WeakOps = &WeakOps {
        // SAFETY: K4, K2.
        mark_step: |o, v| unsafe { Self::of(o) }.step(v, |held, v| held.mark(v)),
        // SAFETY: K4, K2.
        move_step: |o, v| unsafe { Self::of(o) }.step(v, |held, v| held.relocate(v)),
        // SAFETY: K4, K2.
        finish: |o, verdict| unsafe { Self::of(o) }.settle(verdict),
    };
}

impl<H> std::fmt::Debug for FinalizationRegistry<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FinalizationRegistry").finish_non_exhaustive()
    }
}

// SAFETY: R1, the held values' constructor.
unsafe impl<H: Rebind> Rebind for FinalizationRegistry<H> {
    type At<'a> = FinalizationRegistry<H::At<'a>>;
}
// SAFETY: R2: targets are weak, and held values are shown through `WEAK`, which every collection that meets the registry
// runs to its end.
unsafe impl<H: Trace> Trace for FinalizationRegistry<H> {
    const HAS_EDGES: bool = false;
    const WEAK: Option<&'static WeakOps> = Some(Self::OPS);
    fn mark<M: Marker>(&self, _: &mut M) {
        const { no_slot::<H>() }
    }
    fn relocate<M: Mover>(&mut self, _: &mut M) {}
}
// SAFETY: R3, the records are under a lock, and what they hold is `Share`.
unsafe impl<H: Share> Share for FinalizationRegistry<H> {}
