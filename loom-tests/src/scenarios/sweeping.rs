//! Sweepers and whoever takes gaps meet under one lock: a region has one sweeper, a gap one owner, the dead no visitors.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco_collector::model::gaps::{Gaps, Run};
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "sweeping":
    a_gap_is_written_before_it_is_used (Exhaustive),
    two_sweepers_sweep_two_regions (Exhaustive),
    what_refers_into_the_dead_goes_before_they_are_swept (Exhaustive),
    a_candidates_gaps_are_nobodys_until_it_is_given_up (Exhaustive),
}

const FILLER: usize = 1;
const OBJECT: usize = 2;

/// Two regions with one gap each, in plain memory.
struct Old {
    gaps: Gaps,
    memory: [Shared<usize>; 2],
}

impl Old {
    fn new() -> Arc<Self> {
        Arc::new(Self { gaps: Gaps::default(), memory: [Shared::new(0), Shared::new(0)] })
    }
    /// What a sweeper does: claims, makes the gap walkable, and says so.
    fn sweep(&self, is_candidate: impl FnOnce() -> bool) -> Option<usize> {
        let region = self.gaps.claim()?;
        self.memory[region].update(|word| {
            assert_eq!(*word, 0, "a region was swept twice");
            *word = FILLER;
        });
        self.gaps.swept(region, vec![Run { offset: region, bytes: 256 }], is_candidate);
        Some(region)
    }
    /// What a promotion does: takes a gap, and writes an object there.
    fn promote(&self) -> Option<usize> {
        let region = self.gaps.try_take(256)?.offset;
        self.memory[region].update(|word| {
            assert_eq!(*word, FILLER, "a gap was used before it was swept, or twice");
            *word = OBJECT;
        });
        Some(region)
    }
}

fn a_gap_is_written_before_it_is_used() {
    let old = Old::new();
    old.gaps.begin([0].into(), || {});
    let sweeper = thread::spawn({
        let old = old.clone();
        move || old.sweep(|| false)
    });
    let early = old.promote();
    sweeper.join().unwrap();
    assert!(early.is_some() != old.promote().is_some(), "a gap is one owner's");
}

fn two_sweepers_sweep_two_regions() {
    let old = Old::new();
    old.gaps.begin([0, 1].into(), || {});
    let other = thread::spawn({
        let old = old.clone();
        move || old.sweep(|| false)
    });
    let mine = old.sweep(|| false);
    assert_ne!(mine, other.join().unwrap(), "two sweepers have one region");
    assert_eq!(old.gaps.unswept(), 0);
}

/// A remembered place lies in a dead object. The stop that ends marking looks at it, for the last time; a sweeper and
/// whoever promotes are quick.
fn what_refers_into_the_dead_goes_before_they_are_swept() {
    let old = Old::new();
    let quick = thread::spawn({
        let old = old.clone();
        move || {
            old.sweep(|| false);
            old.promote();
        }
    });
    old.gaps.begin([0].into(), || assert_eq!(old.memory[0].get(), 0, "a dead object was looked at after its end"));
    quick.join().unwrap();
}

/// A candidate is given up in a stop while its sweeper is about to say what it has found.
fn a_candidates_gaps_are_nobodys_until_it_is_given_up() {
    use orinoco_collector::model::sync::{AtomicBool, Ordering::Relaxed};
    let old = Old::new();
    old.gaps.begin([0].into(), || {});
    let candidate = Arc::new(AtomicBool::new(true));
    let sweeper = thread::spawn({
        let (old, candidate) = (old.clone(), candidate.clone());
        move || {
            old.sweep(|| candidate.load(Relaxed));
        }
    });
    let early = old.gaps.try_take(256);
    assert!(early.is_none(), "a gap of a candidate was handed out");
    old.gaps.readmit(0, || candidate.store(false, Relaxed));
    sweeper.join().unwrap();
    assert_eq!(old.promote(), Some(0), "the gaps of a region that was given up are lost");
}
