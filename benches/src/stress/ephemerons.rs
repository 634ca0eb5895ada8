//! Chains of ephemerons: each key's value is the next key, so that the first one keeps all the others, through the map alone.
//!
//! ```text
//!   root ──▶ key 0          map:  key 0 → key 1,  key 1 → key 2,  …,  key n → nothing
//! ```

use anyhow::{Result, anyhow, ensure};
use orinoco::{Gc, Root, Trace, WeakMap};

use super::play::{Part, Plain, Play, Turn};

#[derive(Trace)]
struct Key {
    number: u64,
}

type Map<'gc> = WeakMap<Key, Option<Gc<'gc, Key>>>;

/// What players of ephemerons share: nothing.
///
/// # Errors
/// When the heap is full already.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|m, _| Ok(Box::new(Chains { map: m.root(Map::new(m)), chains: Vec::new(), next: 0 }))))
}

struct Chains {
    map: Root<Map<'static>>,
    chains: Vec<Chain>,
    next: u64,
}

struct Chain {
    first: Root<Key>,
    number: u64,
    length: u64,
}

impl Chains {
    /// Links are added in an order that the marker cannot follow: last first, or first first.
    fn link(&mut self, m: &mut Plain, length: u64, backwards: bool) -> Result<()> {
        let number = self.next;
        self.next += length;
        let map = self.map.get(m);
        let key = |at| m.try_alloc(Key { number: number + at });
        let first = if backwards {
            (0..length).rev().try_fold(None, |next, at| {
                let key = key(at)?;
                map.insert(m, key, next);
                anyhow::Ok(Some(key))
            })?
        } else {
            let keys = (0..length).map(key).collect::<Result<Vec<_>, _>>()?;
            for (at, key) in keys.iter().enumerate() {
                map.insert(m, *key, keys.get(at + 1).copied());
            }
            keys.first().copied()
        };
        let first = m.root(first.expect("a chain has a link"));
        self.chains.push(Chain { first, number, length });
        Ok(())
    }
    fn compare(&self, m: &mut Plain, chain: &Chain) -> Result<()> {
        let mut key = chain.first.get(m);
        for at in 0..chain.length {
            let wanted = chain.number + at;
            ensure!(key.number == wanted, "link {at} of a chain is key {}, not {wanted}", key.number);
            let next = self.map.get(m).get(m, key).ok_or_else(|| anyhow!("the entry of key {wanted} is gone"))?;
            match next {
                Some(next) => key = next,
                None => ensure!(at + 1 == chain.length, "a chain ends after {at} links, not {}", chain.length),
            }
        }
        Ok(())
    }
}

impl Play for Chains {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..4 {
            self.link(m, 1 + turn.dice.below(60) as u64, turn.dice.once_in(2))?;
            m.safepoint();
            let chain = turn.dice.below(self.chains.len());
            self.compare(m, &self.chains[chain])?;
            m.safepoint();
            if self.chains.len() > 40 {
                self.chains.swap_remove(turn.dice.below(40));
            }
        }
        turn.line.checked(4 * 30);
        if turn.dice.once_in(50) {
            m.collect();
            let links: u64 = self.chains.iter().map(|chain| chain.length).sum();
            let found = self.map.get(m).len(m) as u64;
            ensure!(found == links, "after a whole collection the map has {found} entries, not {links}");
            for chain in &self.chains {
                self.compare(m, chain)?;
            }
            turn.line.checked(links as usize);
        }
        Ok(())
    }
}
