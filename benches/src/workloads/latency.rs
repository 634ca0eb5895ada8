//! `latency`: a ring of 200 000 messages of one KiB, the oldest replaced at each push.
//!
//! The data are flat and old, the garbage is as old as they are, and nothing is ever linked: what is measured is
//! how the collector gets through 200 MiB without being felt. The checksum adds bytes of replaced messages.

use orinoco::{Gc, Mutator, Slot, Trace};

use super::Profile;
use super::part::Part;

/// See [`Profile`].
pub const PROFILE: Profile = Profile {
    default_size: 4000.0,
    unit: "thousand pushes",
    largest: 1e9,
    smallest_share: 0.0,
    even_steps: true,
    live_bytes: |_, _| MESSAGES * (1040.0 + 8.0),
};

const MESSAGES: f64 = 200_000.0;
const MESSAGE_BYTES: usize = 1024;
/// Messages read between two safepoints, in the end.
const BATCH: usize = 1024;

type Message<'gc> = Gc<'gc, [u8]>;
type Ring<'gc> = Gc<'gc, [Slot<Option<Message<'gc>>>]>;

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

/// One thread's run, with a ring of its own.
pub fn mutate(m: &mut M, part: &mut Part) {
    let length = part.share(MESSAGES) as usize;
    let pushes = part.share(part.size * 1e3);
    {
        let (cx, roots) = m.split();
        roots.ring = Some(cx.alloc_slice(length, |_| Slot::new(None)));
    }
    let (mut oldest, mut sum) = (0, 0);
    part.gaps.start();
    for push in 0..pushes {
        let (cx, roots) = m.split();
        let slot = &roots.ring()[oldest];
        let message = cx.alloc_slice(MESSAGE_BYTES, |_| push as u8);
        if let Some(old) = slot.get() {
            sum += u64::from(old[0]) + u64::from(old[MESSAGE_BYTES - 1]);
        }
        slot.set(cx, Some(message));
        oldest = if oldest + 1 == length { 0 } else { oldest + 1 };
        m.safepoint();
        part.gaps.mark();
    }
    part.operations = pushes;

    for start in (0..length).step_by(BATCH) {
        let (_, roots) = m.split();
        for slot in roots.ring().iter().skip(start).take(BATCH) {
            sum += slot.get().map_or(0, |message| u64::from(message[0]));
        }
        m.safepoint();
    }
    part.checksum = sum;
}
