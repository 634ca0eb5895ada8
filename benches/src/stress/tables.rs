//! Hash tables under locks, shared by all players: each writes keys of its own, and all contend for the locks.
//!
//! The tables' memory is the system's, so no slot tells the collector of a change: the lock does (see `Lock`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Result, ensure};
use orinoco::{Gc, Lock, Root, Trace};

use super::play::{Part, Plain, Play, Turn};

/// Tables for all players.
const SHARDS: usize = 16;
/// Keys of a player.
const KEYS: usize = 3000;

#[derive(Trace)]
struct Entry {
    key: u64,
    value: u64,
}

#[derive(Trace, Default)]
struct Shard<'gc> {
    entries: Lock<HashMap<u64, Gc<'gc, Entry>>>,
}

/// What players of tables share: the tables.
///
/// # Errors
/// When the heap is full already.
pub fn open(m: &mut Plain) -> Result<Part> {
    let shard = |_| Ok(m.root(m.try_alloc(Shard::default())?));
    let shards: Arc<[Root<Shard<'static>>]> = (0..SHARDS).map(shard).collect::<Result<_>>()?;
    let players = AtomicU64::new(0);
    Ok(Box::new(move |_, _| {
        let player = players.fetch_add(1, Relaxed);
        Ok(Box::new(Tables { shards: shards.clone(), player, model: HashMap::new() }))
    }))
}

struct Tables {
    shards: Arc<[Root<Shard<'static>>]>,
    player: u64,
    model: HashMap<u64, u64>,
}

impl Play for Tables {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for round in 0..200 {
            let key = self.player * KEYS as u64 + turn.dice.below(KEYS) as u64;
            let shard = self.shards[key as usize % SHARDS].get(m);
            let known = self.model.get(&key).copied();
            match turn.dice.below(4) {
                0 => {
                    let before = shard.entries.lock(m).remove(&key).map(|entry| entry.value);
                    self.model.remove(&key);
                    ensure!(before == known, "key {key} was {before:?} when it was removed, not {known:?}");
                }
                1 | 2 => {
                    let value = turn.dice.next();
                    let entry = m.try_alloc(Entry { key, value })?;
                    let before = shard.entries.lock(m).insert(key, entry).map(|entry| entry.value);
                    self.model.insert(key, value);
                    ensure!(before == known, "key {key} was {before:?} when it was replaced, not {known:?}");
                }
                _ => {
                    let found = shard.entries.lock(m).get(&key).map(|entry| (entry.key, entry.value));
                    ensure!(found == known.map(|value| (key, value)), "key {key} is {found:?}, not {known:?}");
                }
            }
            if round % 8 == 0 {
                m.safepoint();
            }
        }
        turn.line.checked(200);
        Ok(())
    }
}

impl Drop for Tables {
    /// The entries stay in the tables, which everybody else goes on using: nobody knows them any more.
    fn drop(&mut self) {
        self.model.clear();
    }
}
