//! Zeal, word by word: each does what it says, and the heap comes through.
use crate::common::{Node, list, node, values};
use orinoco::{Bytes, Field, Gc, Heap, HeapConfig, Statistics, Zeal};

/// A heap under the zeal of these words, verified.
fn zealous(words: &str) -> Heap {
    let zeal: Zeal = words.parse().expect("these are words of zeal");
    Heap::new(HeapConfig::new().limit(Bytes::mib(64)).helpers(1).verify(true).zeal(zeal)).expect("in range")
}

/// Builds and replaces lists for `rounds` safepoints, and says what the heap did.
fn work(words: &str, rounds: u64) -> Statistics {
    let heap = zealous(words);
    heap.enter((), |m| {
        let kept = m.root(node(m, 0));
        for round in 0..rounds {
            let head = list(m, round % 40);
            kept.get(m).next.set(m, head);
            m.safepoint();
            let found = values(kept.get(m).next.get());
            assert!(found.into_iter().eq((0..round % 40).rev()), "{words}: a list is broken in round {round}");
        }
    });
    heap.statistics()
}

/// Once the poll flag was lowered by a safepoint that had nothing to do, it stayed down: zeal at every third safepoint
/// collected at the first that came to it and then never again.
#[test]
fn every_third_safepoint_is_every_third() {
    assert_eq!(work("young:3", 30).scavenges, 10);
    assert_eq!(work("everything:2", 30).evacuations, 15);
    assert_eq!(work("full:5", 30).full_collections, 6);
}

#[test]
fn kinds_alternate() {
    let done = work("alternating", 60);
    assert!(done.scavenges > 30 && done.evacuations == 10 && done.full_collections == 20, "{done:?}");
}

#[test]
fn marking_never_rests() {
    let done = work("young:2,marking", 400);
    assert!(done.full_collections > 5, "marking ended {} times", done.full_collections);
    let done = work("young:2,marking,step,labs", 400);
    assert!(done.full_collections > 5, "marking in single steps ended {} times", done.full_collections);
}

#[test]
fn a_wish_comes_with_every_so_many_allocations() {
    let done = work("alloc:100,labs", 400);
    // 400 rounds make 7800 nodes and the root's: a wish each hundred, of which those within one window are one.
    assert!((50..=79).contains(&done.scavenges), "{} scavenges", done.scavenges);
}

#[test]
fn what_survives_is_promoted_at_once() {
    let done = work("young:1,promote", 50);
    assert_eq!(done.bytes_copied, 0);
    assert!(done.bytes_promoted > 0);
}

#[test]
fn all_of_it_at_once_on_two_threads() {
    let heap = zealous("all");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                heap.enter((), |m| {
                    let kept = m.root(node(m, 0));
                    for round in 0..60 {
                        let head: Gc<'_, Node<'_>> = m.alloc(Node { next: Field::new(list(m, 10)), v: round });
                        kept.get(m).next.set(m, Some(head));
                        m.safepoint();
                        assert_eq!(values(kept.get(m).next.get()).len(), 11);
                    }
                });
            });
        }
    });
}
