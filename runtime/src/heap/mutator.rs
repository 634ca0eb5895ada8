#![expect(
    unsafe_code,
    reason = "the exclusive side of a mutator is an address, for what a collection touches must not be behind `&mut`"
)]
//! `Mutator<R>`: one mutator's exclusive side. The only thing that can reach a safepoint.
//!
//! U1  A `Mutator` exists only while its `Attached` runs it, on this thread; its seat and heap outlive it.
//! U2  Everything that may move or free objects takes `&mut self`, so at that moment nothing whose type mentions a borrow
//!     of this mutator is live.
//! U3  The context's `roots` point to a boxed `R`, reached through `split` alone while the mutator runs; or
//!     as `()`, which has no bytes.
use crate::driver::idle::{IdleWork, idle_until};
use crate::driver::safepoint::{enter, safepoint, verify};
use crate::driver::shared::Shared;
use crate::handle::local::{Erased, Local, keep_frame};
use crate::heap::active::Inactive;
use crate::mutator::cx::Cx;
use crate::mutator::member::Member;
use crate::trace::{Rebind, Trace};
use crate::world::registry::Seat;
use orinoco_collector::collector::{Census, CollectionKind};
use orinoco_collector::error::AllocError;
use orinoco_collector::units::Bytes;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::time::Instant;

/// Exclusive access to a mutator: a collection may happen where it is used. Lent by [`Attached::run`](crate::Attached::run)
/// and [`Heap::enter`](crate::Heap::enter), never owned. It derefs to [`Cx`].
pub struct Mutator<R> {
    cx: NonNull<Cx>,
    seat: NonNull<Seat<Member>>,
    shared: NonNull<Shared>,
    _roots: PhantomData<*mut R>,
}

impl<R> Deref for Mutator<R> {
    type Target = Cx;
    #[inline(always)]
    fn deref(&self) -> &Cx {
        // SAFETY: U1.
        unsafe { self.cx.as_ref() }
    }
}

impl<R> Mutator<R> {
    pub(crate) fn new(shared: &Shared, seat: &Seat<Member>) -> Self {
        let cx = NonNull::from(seat.occupant().cx());
        Self { cx, seat: NonNull::from(seat), shared: NonNull::from(shared), _roots: PhantomData }
    }
    fn seat(&self) -> &Seat<Member> {
        // SAFETY: U1.
        unsafe { self.seat.as_ref() }
    }
    fn shared(&self) -> &Shared {
        // SAFETY: U1.
        unsafe { self.shared.as_ref() }
    }
    /// The same mutator, as one that cannot reach its roots: a `Mutator<()>`, whose roots are nothing, wherever they are.
    pub(crate) fn without_roots(&mut self) -> Mutator<()> {
        Mutator { cx: self.cx, seat: self.seat, shared: self.shared, _roots: PhantomData }
    }
    /// A shared context and the exclusive view of this mutator's roots, for one window.
    #[inline(always)]
    pub fn split<'gc>(&'gc mut self) -> (&'gc Cx, &'gc mut R::At<'gc>)
    where
        R: Rebind,
    {
        // SAFETY: U1; U3, and R1: an `R` is an `R::At<'gc>` for this window, whose borrow is exclusive.
        unsafe {
            let cx = self.cx.as_ref();
            (cx, &mut *cx.roots.get().cast::<R::At<'gc>>())
        }
    }
    /// Lets a collection happen here, if one is due: a load, a test and a branch when none is.
    ///
    /// # Panics
    /// With whatever the `Drop` of a dead object, or an observer, panics. The heap is whole then, and what was not dropped
    /// yet is dropped later.
    #[inline(always)]
    pub fn safepoint(&mut self) {
        if self.should_yield() {
            self.safepoint_slow();
        }
    }
    #[cold]
    #[inline(never)]
    fn safepoint_slow(&mut self) {
        safepoint(self.shared(), self.seat(), None);
    }
    /// Collects now: exactly what is reachable survives, and what has died is dropped, all of it, before this returns.
    ///
    /// # Panics
    /// As [`safepoint`](Self::safepoint).
    pub fn collect(&mut self) {
        safepoint(self.shared(), self.seat(), Some(CollectionKind::Full));
    }
    /// Collects the young generation now.
    ///
    /// # Panics
    /// As [`safepoint`](Self::safepoint).
    pub fn collect_young(&mut self) {
        safepoint(self.shared(), self.seat(), Some(CollectionKind::Young));
    }
    /// Collects now, and moves every object that can move: the heap is compact afterwards.
    ///
    /// # Panics
    /// As [`safepoint`](Self::safepoint).
    pub fn collect_compact(&mut self) {
        safepoint(self.shared(), self.seat(), Some(CollectionKind::Evacuate));
    }
    /// Ends a turn and begins another: what was kept for having been seen through weak references
    /// ([`WeakCell::upgrade`](crate::WeakCell::upgrade)) is kept no longer. For event loops that run many events in one
    /// [`Attached::run`](crate::Attached::run); its end is one by itself. Costs nothing if nothing was upgraded.
    pub fn end_turn(&mut self) {
        self.kept.forget();
    }
    /// Lets this mutator take so many bytes from the heap from here on, or any number. Then its allocations are refused with
    /// [`AllocError::QuotaReached`], and only its own: a guest that runs away fails alone. Default none.
    ///
    /// What counts is what is taken, by the buffer of 32 KiB, whether it lives on or not; the present buffer is not charged
    /// again. The quota goes with the mutator from turn to turn. To bound what a guest *keeps*, give it a heap.
    pub fn set_quota(&mut self, quota: Option<Bytes>) {
        self.local.quota.set(quota.map_or(usize::MAX, |bytes| bytes.get().min(usize::MAX - 1)));
    }
    /// What is left of the quota, if there is one.
    pub fn quota_left(&self) -> Option<Bytes> {
        let left = self.local.quota.get();
        (left != usize::MAX).then_some(Bytes::new(left))
    }
    /// Does useful work until `deadline`, with this mutator parked: as [`Heap::idle_until`](crate::Heap::idle_until).
    ///
    /// # Panics
    /// With whatever the `Drop` of a dead object panics.
    pub fn idle_until(&mut self, deadline: Instant) -> IdleWork {
        let shared = self.shared.as_ptr();
        // SAFETY: U1.
        self.park(|| idle_until(unsafe { &*shared }, deadline))
    }
    /// Runs `f`; if it was refused memory that a collection may free, collects and runs it once more. What is refused then
    /// is out of reach until the program lets go of something.
    ///
    /// `f` is given what [`split`](Self::split) gives, and puts what it made into the roots, or into a [`Root`](crate::Root)
    /// that it returns: nothing else lasts from before the collection to after it. What a first attempt has done, the
    /// second finds done.
    ///
    /// ```
    /// use orinoco::{AllocError, Bytes, Heap, HeapConfig};
    /// let heap = Heap::new(HeapConfig::new().limit(Bytes::mib(4)).helpers(0))?;
    /// heap.enter((), |m| {
    ///     for _ in 0..20 {
    ///         // Each is garbage when the next is made; none of the windows in between would ever collect by itself.
    ///         let big = m.attempt(|cx, _| Ok(cx.root(cx.try_alloc_slice(2 << 20, |_| 0u8)?)));
    ///         assert_eq!(big.map(|big| big.get(m).len()), Ok(2 << 20));
    ///     }
    ///     let absurd = m.attempt(|cx, _| Ok(cx.root(cx.try_alloc_slice(8 << 20, |_| 0u8)?)));
    ///     assert_eq!(absurd.err(), Some(AllocError::TooLarge));
    /// });
    /// # Ok::<(), orinoco::HeapError>(())
    /// ```
    ///
    /// # Errors
    /// What `f` was refused with the second time, or the first, if no collection can help.
    ///
    /// # Panics
    /// As [`safepoint`](Self::safepoint), and with whatever `f` panics.
    pub fn attempt<O>(
        &mut self,
        mut f: impl for<'gc> FnMut(&'gc Cx, &'gc mut R::At<'gc>) -> Result<O, AllocError>,
    ) -> Result<O, AllocError>
    where
        R: Rebind,
    {
        let (cx, roots) = self.split();
        match f(cx, roots) {
            Err(refused) if refused.collection_may_help() => {}
            done => return done,
        }
        self.collect();
        let (cx, roots) = self.split();
        f(cx, roots)
    }
    /// Begins to collect the old generation, beside the program: a young collection, after which marking, sweeping and
    /// compaction go on as if the old generation had grown to its plan. If they are going on, the young collection is all. Where
    /// nobody marks beside the program, because both ways to do it are switched off, marking is one stop.
    ///
    /// # Panics
    /// As [`safepoint`](Self::safepoint).
    pub fn begin_collection(&mut self) {
        safepoint(self.shared(), self.seat(), Some(CollectionKind::MarkStart));
    }
    /// Stops the world, walks and checks the whole heap, and counts what is reachable.
    ///
    /// # Panics
    /// When the heap is broken: that is a bug in this library.
    pub fn verify(&mut self) -> Census {
        verify(self.shared(), self.seat())
    }
    /// Runs `f` with this mutator parked: for what blocks, joins a thread, or runs another heap's mutator. Others may
    /// collect meanwhile.
    pub fn park<O>(&mut self, f: impl FnOnce() -> O) -> O {
        struct Back<'a>(&'a Shared, &'a Seat<Member>, Option<Inactive>);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                enter(self.0, self.1);
                self.2 = None;
            }
        }
        let (shared, seat) = (self.shared(), self.seat());
        shared.world.park(seat);
        shared.stir();
        let _back = Back(shared, seat, Some(Inactive::begin()));
        f()
    }
    /// The door of `safepoint!`.
    #[doc(hidden)]
    #[inline(always)]
    pub fn __safepoint_keep<K: Trace>(&mut self, value: Erased<K>) -> Erased<K> {
        if !self.should_yield() {
            return value;
        }
        self.safepoint_keep_slow(value)
    }
    #[cold]
    #[inline(never)]
    fn safepoint_keep_slow<K: Trace>(&mut self, value: Erased<K>) -> Erased<K> {
        self.__keep(value, |m, _| m.safepoint_slow()).1
    }
    /// The door of `keep!`.
    #[doc(hidden)]
    pub fn __keep<K: Trace, O>(
        &mut self,
        value: Erased<K>,
        f: impl FnOnce(&mut Mutator<R>, Local<'_, K>) -> O,
    ) -> (O, Erased<K>) {
        let cx = self.cx.as_ptr();
        // SAFETY: U1, U2: nothing borrowed from this mutator is live but the value.
        unsafe { keep_frame(cx, value, |local| f(self, local)) }
    }
}

impl<R> std::fmt::Debug for Mutator<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Mutator").field(&**self).finish()
    }
}

/// A variable of type `&mut Mutator<_>`, exactly: what `safepoint!` and `keep!` accept. Whatever merely derefs to one would
/// run user code between the erasure of the lifetimes and the push of the frame.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`safepoint!`/`keep!` need a variable of type `&mut Mutator<_>`, not `{Self}`"
)]
pub trait ExactMutator: sealed::Sealed {}
mod sealed {
    pub trait Sealed {}
}
impl<R> sealed::Sealed for &mut Mutator<R> {}
impl<R> ExactMutator for &mut Mutator<R> {}

/// Compiles for a `&mut Mutator<_>` only; the parameter is generic, so nothing can be coerced on the way in.
#[doc(hidden)]
#[inline(always)]
pub fn exact<M: ExactMutator>(_: &M) {}
