//! `list_churn`: lists of 1 to 1000 nodes, of which the last 10 000 stay alive.
//!
//! Each list replaces the oldest in a ring, so about five million nodes are live and all of them die in the
//! order in which they were made: the generational guess is wrong for every one. The ring is an array in the
//! heap. The checksum folds the values of all lists that are left.

use orinoco::{Field, Gc, Mutator, Trace};

use super::Profile;
use super::part::Part;

/// See [`Profile`].
pub const PROFILE: Profile = Profile {
    default_size: 20.0,
    unit: "million nodes per thread",
    largest: 1e6,
    smallest_share: 0.0,
    even_steps: true,
    live_bytes: |_, threads| 5.005e6 * 24.0 * threads,
};

const LISTS: usize = 10_000;

#[derive(Trace)]
struct Node<'gc> {
    next: Option<Gc<'gc, Node<'gc>>>,
    value: u32,
}

type Ring<'gc> = Gc<'gc, [Field<'gc, Node<'gc>>]>;

/// The ring.
#[derive(Trace, Default)]
#[trace(root)]
pub struct Roots<'gc> {
    ring: Option<Ring<'gc>>,
}

impl<'gc> Roots<'gc> {
    #[inline]
    fn ring(&self) -> Ring<'gc> {
        self.ring.expect("the ring is made first")
    }
}

type M = Mutator<Roots<'static>>;

/// One thread's run, with lists of its own.
pub fn mutate(m: &mut M, part: &mut Part) {
    {
        let (cx, roots) = m.split();
        roots.ring = Some(cx.alloc_slice(LISTS, |_| Field::null()));
    }
    let wanted = (part.size * 1e6) as u64;
    let (mut oldest, mut total) = (0, 0);
    part.gaps.start();
    while total < wanted {
        let length = 1 + part.random.below(1000);
        let (cx, roots) = m.split();
        let mut list = None;
        for value in 0..length {
            list = Some(cx.alloc(Node { next: list, value }));
        }
        roots.ring()[oldest].set(cx, list);
        oldest = if oldest == LISTS - 1 { 0 } else { oldest + 1 };
        total += u64::from(length);
        part.operations += 1;
        m.safepoint();
        part.gaps.mark();
    }

    let mut sum = total as u32;
    for list in 0..LISTS {
        let (_, roots) = m.split();
        let mut rest = roots.ring()[list].get();
        while let Some(node) = rest {
            sum = sum.wrapping_mul(31).wrapping_add(node.value);
            rest = node.next;
        }
        m.safepoint();
    }
    part.checksum = u64::from(sum);
}
