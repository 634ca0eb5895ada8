#![expect(unsafe_code, reason = "targets are addresses that only the collector keeps true")]
//! `FinalizationRegistry<H>`: learns that objects have died, without ever seeing them again.
//!
//! ```text
//!   register ─▶ Waiting (target, held) ──target dead──▶ Ready (held) ──poll, or the callback──▶ gone
//!                   └─────────────────── unregister ──────┴─────────────────────────────────────▶ gone
//! ```
//!
//! There is no way to the dead target: nothing can be resurrected. The collector never runs code of the embedder's: a
//! program asks with `poll`, or gives the registry a callback (`heap/finalizing`) and says when it may run. No order is promised,
//! nor that an object is ever found dead. A registry that dies takes its records along.
//!
//! Invariants as in `weak_map` (K1 to K5); the held values are kept alive by the registry. And:
//!
//! F1  A record is handed out once: it leaves its place, under the lock, before anybody sees what it holds.
//! F2  A registry with a callback and something ready is in the heap's list of those, once.
use crate::handle::gc::Gc;
use crate::handle::records::{Record, Records};
use crate::handle::weak_map::{holds_watched, list, shade_references};
use crate::mutator::cx::Cx;
use crate::trace::{Brand, Marker, Mover, Rebind, Share, Trace, list_references, no_slot};
use orinoco_collector::error::AllocError;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::weak::{Ephemerons, Settle, Settled, TableOps, WeakEdge, WeakOps, WeakVerdict};
use orinoco_collector::planted::bug;
use orinoco_collector::sync::AtomicBool;
use orinoco_collector::sync::Mutex;
use std::marker::PhantomData;

/// Hands out the value registered with an object, once that object has died.
///
/// Any mutator of the heap may use it at any time. A record takes about 60 bytes and the held value, of ordinary memory
/// beside the heap.
pub struct FinalizationRegistry<H> {
    /// K3.
    listed: AtomicBool,
    pub(crate) records: Mutex<Records<H>>,
    callback: Option<Callback>,
    /// Neither `Send` nor `Sync`, whatever `H` is: a thread that got hold of a registry could run another heap, and register
    /// that heap's objects with it.
    _window: PhantomData<*const ()>,
}

/// A callback with the type of what it takes forgotten.
#[derive(Clone, Copy)]
pub(crate) struct Callback {
    /// The program's function.
    pub(crate) f: *const (),
    /// Calls it with one record of the registry, if one is ready.
    pub(crate) call: unsafe fn(ObjectRef, *mut (), *const ()) -> bool,
}

impl<H: Share> FinalizationRegistry<H> {
    /// An empty registry, to be asked by [`poll`](Self::poll).
    ///
    /// # Panics
    /// When the heap's limit is reached.
    pub fn new<'gc>(cx: &'gc Cx) -> Gc<'gc, Self>
    where
        Self: Brand<'gc>,
    {
        cx.alloc(Self::empty(None))
    }
    /// As [`new`](Self::new).
    ///
    /// # Errors
    /// As [`Cx::try_alloc`].
    pub fn try_new<'gc>(cx: &'gc Cx) -> Result<Gc<'gc, Self>, AllocError>
    where
        Self: Brand<'gc>,
    {
        cx.try_alloc(Self::empty(None))
    }
    pub(crate) fn empty(callback: Option<Callback>) -> Self {
        Self { listed: AtomicBool::new(false), records: Mutex::new(Records::new()), callback, _window: PhantomData }
    }
    /// Keeps `held` until `target` has died; then [`poll`](Self::poll) hands it out, or the callback gets it.
    ///
    /// # Panics
    /// When the operating system refuses memory for the record.
    pub fn register<'gc, T: ?Sized>(&self, cx: &'gc Cx, target: Gc<'gc, T>, held: H) {
        self.add(cx, Gc::object(target), None, held).unwrap_or_else(|e| refused(e));
    }
    /// As [`register`](Self::register), with an object by which [`unregister`](Self::unregister) finds the record. Neither
    /// the target nor the token is kept alive; the target may be its own token.
    ///
    /// # Panics
    /// As [`register`](Self::register).
    pub fn register_with<'gc, T: ?Sized, U: ?Sized>(
        &self,
        cx: &'gc Cx,
        target: Gc<'gc, T>,
        held: H,
        token: Gc<'gc, U>,
    ) {
        self.add(cx, Gc::object(target), Some(Gc::object(token)), held).unwrap_or_else(|e| refused(e));
    }
    /// As [`register`](Self::register).
    ///
    /// # Errors
    /// [`AllocError::OutOfMemory`] when the operating system refuses memory for the record; `held` is dropped then.
    pub fn try_register<'gc, T: ?Sized>(&self, cx: &'gc Cx, target: Gc<'gc, T>, held: H) -> Result<(), AllocError> {
        self.add(cx, Gc::object(target), None, held)
    }
    /// As [`register_with`](Self::register_with).
    ///
    /// # Errors
    /// As [`try_register`](Self::try_register).
    pub fn try_register_with<'gc, T: ?Sized, U: ?Sized>(
        &self,
        cx: &'gc Cx,
        target: Gc<'gc, T>,
        held: H,
        token: Gc<'gc, U>,
    ) -> Result<(), AllocError> {
        self.add(cx, Gc::object(target), Some(Gc::object(token)), held)
    }
    fn add(&self, cx: &Cx, target: ObjectRef, token: Option<ObjectRef>, held: H) -> Result<(), AllocError> {
        let hash = token.map_or(0, |token| cx.collector().identity_hash(token));
        let young = holds_watched(cx, target, &held) || token.is_some_and(|token| holds_watched(cx, token, &()));
        shade_references(cx, &held);
        let mut records = self.records.lock();
        if !cx.local.marking.get() {
            records.thin_out();
        }
        records.try_reserve()?;
        let number = records.insert(target, token.map(|token| (token, hash)), held);
        if young {
            records.slab.note_young(number);
        }
        drop(records);
        if young {
            // SAFETY: K4.
            unsafe { list(cx, std::ptr::from_ref(self).addr(), target, &self.listed) }
        }
        Ok(())
    }
    /// Drops the records that were registered with this token and not handed out yet, whether their targets live or not;
    /// how many there were. May be called at any time, in a callback too: what it took back is not called for any more.
    pub fn unregister<'gc, U: ?Sized>(&self, cx: &'gc Cx, token: Gc<'gc, U>) -> usize {
        let token = Gc::object(token);
        let hash = cx.collector().identity_hash(token);
        let gone = {
            let mut records = self.records.lock();
            let gone = records.remove_all(token, hash);
            if !cx.local.marking.get() {
                records.thin_out();
            }
            gone
        };
        // Dropped here, not under the lock: a held value's `Drop` is the embedder's.
        gone.len()
    }
    /// A value whose target has died, if there is one; each is handed out once.
    pub fn poll(&self, _cx: &Cx) -> Option<H> {
        self.records.lock().take_ready()
    }
    /// How many records there are whose values were not handed out yet.
    pub fn len(&self, _cx: &Cx) -> usize {
        self.records.lock().slab.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self, cx: &Cx) -> bool {
        self.len(cx) == 0
    }
}

#[cold]
fn refused(error: AllocError) -> ! {
    panic!("a finalization registry cannot grow: {error}")
}

impl<H: Trace> FinalizationRegistry<H> {
    /// Shows the held values of a slice of the records.
    fn mark_slice<A: Marker + Ephemerons>(&self, from: usize, visitor: &mut A) -> Option<usize> {
        if !H::HAS_EDGES || bug::registry_forgets_held() {
            return None;
        }
        let records = self.records.lock();
        let (numbers, next) = records.slab.slice(from);
        visitor.visited(numbers.len());
        for number in numbers {
            if let Some(record) = records.slab.get(number) {
                record.held.mark(visitor);
            }
        }
        next
    }
    /// In a scavenge: moves the held values, all of them or the listed ones.
    fn move_step<A: Mover + Ephemerons>(&mut self, whole: bool, visitor: &mut A) {
        if !H::HAS_EDGES || bug::registry_forgets_held() {
            return;
        }
        let slab = &mut self.records.get_mut().slab;
        visitor.visited(slab.visits(whole));
        for nth in 0..slab.visits(whole) {
            let number = slab.visit(whole, nth);
            if let Some(record) = slab.get_mut(number) {
                record.held.relocate(visitor);
            }
        }
    }
    /// Sorts out the dead, finds what has moved.
    fn settle(&mut self, settle: Settle, from: usize, verdict: &dyn WeakVerdict) -> Settled {
        let records = self.records.get_mut();
        let whole = settle != Settle::Listed;
        let watched = |record: &Record<H>| {
            let mut watched = record.objects().any(|object| verdict.is_watched(object));
            list_references(&record.held, |target| watched |= verdict.is_watched(target));
            watched
        };
        let (visits, next) = records.slab.visits_of(settle, from);
        for nth in visits {
            let number = records.slab.visit(whole, nth);
            records.resolve(number, |object| verdict.resolve(object));
            if settle == Settle::Marked && records.slab.get(number).is_some_and(watched) {
                records.slab.note_young(number);
            }
        }
        let ready = self.callback.is_some() && records.queue_once();
        if next.is_some() {
            return Settled { ready, next, ..Settled::default() };
        }
        let young = records.slab.settle(whole, watched);
        *self.listed.get_mut() = young;
        Settled { young, ready, next }
    }
    /// Shows everything, for the verifier.
    fn list(&self, found: &mut dyn FnMut(WeakEdge)) {
        let records = self.records.lock();
        for record in (0..records.slab.end()).filter_map(|number| records.slab.get(number)) {
            record.objects().for_each(|object| found(WeakEdge::Weak(object)));
            list_references(&record.held, |target| found(WeakEdge::Strong(target)));
        }
    }
    /// The registry that `object` is.
    ///
    /// # Safety
    /// K4: the operations below are in the descriptors of registries alone.
    pub(crate) unsafe fn of<'a>(object: ObjectRef) -> &'a Self {
        // SAFETY: the caller's promise.
        unsafe { &*object.payload().cast::<Self>() }
    }
    /// The registry that `object` is.
    ///
    /// # Safety
    /// K4, and K2: the world is stopped and this is the only reference.
    unsafe fn of_mut<'a>(object: ObjectRef) -> &'a mut Self {
        // SAFETY: the caller's promise.
        unsafe { &mut *object.payload().cast::<Self>() }
    }
    const OPS: &'static WeakOps = &WeakOps {
        table: Some(TableOps {
            // SAFETY: K4.
            mark_slice: |o, from, v| unsafe { Self::of(o) }.mark_slice(from, v),
            mark_entry: |_, _, _, _| unreachable!("no record waits for a key"),
            // SAFETY: K4, K2.
            move_step: |o, whole, v| unsafe { Self::of_mut(o) }.move_step(whole, v),
            move_entry: |_, _, _| unreachable!("no record waits for a key"),
            call: Some(|o, mutator| {
                // SAFETY: K4.
                let Some(callback) = (unsafe { Self::of(o) }).callback else { return false };
                // SAFETY: the caller's promise, which is `call`'s; `f` came with it.
                unsafe { (callback.call)(o, mutator, callback.f) }
            }),
        }),
        // SAFETY: K4, K2.
        finish: |o, settle, from, verdict| unsafe { Self::of_mut(o) }.settle(settle, from, verdict),
        // SAFETY: K4.
        list: |o, found| unsafe { Self::of(o) }.list(found),
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
// SAFETY: R3, the records are under a lock, and what they hold is `Share`; the callback is a function.
unsafe impl<H: Share> Share for FinalizationRegistry<H> {}
