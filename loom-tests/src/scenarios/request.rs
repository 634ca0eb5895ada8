//! A wish for a collection, made while one may be running: it is served by one that began after it, or not at all.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco::model::world::request::Requests;
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "request":
    a_wish_is_served_by_what_began_after_it (Exhaustive),
    two_wishes_are_both_served (Exhaustive),
}

struct Heap {
    requests: Requests,
    /// What the wisher drops before it wishes.
    garbage: Shared<bool>,
    /// What the collector found.
    freed: Shared<bool>,
}

fn a_wish_is_served_by_what_began_after_it() {
    let heap = Arc::new(Heap { requests: Requests::new(), garbage: Shared::new(false), freed: Shared::new(false) });
    let wisher = thread::spawn({
        let heap = heap.clone();
        move || {
            heap.garbage.set(true);
            let wish = heap.requests.ask();
            if heap.requests.is_served(wish) {
                assert!(heap.freed.get(), "a wish was served by a collection that began before it");
            }
        }
    });
    let nothing = Requests::new().begin();
    for _ in 0..2 {
        let began = heap.requests.begin();
        if began > nothing {
            let found = heap.garbage.get();
            heap.freed.set(found);
            heap.requests.end(began);
            break;
        }
        heap.requests.end(began);
    }
    wisher.join().unwrap();
}

/// Two wish; one collector serves until nothing is wanted. Neither wish is forgotten.
fn two_wishes_are_both_served() {
    let requests = Arc::new(Requests::new());
    let wisher = thread::spawn({
        let requests = requests.clone();
        move || requests.ask()
    });
    let mine = requests.ask();
    let serve = || {
        while requests.is_wanted_hint() {
            let began = requests.begin();
            requests.end(began);
        }
    };
    serve();
    let theirs = wisher.join().unwrap();
    serve();
    assert!(requests.is_served(mine) && requests.is_served(theirs), "a wish was dropped");
    assert_ne!(mine, theirs);
}
