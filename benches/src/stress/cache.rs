//! A cache with weak entries: what somebody still holds is found in it, and what nobody holds goes with the next
//! collection of everything.

use anyhow::{Result, ensure};
use orinoco::{Root, Trace, WeakCell};

use super::play::{Part, Plain, Play, Turn};

/// Entries of a player's cache.
const ENTRIES: usize = 600;

#[derive(Trace)]
struct Page {
    number: u64,
    words: [u64; 6],
}

/// What players of caches share: nothing.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|_, _| Ok(Box::new(Cache { entries: Vec::new(), next: 0 }))))
}

struct Cache {
    entries: Vec<Entry>,
    next: u64,
}

struct Entry {
    number: u64,
    weak: Root<WeakCell<Page>>,
    /// Who holds the page, if anybody does.
    held: Option<Root<Page>>,
    /// Whether it was looked up since it was held: what a program has seen may live on for a while.
    seen: bool,
}

impl Cache {
    fn add(&mut self, m: &mut Plain, hold: bool) -> Result<Entry> {
        let number = self.next;
        self.next += 1;
        let page = m.try_alloc(Page { number, words: [number; 6] })?;
        let weak = m.root(m.weak(page));
        Ok(Entry { number, weak, held: hold.then(|| m.root(page)), seen: false })
    }
    fn look_up(entry: &mut Entry, m: &mut Plain) -> Result<bool> {
        let found = entry.weak.get(m).upgrade(m);
        entry.seen |= found.is_some();
        let Some(page) = found else {
            ensure!(entry.held.is_none(), "page {} is held and not in the cache", entry.number);
            return Ok(false);
        };
        ensure!(page.number == entry.number, "the cache has page {} for page {}", page.number, entry.number);
        ensure!(page.words == [entry.number; 6], "page {} was overwritten", entry.number);
        Ok(true)
    }
}

impl Play for Cache {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..40 {
            let hold = turn.dice.once_in(3);
            let entry = self.add(m, hold)?;
            if self.entries.len() < ENTRIES {
                self.entries.push(entry);
            } else {
                self.entries[turn.dice.below(ENTRIES)] = entry;
            }
            m.safepoint();
            let at = turn.dice.below(self.entries.len());
            Self::look_up(&mut self.entries[at], m)?;
            if turn.dice.once_in(4) {
                self.entries[at].held = None;
            }
        }
        turn.line.checked(40);
        if turn.dice.once_in(60) {
            m.collect();
            for entry in &mut self.entries {
                let forgotten = entry.held.is_none() && !entry.seen;
                let found = Self::look_up(entry, m)?;
                ensure!(!(found && forgotten), "page {} outlives a whole collection, held by nobody", entry.number);
            }
            turn.line.checked(self.entries.len());
        }
        Ok(())
    }
}
