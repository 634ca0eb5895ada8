//! A lock in a heap object, between mutators that change what it guards and a marker that looks.

use crate::Bound::Exhaustive;
use crate::{Shared, protocol};
use orinoco_collector::model::lock_word::LockWord;
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "lock":
    a_marker_and_holders_take_turns (Exhaustive),
    two_holders_take_turns (Exhaustive),
}

/// A vector of references, as the marker must find it: as many elements as its length says.
struct Guarded {
    word: LockWord,
    length: Shared<usize>,
    elements: Shared<usize>,
}

impl Guarded {
    fn new() -> Arc<Self> {
        Arc::new(Self { word: LockWord::new(), length: Shared::new(0), elements: Shared::new(0) })
    }
    fn push(&self) -> bool {
        let taken = self.word.try_take().is_some();
        if taken {
            self.length.set(self.length.get() + 1);
            self.elements.set(self.elements.get() + 1);
            self.word.give();
        }
        taken
    }
    fn look(&self) -> bool {
        let looked = self.word.try_look();
        if looked {
            assert_eq!(self.length.get(), self.elements.get(), "a marker saw a shape half changed");
            self.word.end_look();
        }
        looked
    }
}

/// A mutator changes the content twice, while a marker looks once; who finds it locked goes on without.
fn a_marker_and_holders_take_turns() {
    let guarded = Guarded::new();
    let mutator = thread::spawn({
        let guarded = guarded.clone();
        move || usize::from(guarded.push()) + usize::from(guarded.push())
    });
    let looked = guarded.look();
    let pushed = mutator.join().unwrap();
    assert!(looked || pushed > 0, "a lock was free and nobody got it");
    assert!(guarded.look(), "a lock that nobody holds cannot be looked into");
    assert_eq!(guarded.length.get(), pushed);
}

fn two_holders_take_turns() {
    let guarded = Guarded::new();
    let other = thread::spawn({
        let guarded = guarded.clone();
        move || guarded.push()
    });
    let mine = guarded.push();
    let theirs = other.join().unwrap();
    assert!(mine || theirs, "a lock was free and nobody got it");
    assert_eq!(guarded.length.get(), usize::from(mine) + usize::from(theirs), "two held one lock");
}
