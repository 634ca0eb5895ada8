//! Identity hashes, which outlive every move.
use crate::common::{Node, heap, litter, moving_heap, node, root_node};
use orinoco::{Cx, Gc, Root, safepoint};
use std::collections::HashSet;

#[test]
fn an_identity_hash_is_the_same_for_an_objects_whole_life() {
    for heap in [heap(), moving_heap()] {
        heap.enter((), |m| {
            let roots: Vec<Root<Node<'static>>> = (0..500).map(|i| root_node(m, i)).collect();
            let hashes: Vec<u64> = roots.iter().map(|r| Gc::identity_hash(r.get(m), m)).collect();
            for round in 0..8 {
                litter(m, 1 << 20);
                match round % 4 {
                    0 => m.safepoint(),
                    1 => m.collect_young(),
                    2 => m.collect_compact(),
                    _ => m.collect(),
                }
                for (root, hash) in roots.iter().zip(&hashes) {
                    assert_eq!(Gc::identity_hash(root.get(m), m), *hash);
                }
            }
            assert!(roots.iter().zip(0..).all(|(r, i)| r.get(m).v == i), "the word for the hash disturbs nothing");
        });
    }
}

#[test]
fn objects_asked_at_different_ages_keep_their_hashes_too() {
    moving_heap().enter((), |m| {
        let roots: Vec<Root<Node<'static>>> = (0..64).map(|i| root_node(m, i)).collect();
        let mut known: Vec<Option<u64>> = vec![None; roots.len()];
        for round in 0..roots.len() {
            m.safepoint();
            known[round] = Some(Gc::identity_hash(roots[round].get(m), m));
            for (root, hash) in roots.iter().zip(&known) {
                if let Some(hash) = hash {
                    assert_eq!(Gc::identity_hash(root.get(m), m), *hash);
                }
            }
        }
    });
}

#[test]
fn hashes_of_many_objects_hardly_ever_agree() {
    heap().enter((), |m| {
        let mut seen = HashSet::new();
        let mut born = 0;
        for _ in 0..8 {
            let cx: &Cx = m;
            for i in 0..20_000 {
                seen.insert(Gc::identity_hash(node(cx, i), cx));
                born += 1;
            }
            m.collect_young();
        }
        assert!(seen.len() > born - 10, "{} different hashes of {born} objects", seen.len());
    });
}

#[test]
fn arrays_strings_and_large_objects_have_hashes() {
    moving_heap().enter((), |m| {
        let (small, large) = (m.alloc_str("x"), m.alloc_slice(100_000, |i| i as u64));
        let empty = m.alloc_slice(0, |_| 0u8);
        let hashes = [Gc::identity_hash(small, m), Gc::identity_hash(large, m), Gc::identity_hash(empty, m)];
        let (small, large, empty) = safepoint!(m; small, large, empty);
        let (small, large, empty) = safepoint!(m; small, large, empty);
        assert_eq!(hashes, [Gc::identity_hash(small, m), Gc::identity_hash(large, m), Gc::identity_hash(empty, m)]);
        assert!(&*small == "x" && large[99_999] == 99_999 && empty.is_empty());
    });
}
