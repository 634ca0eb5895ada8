#![expect(unsafe_code, reason = "callbacks are kept in the heap with their types forgotten")]
//! Finalization callbacks: called on a mutator that says so, within a budget, with what the registry held.
//!
//! ```text
//!   a collection finds a target dead ─▶ the registry is in the heap's list
//!   run_finalizers:  take a registry ─▶ take one record ─▶ put the registry back, if it has more ─▶ call
//!                      ▲────────────────────── while the budget lasts ──────────────────────────────┘
//! ```
//!
//! F3  A record is gone before its callback runs, and the registry back in the list: a callback that panics, collects, or
//!     runs finalizers itself loses nothing and sees nothing twice.
//! F4  `Callback::call` and `Callback::f` were made for one type, whose registry they are in.
use crate::handle::gc::Gc;
use crate::handle::local::{Local, erase};
use crate::handle::registry::{Callback, FinalizationRegistry};
use crate::heap::mutator::Mutator;
use crate::mutator::cx::Cx;
use crate::trace::{Brand, Rebind, Share, Trace};
use orinoco_collector::error::AllocError;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::weak;
use std::time::{Duration, Instant};

/// What a registry calls with each held value whose target has died.
///
/// It may allocate, collect, register, unregister, and panic. Its mutator is the one that runs it, seen without its roots:
/// what the callback needs it finds in the held value, which is a root while it runs.
pub type Finalizer<H> = fn(&mut Mutator<()>, Local<'_, H>);

/// How much [`Mutator::run_finalizers`] may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Budget {
    /// At most so many callbacks.
    Calls(usize),
    /// Until so much time has passed: looked at between callbacks.
    Time(Duration),
    /// Until nobody has anything to say.
    Unlimited,
}

impl<H: Share + Copy> FinalizationRegistry<H> {
    /// An empty registry with a callback, which [`Mutator::run_finalizers`] calls once for each record whose target has
    /// died: later, on the mutator that says so, never in a pause and never on a helper.
    ///
    /// ```
    /// use orinoco::{FinalizationRegistry, Budget, Heap, HeapConfig, Local, Mutator};
    /// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// static CLOSED: AtomicU64 = AtomicU64::new(0);
    ///
    /// fn close(m: &mut Mutator<()>, handle: Local<'_, u64>) {
    ///     CLOSED.store(handle.get(m), Relaxed);
    /// }
    /// let heap = Heap::new(HeapConfig::new())?;
    /// heap.enter((), |m| {
    ///     let handles = { let r = FinalizationRegistry::<u64>::with_callback(m, close); m.root(r) };
    ///     handles.get(m).register(m, m.alloc_str("a file"), 7);
    ///     m.collect();
    ///     assert_eq!(m.run_finalizers(Budget::Unlimited), 1);
    /// });
    /// assert_eq!(CLOSED.load(Relaxed), 7);
    /// # Ok::<(), orinoco::HeapError>(())
    /// ```
    ///
    /// # Panics
    /// When the heap's limit is reached.
    pub fn with_callback<'gc>(cx: &'gc Cx, callback: Finalizer<H::At<'static>>) -> Gc<'gc, Self>
    where
        Self: Brand<'gc>,
        H::At<'static>: Trace + Rebind<At<'static> = H::At<'static>>,
    {
        cx.alloc(Self::empty(Some(erased::<H::At<'static>>(callback))))
    }
    /// As [`with_callback`](Self::with_callback).
    ///
    /// # Errors
    /// As [`Cx::try_alloc`].
    pub fn try_with_callback<'gc>(cx: &'gc Cx, callback: Finalizer<H::At<'static>>) -> Result<Gc<'gc, Self>, AllocError>
    where
        Self: Brand<'gc>,
        H::At<'static>: Trace + Rebind<At<'static> = H::At<'static>>,
    {
        cx.try_alloc(Self::empty(Some(erased::<H::At<'static>>(callback))))
    }
}

fn erased<K>(callback: Finalizer<K>) -> Callback
where
    K: Trace + Rebind<At<'static> = K>,
{
    Callback { f: callback as *const (), call: call::<K> }
}

/// Takes one record and calls the callback with it; false if there was none.
///
/// # Safety
/// `object` is a registry of `K`'s, at some lifetime, that lives in this window; `mutator` is the running `Mutator<()>`, of
/// which nothing else is borrowed; `f` is a `Finalizer<K>` (F4).
unsafe fn call<K>(object: ObjectRef, mutator: *mut (), f: *const ()) -> bool
where
    K: Trace + Rebind<At<'static> = K>,
{
    // SAFETY: the caller's promise.
    let m = unsafe { &mut *mutator.cast::<Mutator<()>>() };
    // SAFETY: the caller's promise. A registry of one type has one layout at every lifetime (R1).
    let registry = unsafe { FinalizationRegistry::<K>::of(object) };
    let (held, more) = {
        let mut records = registry.records.lock();
        let held = records.take_ready();
        (held, records.queue_again())
    };
    if more {
        // F3.
        m.collector().registry_is_ready(object);
    }
    let Some(held) = held else { return false };
    // SAFETY: F4.
    let f = unsafe { std::mem::transmute::<*const (), Finalizer<K>>(f) };
    // SAFETY: the value is of this window, and goes into a frame of its mutator at once.
    let held = unsafe { erase(held) };
    m.__keep(held, f);
    true
}

impl<R> Mutator<R> {
    /// Calls the callbacks of finalization registries whose targets have died, of all registries in turn, within the
    /// budget; how many it called. What is left is called by whoever comes next. Best between events, before
    /// [`end_turn`](Self::end_turn); costs a lock if there is nothing to do.
    ///
    /// # Panics
    /// With whatever a callback panics. Its record is done then, and all others stay.
    pub fn run_finalizers(&mut self, budget: Budget) -> usize {
        let began = Instant::now();
        let mut without_roots = self.without_roots();
        let mut called = 0;
        loop {
            let spent = match budget {
                Budget::Calls(most) => called >= most,
                Budget::Time(most) => called > 0 && began.elapsed() >= most,
                Budget::Unlimited => false,
            };
            if spent {
                return called;
            }
            let Some(registry) = self.collector().take_ready() else { return called };
            // SAFETY: the list holds living registries, and no safepoint has come since; `self` is exclusively borrowed.
            called += usize::from(unsafe { weak::call(registry, (&raw mut without_roots).cast()) });
        }
    }
    /// How many registries have callbacks to run: a hint for when to call [`run_finalizers`](Self::run_finalizers).
    pub fn finalizers_ready(&self) -> usize {
        self.collector().ready()
    }
}
