//! Who waits for whom: entries of ephemeron tables whose keys nobody has reached yet, listed under their keys.
//!
//! ```text
//!   who scans a table:   key reached? ──no──▶ list the entry under the key ──▶ key reached now? ──no──▶ it waits
//!                          └─yes─▶ show the value ◀───────────────────────────── yes ─┘
//!   who reaches a key:   claim its mark bit ──▶ take what is listed under the key ──▶ show each value
//! ```
//!
//! A table is scanned once, and an entry is looked at again only when its key is reached: so the work is bounded by the
//! entries and the keys, however long a chain of entries is, in whatever order, and across however many tables. To scan all
//! tables again and again until nothing changes would need a round for every link.
//!
//! P1  An entry is listed before its key is looked at for the last time, and a key is reached before what waits for it is
//!     taken, both under the lock of the key's shard: whoever comes second sees the other. Both may; to show a value twice
//!     is harmless.
//! P2  What still waits when marking has run dry has a dead key.
use crate::planted::bug;
use crate::sync::{CachePadded, Mutex};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Shards, so that markers seldom meet; one in a model, for its locks are what a model counts.
const SHARDS: usize = if cfg!(loom) { 1 } else { 32 };
/// The end of a chain.
const NONE: u32 = u32::MAX;
/// Links whose memory a shard keeps from one cycle to the next.
const MODEST: usize = 256;

/// Entries of type `E`, by their keys.
pub struct Waiting<K, E> {
    shards: Shards<K, E>,
}

type Shards<K, E> = Box<[CachePadded<Mutex<Shard<K, E>>>]>;

struct Shard<K, E> {
    /// The last entry listed under each key.
    heads: HashMap<K, u32, BuildHasherDefault<AddressHasher>>,
    /// Entries, each with the one listed before it under the same key.
    links: Vec<(E, u32)>,
}

impl<K: Copy + Eq + Hash, E: Copy> Waiting<K, E> {
    /// Nobody waits. For many threads.
    pub fn shared() -> Self {
        Self::with_shards(SHARDS)
    }
    /// Nobody waits. For one thread.
    pub fn alone() -> Self {
        Self::with_shards(1)
    }
    fn with_shards(shards: usize) -> Self {
        let shard = |_| CachePadded::new(Mutex::new(Shard { heads: HashMap::default(), links: Vec::new() }));
        Self { shards: (0..shards).map(shard).collect() }
    }
    fn shard(&self, key: K) -> &Mutex<Shard<K, E>> {
        if self.shards.len() == 1 {
            return &self.shards[0];
        }
        let mut hasher = AddressHasher::default();
        key.hash(&mut hasher);
        // Not the bits that choose a place within the shard.
        &self.shards[(hasher.finish() >> 32) as usize % self.shards.len()]
    }
    /// Lists an entry until its key is reached. True if it is reached already: then the caller shows the value.
    #[must_use]
    pub fn wait(&self, key: K, entry: E, is_reached: impl Fn() -> bool) -> bool {
        if is_reached() {
            return true;
        }
        let mut shard = self.shard(key).lock();
        let Shard { heads, links } = &mut *shard;
        let head = heads.entry(key).or_insert(NONE);
        let before =
            std::mem::replace(head, u32::try_from(links.len()).expect("fewer entries than that fit in memory"));
        links.push((entry, before));
        drop(shard);
        // P1. Guarded by `weak::a_value_is_shown_when_its_key_is_reached`.
        !bug::entry_waits_unchecked() && is_reached()
    }
    /// The key is reached: takes what waits for it.
    pub fn take(&self, key: K, found: &mut Vec<E>) {
        if bug::reached_key_wakes_nobody() {
            return;
        }
        let mut shard = self.shard(key).lock();
        let Some(mut at) = shard.heads.remove(&key) else { return };
        while at != NONE {
            let (entry, before) = shard.links[at as usize];
            found.push(entry);
            at = before;
        }
    }
    /// With nobody beside: P2, what still waits will do so for ever.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.heads.clear();
            shard.links.clear();
        }
    }
    /// Gives back the memory that a cycle with many entries has left, unless a new cycle has begun to use it.
    pub fn shrink(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            if shard.links.is_empty() && shard.links.capacity() > MODEST {
                (shard.heads, shard.links) = (HashMap::default(), Vec::new());
            }
        }
    }
}

/// Mixes an address, or a number that stands for one.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }
    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64 >> 3).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_taken_with_its_key_and_once() {
        for waiting in [Waiting::shared(), Waiting::alone()] {
            for entry in 0..1000usize {
                assert!(!waiting.wait(entry % 10, entry, || false));
            }
            let mut found = Vec::new();
            (0..10).for_each(|key| waiting.take(key, &mut found));
            (0..10).for_each(|key| waiting.take(key, &mut found));
            found.sort_unstable();
            assert!(found.into_iter().eq(0..1000));
        }
    }

    #[test]
    fn who_waits_for_a_key_that_is_reached_does_not() {
        let waiting = Waiting::shared();
        assert!(waiting.wait(1usize, 1usize, || true));
        let mut found = Vec::new();
        waiting.take(1, &mut found);
        assert!(found.is_empty());
    }

    #[test]
    fn what_is_cleared_is_gone_and_its_memory_with_it() {
        let waiting = Waiting::alone();
        (0..1000usize).for_each(|entry| assert!(!waiting.wait(entry, entry, || false)));
        waiting.shrink();
        assert_eq!(waiting.shards[0].lock().links.len(), 1000, "what waits stays");
        waiting.clear();
        waiting.shrink();
        assert_eq!(waiting.shards[0].lock().links.capacity(), 0);
    }
}
