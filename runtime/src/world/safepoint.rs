//! The stop: one leader asks, waits for those who run, and holds the proof that all are parked.
//!
//! ```text
//!            stop                     the last straggler parks              drop
//!   Free ──────────▶ Stopping ────────────────────────────▶ Stopped ──────────────▶ Waking
//!     ▲               the lock is free while the             the leader               │
//!     │               leader waits                           holds the lock           │
//!     └───────────────────────────────────────────────────────────────────────────────┘
//!                             those who waited have gone on (R3)
//! ```
//!
//! P1  While a [`Stopped`] exists, every mutator of its world is parked and asked, and none comes or goes.
//! P2  A thread that wants to stop the world while another does is stopped with the rest, and told so.
//! P3  `stragglers` counts those found running when asked. Each parks once before the release, so the count is exact.
//!
//! A leader that is a mutator stops itself first and runs again before the lock is free: nobody ever waits for it.

use crate::world::registry::{Occupant, Registry, Seat, World};
use crate::world::state::Found;
use orinoco_collector::planted::bug;
use orinoco_collector::sync::Ordering::Relaxed;
use orinoco_collector::sync::{Arc, MutexGuard, spin_loop};
use std::time::Duration;

/// How long a leader waits before it names those who still run, and how long before it names them again.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often a leader looks before it sleeps: some 20 µs.
const LOOKS: u32 = if cfg!(loom) { 0 } else { 1000 };

/// Somebody else's stop came first, and has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overtaken;

/// Every mutator of a world is parked, for as long as this exists.
#[must_use = "the world runs on when this is dropped"]
#[derive(Debug)]
pub struct Stopped<'w, M: Occupant> {
    world: &'w World<M>,
    registry: MutexGuard<'w, Registry<M>>,
    leader: Option<&'w Seat<M>>,
}

impl<M: Occupant> World<M> {
    /// Stops the world from one of its mutators, which runs and counts as stopped.
    ///
    /// # Errors
    /// [`Overtaken`], when another stop was on: this mutator was parked until its end, and runs again.
    pub fn stop<'w>(&'w self, leader: &'w Seat<M>) -> Result<Stopped<'w, M>, Overtaken> {
        self.stop_as(Some(leader))
    }
    /// Stops the world from a thread that is none of its mutators.
    ///
    /// # Errors
    /// [`Overtaken`], when another stop was on, after its end.
    pub fn stop_from_outside(&self) -> Result<Stopped<'_, M>, Overtaken> {
        self.stop_as(None)
    }

    fn stop_as<'w>(&'w self, leader: Option<&'w Seat<M>>) -> Result<Stopped<'w, M>, Overtaken> {
        let mut registry = self.registry.lock();
        // Nobody is asked yet, so those who wake run on and nobody is stopped while we wait for them (R3).
        while registry.waking > 0 && !registry.stopping && !bug::stop_overtakes_the_waking() {
            self.woken.wait(&mut registry);
        }
        if registry.stopping {
            self.be_stopped(leader, registry);
            return Err(Overtaken);
        }
        registry.stopping = true;
        registry.stragglers = registry.seats.iter().filter(|seat| self.ask(leader, seat) == Found::Running).count();
        self.awaited.store(registry.stragglers, Relaxed);
        let mut registry = self.look_for_stragglers(registry);
        self.wait_for_stragglers(&mut registry);
        Ok(Stopped { world: self, registry, leader })
    }

    fn ask(&self, leader: Option<&Seat<M>>, seat: &Arc<Seat<M>>) -> Found {
        if leader.is_some_and(|leader| std::ptr::eq(leader, &**seat)) {
            seat.word.stop_oneself();
            return Found::Parked;
        }
        let found = seat.word.ask();
        seat.occupant().asked();
        found
    }

    /// Looks for a moment, with the lock free, whether they arrive by themselves: to sleep and be woken takes longer than most
    /// need to their next poll.
    fn look_for_stragglers<'w>(&'w self, registry: MutexGuard<'w, Registry<M>>) -> MutexGuard<'w, Registry<M>> {
        if registry.stragglers == 0 || LOOKS == 0 {
            return registry;
        }
        drop(registry);
        for _ in 0..LOOKS {
            if self.awaited.load(Relaxed) == 0 {
                break;
            }
            spin_loop();
        }
        self.registry.lock()
    }
    fn wait_for_stragglers(&self, registry: &mut MutexGuard<'_, Registry<M>>) {
        let mut waited = Duration::ZERO;
        while registry.stragglers > 0 {
            if self.arrived.wait_for(registry, PATIENCE) {
                waited += PATIENCE;
                registry
                    .seats
                    .iter()
                    .filter(|seat| !seat.is_parked_hint())
                    .for_each(|seat| seat.occupant().late(waited));
            }
        }
    }

    /// Parks the mutator, if it is one, until the stop that is on has ended.
    fn be_stopped<'w>(&'w self, seat: Option<&Seat<M>>, mut registry: MutexGuard<'w, Registry<M>>) {
        let Some(seat) = seat else { return self.wait_for_release(&mut registry) };
        if seat.word.park() {
            self.arrive(&mut registry);
        }
        drop(registry);
        self.unpark_slow(seat);
    }
}

impl<M: Occupant> Stopped<'_, M> {
    /// The mutators, all parked; the leader's own among them.
    pub fn mutators(&self) -> impl Iterator<Item = &M> {
        self.registry.seats.iter().map(|seat| seat.occupant())
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.registry.seats.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.registry.seats.is_empty()
    }
}

impl<M: Occupant> Drop for Stopped<'_, M> {
    fn drop(&mut self) {
        let leader = self.leader;
        for seat in &self.registry.seats {
            if leader.is_some_and(|leader| std::ptr::eq(leader, &**seat)) {
                seat.word.resume_oneself();
            } else {
                // The flag first: lowered after the release, it could belong to the next stop.
                seat.occupant().released();
                seat.word.release();
            }
        }
        self.registry.stopping = false;
        self.registry.releases += 1;
        self.world.ended.fetch_add(1, Relaxed);
        self.registry.waking = std::mem::take(&mut self.registry.waiting);
        self.world.released.notify_all();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use orinoco_collector::sync::{AtomicBool, AtomicUsize, thread};

    /// A mutator with a poll flag, and how often it was found late.
    #[derive(Default)]
    struct Toy {
        flag: AtomicBool,
        late: AtomicUsize,
    }
    impl Occupant for Toy {
        fn asked(&self) {
            self.flag.store(true, Relaxed);
        }
        fn released(&self) {
            self.flag.store(false, Relaxed);
        }
        fn late(&self, _waited: Duration) {
            self.late.fetch_add(1, Relaxed);
        }
    }

    fn running(world: &World<Toy>) -> Arc<Seat<Toy>> {
        let seat = world.attach(Toy::default());
        world.unpark(&seat);
        seat
    }

    #[test]
    fn a_world_without_mutators_is_stopped_at_once() {
        let world = World::<Toy>::new();
        assert!(world.stop_from_outside().expect("nobody else stops it").is_empty());
    }

    #[test]
    fn parked_mutators_do_not_hold_up_a_stop() {
        let world = World::new();
        let seats: Vec<_> = (0..3).map(|_| world.attach(Toy::default())).collect();
        {
            let stopped = world.stop_from_outside().expect("nobody else stops it");
            assert_eq!(stopped.len(), 3);
            assert!(stopped.mutators().all(|toy| toy.flag.load(Relaxed)));
        }
        assert!(seats.iter().all(|seat| !seat.occupant().flag.load(Relaxed)));
        seats.iter().for_each(|seat| world.detach(seat));
        assert!(world.is_empty());
    }

    #[test]
    fn a_leader_counts_as_stopped_and_runs_again() {
        let world = World::new();
        let seat = running(&world);
        for _ in 0..3 {
            let stopped = world.stop(&seat).expect("nobody else stops it");
            assert!(seat.is_parked_hint());
            drop(stopped);
            assert!(!seat.is_parked_hint());
        }
        assert!(!world.poll(&seat), "nobody has asked");
        world.park(&seat);
        world.detach(&seat);
    }

    #[test]
    fn a_mutator_that_does_not_poll_is_named() {
        let world = Arc::new(World::new());
        let seat = running(&world);
        let leader = thread::spawn({
            let world = world.clone();
            move || drop(world.stop_from_outside())
        });
        while seat.occupant().late.load(Relaxed) == 0 {
            thread::yield_now();
        }
        assert!(world.poll(&seat));
        leader.join().unwrap();
        world.park(&seat);
        world.detach(&seat);
    }

    #[test]
    #[should_panic(expected = "parks before it leaves")]
    fn a_running_mutator_cannot_leave() {
        let world = World::new();
        let seat = running(&world);
        world.detach(&seat);
    }

    #[test]
    fn nobody_touches_a_stopped_world_while_mutators_come_and_go() {
        const THREADS: usize = 4;
        const ROUNDS: usize = 300;
        let (world, inside) = (World::new(), AtomicUsize::new(0));
        let (stops, overtaken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for id in 0..THREADS {
                let (world, inside, stops, overtaken) = (&world, &inside, &stops, &overtaken);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let seat = running(world);
                        for step in 0..8 {
                            inside.fetch_add(1, Relaxed);
                            thread::yield_now();
                            inside.fetch_sub(1, Relaxed);
                            if seat.occupant().flag.load(Relaxed) {
                                world.poll(&seat);
                            }
                            if (id + round + step) % 11 == 0 {
                                match world.stop(&seat) {
                                    Ok(_stopped) => {
                                        assert_eq!(inside.load(Relaxed), 0);
                                        stops.fetch_add(1, Relaxed);
                                    }
                                    Err(Overtaken) => _ = overtaken.fetch_add(1, Relaxed),
                                }
                            }
                        }
                        world.park(&seat);
                        world.detach(&seat);
                    }
                });
            }
        });
        assert!(world.is_empty());
        assert!(stops.load(Relaxed) > 0);
        assert!(stops.load(Relaxed) + overtaken.load(Relaxed) <= THREADS * ROUNDS * 8);
    }
}
