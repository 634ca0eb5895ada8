#![expect(unsafe_code, reason = "a mutator's roots are owned through an address that the collector shares")]
//! `Attached<R>`: a mutator and its roots, between turns.
//!
//! ```text
//!   Fresh (roots in hand) ──first run──▶ Seated, parked ◀──run──▶ Seated, running
//!           │ drop                              │ drop
//!           ▼                                   ▼
//!         gone                     roots dropped here; the seat leaves now, or, on a thread that runs
//!                                  another mutator and so must not wait for a stop, at somebody's next turn
//! ```
//!
//! T1  The roots behind a seat's context are a boxed `R`, ours until we take them back under the `pause` lock.
//! T2  Fresh roots hold no references: an `R` at `'static` can only be given any in a turn. So they need no tracing.
//! T3  `run` lends `&mut Mutator` under a higher-ranked lifetime: it cannot be kept, leaked, or returned.
use crate::driver::caretaker::Kept;
use crate::driver::safepoint::enter;
use crate::driver::shared::Shared;
use crate::heap::active::{Active, is_active};
use crate::heap::mutator::Mutator;
use crate::mutator::cx::Cx;
use crate::mutator::frame::OpsOf;
use crate::mutator::member::Member;
use crate::trace::{Rebind, Share, Trace};
use crate::world::registry::Seat;
use orinoco_collector::sync::Arc;

/// A registered, parked mutator with its roots: what an event loop or a task keeps between turns.
///
/// Forgetting one leaks its roots and nothing else, because a parked mutator never holds up a collection.
pub struct Attached<R> {
    shared: Arc<Kept>,
    state: State<R>,
}

enum State<R> {
    Fresh(Box<R>),
    Seated(Arc<Seat<Member>>),
    Gone,
}

// SAFETY: nothing of the mutator is in use while it is parked, and `run` takes `&mut self`. Of its roots, references mean
// nothing outside a window, and everything else in a `Share` type is `Send + Sync` (R3).
unsafe impl<R: Share> Send for Attached<R> {}

impl<R: Trace + Rebind<At<'static> = R> + 'static> Attached<R> {
    pub(crate) fn new(shared: Arc<Kept>, roots: R) -> Self {
        Self { shared, state: State::Fresh(Box::new(roots)) }
    }
    /// Runs the mutator on this thread for the length of `f`: a turn, or several if `f` says where one ends
    /// ([`Mutator::end_turn`]).
    ///
    /// Afterwards, with the mutator parked, a slice of what has died is dropped: about a millisecond at most.
    ///
    /// # Panics
    /// When this thread already runs a mutator, of any heap, that is not parked: at most one heap's references may be live
    /// on a thread. And with whatever `f` or the `Drop` of a dead object panics; the mutator is parked then, and can run again.
    pub fn run<O>(&mut self, f: impl FnOnce(&mut Mutator<R>) -> O) -> O {
        struct Leave<'a>(&'a Shared, &'a Seat<Member>, Option<Active>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.1.occupant().cx().kept.forget();
                self.0.world.park(self.1);
                self.2 = None;
                self.0.settle();
                self.0.stir();
            }
        }
        assert!(!is_active(), "this thread already runs a mutator; park it first");
        self.shared.settle();
        let seat = self.seat();
        let active = Active::claim();
        seat.occupant().cx().watched.begin_turn();
        enter(&self.shared, &seat);
        let leave = Leave(&self.shared, &seat, Some(active));
        let outcome = f(&mut Mutator::new(&self.shared, &seat));
        drop(leave);
        if self.shared.collector.drops_due(&seat.occupant().cx().local) {
            // A `Drop` may not run a mutator here either.
            let _active = Active::claim();
            self.shared.collector.drop_some(&seat.occupant().cx().local);
        }
        outcome
    }
    fn seat(&mut self) -> Arc<Seat<Member>> {
        if let State::Seated(seat) = &self.state {
            return seat.clone();
        }
        let State::Fresh(roots) = std::mem::replace(&mut self.state, State::Gone) else {
            unreachable!("only a drop leaves nothing behind")
        };
        let shared = &self.shared;
        let roots = Box::into_raw(roots).cast();
        let seat = shared.world.attach_with(|| {
            // SAFETY: C1: `self` keeps the heap, and whoever keeps a seat longer is the heap itself. T1.
            Member::new(unsafe {
                Cx::new(&shared.collector, &shared.roots, shared.id, shared.born, roots, OpsOf::<R>::OPS)
            })
        });
        self.state = State::Seated(seat.clone());
        seat
    }
}

impl<R> Attached<R> {
    /// The heap.
    pub fn heap(&self) -> crate::Heap {
        crate::Heap::from_shared(self.shared.clone())
    }
}

impl<R> Drop for Attached<R> {
    fn drop(&mut self) {
        let State::Seated(seat) = std::mem::replace(&mut self.state, State::Gone) else { return };
        let shared = &self.shared;
        let cx = seat.occupant().cx();
        let roots = {
            // A pause ends by itself, so this wait does too, even on a thread that other mutators are waiting for.
            let _no_pause = shared.pause.lock();
            shared.collector.retire_local(&cx.local);
            shared.roots.give_back(&mut cx.free_roots.borrow_mut());
            cx.roots.replace(std::ptr::null_mut())
        };
        if is_active() {
            shared.leaving.lock().push(seat);
        } else {
            shared.world.detach(&seat);
        }
        // SAFETY: T1, and no collection finds them any more.
        drop(unsafe { Box::from_raw(roots.cast::<R>()) });
    }
}

impl<R> std::fmt::Debug for Attached<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attached").field("heap", &self.shared.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Heap, HeapConfig};

    #[test]
    fn a_mutator_takes_its_seat_at_its_first_turn_and_gives_it_up_when_let_go() {
        let heap = Heap::new(HeapConfig::new().helpers(0)).expect("the configuration is in range");
        let mut a = heap.attach(());
        assert_eq!(heap.mutators(), 0);
        a.run(|_| assert_eq!(heap.mutators(), 1));
        a.run(|m| m.collect());
        assert_eq!(heap.mutators(), 1);
        drop(a);
        assert_eq!(heap.mutators(), 0);
    }

    #[test]
    fn one_that_is_let_go_in_anothers_turn_leaves_when_that_ends() {
        let heap = Heap::new(HeapConfig::new().helpers(0)).expect("the configuration is in range");
        let mut a = heap.attach(vec![String::from("roots")]);
        a.run(|m| m.split().1.push(String::from("more")));
        heap.enter((), |m| {
            drop(a);
            assert_eq!(heap.mutators(), 2);
            m.collect();
        });
        assert_eq!(heap.mutators(), 0);
    }
}
