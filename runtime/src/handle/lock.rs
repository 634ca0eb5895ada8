#![expect(unsafe_code, reason = "a spin lock around Rust data that the collector looks into")]
//! `Lock<T>`: ordinary Rust data, containers of references included, inside a heap object.
//!
//! Its word, locked or not, listed or not, is [`LockWord`]'s.
//!
//! The barrier is paid at *acquisition*: a guard can be forgotten and a closure can unwind, so nothing may depend on code
//! that runs at release. Listed means: look at the lock's whole content in the next pause. A guard borrows the context, so
//! no lock is held across a safepoint, waits are bounded by windows, and a pause needs no locking at all.
//!
//! L1  The content is reached through `&mut` by whoever locked the word, or by the collector in a stop.
//! L2  Locks in the old space only are listed, by who holds them, and with an entry in the remembered set. So a lock
//!     that moves into the old space, from the stack or from the nursery, does not claim to be listed.
//! L3  A concurrent marker takes the lock or puts the look off. What is stored after its look it does not miss: the lock is
//!     listed, and each young collection while marking shades what listed places refer to.
use crate::mutator::barrier::YOUNG;
use crate::mutator::cx::Cx;
use crate::trace::{Marker, Mover, Rebind, Share, Trace, no_slot};
use orinoco_collector::mark::lock_word::LockWord;
use orinoco_collector::object::trace::PlaceOps;
use orinoco_collector::stall::StallState;
use orinoco_collector::sync::{AtomicU32, Ordering};
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

/// Rounds of spinning before the thread yields.
const SPINS: u64 = 64;

/// Rust data inside a heap object, reached by one mutator at a time.
///
/// For small and medium containers: one that was touched is looked at whole in the next pause. What grows large belongs
/// in `Gc<[Slot<V>]>`.
#[repr(C)]
pub struct Lock<T> {
    word: LockWord,
    /// Which mutator holds it; means nothing while nobody does.
    holder: AtomicU32,
    content: UnsafeCell<T>,
}

impl<T> Lock<T> {
    /// An unlocked lock around `content`.
    pub const fn new(content: T) -> Self {
        Lock { word: LockWord::new(), holder: AtomicU32::new(0), content: UnsafeCell::new(content) }
    }
    /// The content, through the only reference to its lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.content.get_mut()
    }
    /// The content, out of its lock.
    pub fn into_inner(self) -> T {
        self.content.into_inner()
    }
}

impl<T: Trace> Lock<T> {
    /// Waits for the lock. Only other mutators can hold it, none of them across a safepoint, so the wait is bounded; unless
    /// one has forgotten a guard, which the watchdog reports, with who holds the lock.
    ///
    /// # Panics
    /// When this mutator holds it already (or forgot a guard of it): it would wait for itself.
    #[inline]
    pub fn lock<'a>(&'a self, cx: &'a Cx) -> LockGuard<'a, T> {
        let listed = self.acquire(cx);
        let byte = cx.barrier_byte(std::ptr::from_ref(self).addr());
        if byte != YOUNG && !listed {
            self.list_slow(cx);
        }
        let mut guard = LockGuard { lock: self, cx, owned: 0 };
        if T::OWNS {
            guard.owned = guard.owned_bytes(false);
        }
        guard
    }
    /// Runs `f` on the content.
    ///
    /// # Panics
    /// As [`lock`](Self::lock).
    pub fn with<O>(&self, cx: &Cx, f: impl FnOnce(&mut T) -> O) -> O {
        f(&mut self.lock(cx))
    }
    /// Takes the lock; says whether it is listed.
    #[inline]
    fn acquire(&self, cx: &Cx) -> bool {
        let listed = match self.word.try_take() {
            Some(listed) => listed,
            None => self.acquire_slow(cx),
        };
        self.holder.store(cx.id, Ordering::Relaxed);
        listed
    }
    #[cold]
    fn acquire_slow(&self, cx: &Cx) -> bool {
        let mut spins = 0u64;
        let mut began = None;
        loop {
            if let Some(listed) = self.word.try_take() {
                if began.is_some() {
                    cx.watched.waits_for(0);
                    cx.watched.forget();
                }
                return listed;
            }
            spins += 1;
            if spins < SPINS {
                std::hint::spin_loop();
            } else {
                assert!(
                    self.holder.load(Ordering::Relaxed) != cx.id,
                    "this mutator already holds this `Lock`, or forgot a guard of it; it would wait for itself for ever"
                );
                self.wait(cx, spins - SPINS, &mut began);
            }
        }
    }
    /// Yields; and tells the watchdog now and then, in case the lock is never given.
    fn wait(&self, cx: &Cx, turn: u64, began: &mut Option<Instant>) {
        if turn.is_multiple_of(1024) {
            let began = *began.get_or_insert_with(Instant::now);
            cx.watched.waits_for(self.holder.load(Ordering::Relaxed));
            if !cx.should_yield() {
                cx.report_stall(StallState::WaitingForLock, began.elapsed());
            }
        }
        std::thread::yield_now();
    }
    /// Lists the lock, if it lies in the old space.
    #[cold]
    #[inline(never)]
    fn list_slow(&self, cx: &Cx) {
        let place = std::ptr::from_ref(self).cast_mut().cast::<u8>();
        let collector = cx.collector();
        if !collector.contains(place.addr()) || collector.is_young(place.addr()) {
            return;
        }
        self.word.list();
        // SAFETY: the operations are this lock's type's.
        unsafe { collector.remember_lock(&cx.local, place, Self::OPS) }
    }
    const OPS: &'static PlaceOps = &PlaceOps { relocate: relocate_lock::<T, _> };
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}
impl<T> std::fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// A held [`Lock`]. Forgetting one locks it for ever; its content is still looked at.
pub struct LockGuard<'a, T: Trace> {
    lock: &'a Lock<T>,
    cx: &'a Cx,
    /// What the content owned outside of the heap when the lock was taken.
    owned: usize,
}

impl<T: Trace> LockGuard<'_, T> {
    /// The lock is about to be given back: the heap learns what its content owns more, or less, than before. A lock that
    /// does not lie in the heap is counted when it is moved there, if ever.
    #[cold]
    #[inline(never)]
    fn note_owned(&self, now: usize) {
        let collector = self.cx.collector();
        if collector.contains(std::ptr::from_ref(self.lock).addr()) {
            let change = now.cast_signed().wrapping_sub(self.owned.cast_signed());
            collector.note_owned(&self.cx.local, change);
            self.cx.pass_on_wish();
        }
    }
}

impl<T: Trace> Deref for LockGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: L1.
        unsafe { &*self.lock.content.get() }
    }
}
impl<T: Trace> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: L1.
        unsafe { &mut *self.lock.content.get() }
    }
}
impl<T: Trace> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if T::OWNS {
            let now = self.owned_bytes(false);
            if now != self.owned {
                self.note_owned(now);
            }
        }
        // Before the lock is free, so that a mutator that waits for it next never finds itself named as its holder.
        self.lock.holder.store(0, Ordering::Relaxed);
        self.lock.word.give();
    }
}

/// Shows the references under the lock at `place`.
///
/// # Safety
/// `place` is a `Lock<T>`.
unsafe fn mark_lock<T: Trace, V: Marker>(place: *mut u8, v: &mut V) {
    // SAFETY: the caller's promise.
    unsafe { (*place.cast::<Lock<T>>()).mark(v) }
}

/// Shows the references under the lock at `place` and stores what they become.
///
/// # Safety
/// `place` is a `Lock<T>`, and the world is stopped.
unsafe fn relocate_lock<T: Trace, V: Mover>(place: *mut u8, v: &mut V) {
    // SAFETY: the caller's promise.
    unsafe { (*place.cast::<Lock<T>>()).relocate(v) }
}

// SAFETY: R1, the content's.
unsafe impl<T: Rebind> Rebind for Lock<T> {
    type At<'a> = Lock<T::At<'a>>;
}
// SAFETY: R2, the content's, under L1.
unsafe impl<T: Trace> Trace for Lock<T> {
    // A lock knows its host by its own address, as a slot does: in malloc memory nothing would list it, and a young object
    // put under it would be lost. A lock without references has no barrier to lose.
    const HAS_SLOT: bool = T::HAS_EDGES;
    // A slot under a lock would lie inline in the object, and its barrier would work; `mem::take` could move it into malloc
    // memory, where it would not. So `mark` refuses it.
    const HAS_EDGES: bool = T::HAS_EDGES;
    const OWNS: bool = T::OWNS;
    /// What a holder can measure before and after in no time, and so the same at birth and at death.
    fn owned_bytes(&mut self, _: bool) -> usize {
        self.get_mut().owned_bytes(false)
    }
    fn mark<V: Marker>(&self, v: &mut V) {
        const { no_slot::<T>() }
        if v.is_concurrent() {
            if !self.word.try_look() {
                v.defer(std::ptr::from_ref(self).cast_mut().cast(), mark_lock::<T, V>);
                return;
            }
            // The marker is no mutator: nobody may take it for the holder before.
            self.holder.store(0, Ordering::Relaxed);
            // SAFETY: L1, we hold the lock.
            unsafe { (*self.content.get()).mark(v) }
            self.word.end_look();
        } else {
            // SAFETY: L1, the world is stopped; if the lock is held, its guard was forgotten, and the guard's borrow is over.
            unsafe { (*self.content.get()).mark(v) }
        }
    }
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        self.word.unlist();
        self.content.get_mut().relocate(v);
    }
}
// SAFETY: R3, one thread at a time reaches the content, which is `Share` and so may go from one to another.
unsafe impl<T: Share> Share for Lock<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gc, Heap, HeapConfig};

    type Bag<'gc> = Lock<Vec<Gc<'gc, u64>>>;

    fn is_listed(lock: &Bag<'_>) -> bool {
        lock.word.is_listed_hint()
    }

    #[test]
    fn young_locks_and_locks_on_the_stack_are_never_listed() {
        let heap = Heap::new(HeapConfig::new().helpers(0)).expect("the configuration is in range");
        heap.enter((), |m| {
            let on_the_stack: Bag<'_> = Lock::new(Vec::new());
            on_the_stack.lock(m).push(m.alloc(1));
            assert!(!is_listed(&on_the_stack));
            let young = m.alloc(on_the_stack);
            young.lock(m).push(m.alloc(2));
            assert!(!is_listed(&young));
        });
    }

    #[test]
    fn an_old_lock_is_listed_once_a_cycle() {
        let heap = Heap::new(HeapConfig::new().helpers(0).verify(true)).expect("the configuration is in range");
        heap.enter((), |m| {
            let bag = m.root(m.alloc(Bag::new(Vec::new())));
            for round in 0..4 {
                (0..3).for_each(|_| m.collect_young());
                assert!(!is_listed(&bag.get(m)), "round {round}: a collection has looked at it");
                bag.get(m).lock(m).push(m.alloc(round));
                assert!(is_listed(&bag.get(m)));
                let listed = m.local.remembered.borrow().len();
                bag.get(m).lock(m).push(m.alloc(round));
                assert_eq!(m.local.remembered.borrow().len(), listed, "it is listed already");
            }
            m.collect();
            assert_eq!(bag.get(m).lock(m).iter().map(|n| **n).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2, 3, 3]);
        });
    }

    #[test]
    fn a_held_lock_says_who_holds_it() {
        let heap = Heap::new(HeapConfig::new().helpers(0)).expect("the configuration is in range");
        heap.enter((), |m| {
            let lock: Bag<'_> = Lock::new(Vec::new());
            let guard = lock.lock(m);
            assert!(lock.word.is_locked_hint());
            assert_eq!(lock.holder.load(Ordering::Relaxed), m.id);
            drop(guard);
            assert!(!lock.word.is_locked_hint());
        });
    }
}
