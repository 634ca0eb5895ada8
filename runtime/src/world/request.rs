//! Collections that somebody wants: a ticket for each wish, and a mark up to which wishes are served.
//!
//! ```text
//!   tickets     1   2   3   4   5   6
//!               └── served ──┘   └──┴── wanted, not served
//!                        ▲
//!                        └── what the last collection found wanted when it began
//! ```
//!
//! Q1  A wish is served by a collection that began after it, and by no other: what became garbage just before the wish is
//!     garbage to that collection.
//! Q2  A collection serves what it found when it began; a wish that comes while it runs stays wanted.
//!
//! A flag cannot do this. Cleared at the end of a collection it drops the wish that came during it; cleared at the
//! beginning it lets a second wisher believe that the first one's collection, half done, is his.

use orinoco_collector::planted::{bug, ord};
use orinoco_collector::sync::AtomicUsize;
use orinoco_collector::sync::Ordering::Relaxed;

/// Wishes for collections of one kind.
#[derive(Debug)]
pub struct Requests {
    /// The last ticket given out. Wishers write it.
    wanted: AtomicUsize,
    /// The last ticket that is served. Written by whoever collected.
    served: AtomicUsize,
}

/// A wish, to be looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(usize);

impl Default for Requests {
    fn default() -> Self {
        Self::new()
    }
}

impl Requests {
    /// Nothing is wanted.
    pub fn new() -> Self {
        Self { wanted: AtomicUsize::new(0), served: AtomicUsize::new(0) }
    }
    /// Wants a collection that begins from now on.
    pub fn ask(&self) -> Ticket {
        // Release: who serves the wish sees what was done before it; partner: Acquire in `begin`.
        // Guarded by `request::a_wish_is_served_by_what_began_after_it`.
        Ticket(self.wanted.fetch_add(1, ord::request_ask()) + 1)
    }
    /// Whether a collection that began after the wish has ended.
    pub fn is_served(&self, ticket: Ticket) -> bool {
        // Acquire: partner of the Release in `end`: the wisher sees what the collection did.
        self.served.load(ord::request_is_served()) >= ticket.0
    }
    /// Whether somebody wants what is not served.
    pub fn is_wanted_hint(&self) -> bool {
        self.wanted.load(Relaxed) > self.served.load(Relaxed)
    }
    /// A collection begins: what it will have served at its end.
    pub fn begin(&self) -> Ticket {
        // Acquire: partner of the Release in `ask`.
        Ticket(self.wanted.load(ord::request_begin()))
    }
    /// The collection that began with `began` has ended.
    pub fn end(&self, began: Ticket) {
        let served = if bug::request_end_drops_the_late() { self.wanted.load(Relaxed) } else { began.0 };
        // Release: partner of the Acquire in `is_served`.
        self.served.fetch_max(served, ord::request_end());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_wish_that_comes_during_a_collection_stays_wanted() {
        let requests = Requests::new();
        let early = requests.ask();
        let began = requests.begin();
        let late = requests.ask();
        requests.end(began);
        assert!(requests.is_served(early));
        assert!(!requests.is_served(late));
        assert!(requests.is_wanted_hint());
    }

    #[test]
    fn one_collection_serves_all_who_wished_before_it() {
        let requests = Requests::new();
        let (first, second) = (requests.ask(), requests.ask());
        requests.end(requests.begin());
        assert!(requests.is_served(first) && requests.is_served(second));
        assert!(!requests.is_wanted_hint());
    }

    #[test]
    fn an_older_collection_that_ends_late_takes_nothing_back() {
        let requests = Requests::new();
        let _ = requests.ask();
        let old = requests.begin();
        let second = requests.ask();
        requests.end(requests.begin());
        requests.end(old);
        assert!(requests.is_served(second));
    }
}
