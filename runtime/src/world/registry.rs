//! The mutators of one heap: who is attached, and how one comes and goes.
//!
//! ```text
//!             attach                unpark
//!   outside ─────────▶ Parked ◀────────────────▶ Running
//!      ▲                 │            park
//!      └─────────────────┘
//!             detach
//! ```
//!
//! R1  `seats` and `stopping` change under the lock, and `seats` not while a stop is on: a stop sees a fixed set.
//! R2  A word is asked exactly while `stopping` is true. So, with the lock and no stop on, an unpark cannot fail.
//! R3  After a release nobody asks until everyone whom that stop kept waiting has gone on (`waking`).
//!
//! R3 is the hard idea. Without it two stops in quick succession are one to a mutator that has not woken between them: it
//! is safe, but it may sleep for ever while stop follows stop. A flag cannot tell it that its stop has ended; the
//! count of releases can, and the next leader lets it go first, at a moment when nobody is stopped.

use crate::world::state::StateWord;
use orinoco_collector::planted::bug;
use orinoco_collector::sync::Ordering::Relaxed;
use orinoco_collector::sync::{Arc, AtomicUsize, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// What a heap keeps for each of its mutators, and what it does when that one has to stop.
///
/// The first two are called by a leader who holds the world's lock: they raise and lower a flag, and do no more.
pub trait Occupant {
    /// The mutator has been asked to stop: its next poll has to come here.
    fn asked(&self);
    /// The stop is over.
    fn released(&self);
    /// The mutator is parked, and `stopped` until it is not: its thread may make itself useful meanwhile, and should look often.
    fn stand_by(&self, stopped: &dyn Fn() -> bool) {
        let _ = stopped;
    }
    /// It has been asked `waited` ago and still runs.
    fn late(&self, waited: Duration) {
        let _ = waited;
    }
}

/// A mutator's place in the world.
#[derive(Debug)]
pub struct Seat<M> {
    pub(super) word: StateWord,
    occupant: M,
}

impl<M> Seat<M> {
    /// What the heap keeps for this mutator.
    #[inline]
    pub const fn occupant(&self) -> &M {
        &self.occupant
    }
    /// Whether it did not touch the heap a moment ago.
    #[inline]
    pub fn is_parked_hint(&self) -> bool {
        self.word.is_parked_hint()
    }
}

/// The mutators of one heap.
#[derive(Debug)]
pub struct World<M> {
    pub(super) registry: Mutex<Registry<M>>,
    /// The last straggler has parked; the leader waits here.
    pub(super) arrived: Condvar,
    /// A stop has ended; those it kept waiting wait here.
    pub(super) released: Condvar,
    /// Those have gone on; the next leader waits here.
    pub(super) woken: Condvar,
    /// How many stops have ended, for those who look without the lock: a hint.
    pub(super) ended: AtomicUsize,
    /// Stragglers, for a leader that looks without the lock: a hint.
    pub(super) awaited: AtomicUsize,
}

#[derive(Debug)]
pub(super) struct Registry<M> {
    pub(super) seats: Vec<Arc<Seat<M>>>,
    /// A leader has asked and not yet released.
    pub(super) stopping: bool,
    /// Mutators that ran when they were asked and have not parked since.
    pub(super) stragglers: usize,
    /// How many stops have ended: what a waiter waits to see changed.
    pub(super) releases: u64,
    /// Who waits for the release of the stop that is on.
    pub(super) waiting: usize,
    /// Who was let go by the last release and has not gone on yet.
    pub(super) waking: usize,
}

impl<M: Occupant> Default for World<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Occupant> World<M> {
    /// A world without mutators.
    pub fn new() -> Self {
        Self {
            registry: Mutex::new(Registry {
                seats: Vec::new(),
                stopping: false,
                stragglers: 0,
                releases: 0,
                waiting: 0,
                waking: 0,
            }),
            arrived: Condvar::new(),
            released: Condvar::new(),
            woken: Condvar::new(),
            ended: AtomicUsize::new(0),
            awaited: AtomicUsize::new(0),
        }
    }

    /// Adds a parked mutator; waits while a stop is on.
    pub fn attach(&self, occupant: M) -> Arc<Seat<M>> {
        self.attach_with(|| occupant)
    }
    /// As [`attach`](Self::attach), with an occupant that is made while no stop is on and none can begin: what it copies
    /// of the heap's phase stays true until a stop that sees it.
    pub fn attach_with(&self, occupant: impl FnOnce() -> M) -> Arc<Seat<M>> {
        if bug::attach_copies_the_phase_early() {
            let occupant = occupant();
            return self.seat(self.lock_between_stops(), occupant);
        }
        let registry = if bug::attach_in_a_stop() { self.registry.lock() } else { self.lock_between_stops() };
        let occupant = occupant();
        self.seat(registry, occupant)
    }
    fn seat(&self, mut registry: MutexGuard<'_, Registry<M>>, occupant: M) -> Arc<Seat<M>> {
        let seat = Arc::new(Seat { word: StateWord::new_parked(), occupant });
        registry.seats.push(seat.clone());
        seat
    }

    /// Removes a parked mutator; waits while a stop is on.
    ///
    /// # Panics
    /// When the seat is not of this world, or its mutator runs.
    pub fn detach(&self, seat: &Arc<Seat<M>>) {
        assert!(seat.is_parked_hint(), "a mutator parks before it leaves");
        let mut registry = if bug::detach_in_a_stop() { self.registry.lock() } else { self.lock_between_stops() };
        let at = registry.seats.iter().position(|other| Arc::ptr_eq(other, seat));
        registry.seats.swap_remove(at.expect("a mutator leaves the world it belongs to"));
    }

    /// Shows every seat, at a moment when none comes or goes; waits while a stop is on.
    pub fn for_each(&self, show: impl FnMut(&Seat<M>)) {
        self.lock_between_stops().seats.iter().map(|seat| &**seat).for_each(show);
    }
    /// As [`for_each`](Self::for_each), but if a stop is on nobody is shown, for everybody is asked already. For threads
    /// that may be one of those that a stop waits for.
    pub fn for_each_unless_stopping(&self, show: impl FnMut(&Seat<M>)) {
        let registry = self.registry.lock();
        if !registry.stopping {
            registry.seats.iter().map(|seat| &**seat).for_each(show);
        }
    }
    /// How many mutators there are.
    pub fn len(&self) -> usize {
        self.registry.lock().seats.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mutator gives up the heap, for a stop or for as long as it likes.
    #[inline]
    pub fn park(&self, seat: &Seat<M>) {
        if seat.word.park() {
            self.arrive(&mut self.registry.lock());
        }
    }
    /// The mutator takes the heap back; waits while a stop is on.
    #[inline]
    pub fn unpark(&self, seat: &Seat<M>) {
        if !seat.word.try_unpark() {
            self.unpark_slow(seat);
        }
    }
    #[cold]
    pub(super) fn unpark_slow(&self, seat: &Seat<M>) {
        // For one stop only: who stands by does not wait in the sense of R3, and must get to do that.
        let seen = self.ended.load(Relaxed);
        seat.occupant.stand_by(&|| seat.word.is_asked_hint() && self.ended.load(Relaxed) == seen);
        if !seat.word.try_unpark() {
            self.unpark_locked(seat, self.registry.lock());
        }
    }
    pub(super) fn unpark_locked<'w>(&'w self, seat: &Seat<M>, mut registry: MutexGuard<'w, Registry<M>>) {
        self.wait_for_release(&mut registry);
        let free = seat.word.try_unpark();
        assert!(free, "with the lock and no stop on, nobody asks");
    }
    /// Stops here if a stop is on; true if one was.
    #[inline]
    pub fn poll(&self, seat: &Seat<M>) -> bool {
        seat.word.is_asked_hint() && {
            self.park(seat);
            self.unpark(seat);
            true
        }
    }

    /// The lock, at a moment when no stop is on.
    fn lock_between_stops(&self) -> MutexGuard<'_, Registry<M>> {
        let mut registry = self.registry.lock();
        self.wait_for_release(&mut registry);
        registry
    }
    /// Waits until the stop that is on has ended, if one is; none is on when it returns.
    pub(super) fn wait_for_release(&self, registry: &mut MutexGuard<'_, Registry<M>>) {
        if !registry.stopping {
            return;
        }
        let seen = registry.releases;
        registry.waiting += 1;
        while registry.releases == seen {
            self.released.wait(registry);
        }
        let first = registry.releases == seen + 1 && !registry.stopping;
        assert!(first, "nobody asks before those whom the last stop kept waiting have gone on");
        registry.waking -= 1;
        if registry.waking == 0 {
            self.woken.notify_all();
        }
    }
    /// A straggler has parked.
    pub(super) fn arrive(&self, registry: &mut MutexGuard<'_, Registry<M>>) {
        registry.stragglers -= 1;
        self.awaited.store(registry.stragglers, Relaxed);
        if registry.stragglers == 0 {
            self.arrived.notify_all();
        }
    }
}
