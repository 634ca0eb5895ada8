//! The story that weak references were made for: listeners on a socket that outlives them.
use crate::common::{config, zealous};
use orinoco::{Bytes, Heap};

#[path = "../../../examples/weak_listener.rs"]
mod weak_listener;
use weak_listener::{Socket, run};

/// In each tenth of the naive run the socket holds all so far, and every message goes to all of them.
fn components() -> u32 {
    if zealous() { 200 } else { 10_000 }
}

#[test]
fn ten_thousand_components_that_come_and_go_leave_memory_flat_and_no_wrapper() {
    let components = components();
    let heap = Heap::new(config().nursery(Bytes::mib(1))).unwrap();
    let outcome = run(&heap, Socket::Careful, components);
    assert_eq!((outcome.listed, outcome.removed), (0, components as usize));
    assert!(outcome.objects.iter().all(|objects| *objects == outcome.objects[0]), "{:?}", outcome.objects);
    let statistics = heap.statistics();
    assert!(statistics.scavenges + statistics.evacuations >= 20, "the loop never collected");
}

#[test]
fn the_naive_socket_beside_it_keeps_everything_that_was_ever_started() {
    let components = components() / 5;
    let heap = Heap::new(config().nursery(Bytes::mib(1))).unwrap();
    let outcome = run(&heap, Socket::Naive, components);
    assert_eq!((outcome.listed, outcome.removed), (components as usize, 0));
    let grown = outcome.objects.windows(2).all(|w| w[1] - w[0] == 2 * components as usize / 10);
    assert!(grown, "a listener and its events for each: {:?}", outcome.objects);
}
