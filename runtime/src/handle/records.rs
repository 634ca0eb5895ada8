//! The records of a finalization registry, by number and by token.
//!
//! ```text
//!   places     ┌ target │ token │ held ┐ ┌ –  │ token │ held ┐      a record without a target is ready
//!   tokens     token's hash ─▶ newest record with it ─▶ … ─▶ oldest     (next, previous)
//!   ready      numbers of places, oldest death first; some may have been taken back since
//! ```
//!
//! J1  Exactly the records with a token are in that token's chain, and the chain's head is in `tokens`.
//! J2  The number of each ready record is in `ready`. What else is there is passed over: a number stays when its record is
//!     taken back.
use crate::handle::slab::Slab;
use hashbrown::HashTable;
use orinoco_collector::error::AllocError;
use orinoco_collector::object::raw::ObjectRef;
use std::collections::VecDeque;

/// Records, under the registry's lock.
pub(crate) struct Records<H> {
    pub(crate) slab: Slab<Record<H>>,
    tokens: HashTable<u32>,
    ready: VecDeque<u32>,
    /// Whether the registry is in the heap's list of those that have something to say.
    queued: bool,
}

/// One record.
pub(crate) struct Record<H> {
    /// None once it has died.
    target: Option<ObjectRef>,
    token: Option<Token>,
    pub(crate) held: H,
}

struct Token {
    object: ObjectRef,
    hash: u64,
    next: Option<u32>,
    previous: Option<u32>,
}

impl<H> Record<H> {
    /// What it refers to without keeping it.
    pub(crate) fn objects(&self) -> impl Iterator<Item = ObjectRef> + '_ {
        self.target.into_iter().chain(self.token.as_ref().map(|token| token.object))
    }
}

impl<H> Records<H> {
    pub(crate) const fn new() -> Self {
        Self { slab: Slab::new(), tokens: HashTable::new(), ready: VecDeque::new(), queued: false }
    }
    /// Makes sure that the next insertion succeeds, and that deaths in a pause take no memory.
    pub(crate) fn try_reserve(&mut self) -> Result<(), AllocError> {
        let Self { slab, tokens, ready, .. } = self;
        slab.try_reserve()?;
        tokens.try_reserve(1, |n| hash_of(slab, *n)).map_err(|_| AllocError::OutOfMemory)?;
        if ready.capacity() <= slab.len() {
            ready.try_reserve(2 * slab.len() + 4).map_err(|_| AllocError::OutOfMemory)?;
        }
        Ok(())
    }
    pub(crate) fn insert(&mut self, target: ObjectRef, token: Option<(ObjectRef, u64)>, held: H) -> u32 {
        let token = token.map(|(object, hash)| Token { object, hash, next: None, previous: None });
        let number = self.slab.insert(Record { target: Some(target), token, held });
        self.link(number);
        number
    }
    /// J1, for a record that is in no chain yet.
    fn link(&mut self, number: u32) {
        let Self { slab, tokens, .. } = self;
        let Some(Token { object, hash, .. }) = slab.get(number).and_then(|r| r.token.as_ref()) else { return };
        let (object, hash) = (*object, *hash);
        let is_head = |n: &u32| slab.get(*n).is_some_and(|r| r.token.as_ref().is_some_and(|t| t.object == object));
        let next = match tokens.find_mut(hash, is_head) {
            Some(head) => Some(std::mem::replace(head, number)),
            None => {
                tokens.insert_unique(hash, number, |n| hash_of(slab, *n));
                None
            }
        };
        if let Some(next) = next {
            set_previous(slab, next, Some(number));
        }
        let token = slab.get_mut(number).and_then(|r| r.token.as_mut()).expect("it has one");
        (token.next, token.previous) = (next, None);
    }
    /// J1, for a record whose token is gone from it.
    fn unlink(&mut self, number: u32, token: &Token) {
        let Self { slab, tokens, .. } = self;
        if let Some(next) = token.next {
            set_previous(slab, next, token.previous);
        }
        if let Some(previous) = token.previous {
            let before =
                slab.get_mut(previous).and_then(|r| r.token.as_mut()).expect("a chain is of records with tokens");
            before.next = token.next;
        } else if let Ok(mut place) = tokens.find_entry(token.hash, |n| *n == number) {
            match token.next {
                Some(next) => *place.get_mut() = next,
                None => _ = place.remove(),
            }
        }
    }
    fn remove(&mut self, number: u32) -> Option<H> {
        let mut record = self.slab.remove(number)?;
        if let Some(token) = record.token.take() {
            self.unlink(number, &token);
        }
        Some(record.held)
    }
    /// Takes every record with this token back.
    pub(crate) fn remove_all(&mut self, token: ObjectRef, hash: u64) -> Vec<H> {
        let slab = &self.slab;
        let has_token = |n: &u32| slab.get(*n).is_some_and(|r| r.token.as_ref().is_some_and(|t| t.object == token));
        let mut at = self.tokens.find(hash, has_token).copied();
        let mut gone = Vec::new();
        while let Some(number) = at {
            at = self.slab.get(number).and_then(|r| r.token.as_ref()).and_then(|t| t.next);
            gone.extend(self.remove(number));
        }
        gone
    }
    /// Takes a record whose target has died, the oldest death first.
    pub(crate) fn take_ready(&mut self) -> Option<H> {
        loop {
            let number = self.ready.pop_front()?;
            // J2.
            if self.slab.get(number).is_some_and(|record| record.target.is_none()) {
                return self.remove(number);
            }
        }
    }
    /// The registry was taken from the heap's list; true if it has to go back there.
    pub(crate) fn queue_again(&mut self) -> bool {
        self.queued = !self.ready.is_empty();
        self.queued
    }
    /// Whether the registry has something to say and is not in the heap's list; it is from now on.
    pub(crate) fn queue_once(&mut self) -> bool {
        !self.ready.is_empty() && !std::mem::replace(&mut self.queued, true)
    }
    /// In a stop: finds out what has become of a record's target and token.
    pub(crate) fn resolve(&mut self, number: u32, resolve: impl Fn(ObjectRef) -> Option<ObjectRef>) {
        let Some(record) = self.slab.get_mut(number) else { return };
        if let Some(target) = record.target {
            record.target = resolve(target);
            if record.target.is_none() {
                self.ready.push_back(number);
            }
        }
        let Some(token) = &mut record.token else { return };
        match resolve(token.object) {
            Some(object) => token.object = object,
            None => {
                // Nobody can name it any more.
                let token = record.token.take().expect("it is there");
                self.unlink(number, &token);
            }
        }
    }
    /// After many records have gone: gives their memory back.
    pub(crate) fn thin_out(&mut self) {
        if !self.slab.is_sparse() {
            return;
        }
        let mut ready: Vec<(u32, usize)> = self.ready.drain(..).zip(0..).collect();
        ready.sort_unstable();
        let mut again: Vec<(usize, u32)> = Vec::new();
        let mut tokens = Vec::new();
        self.slab.compact(|record, old, new| {
            if record.token.is_some() {
                tokens.push(new);
            }
            if record.target.is_none() {
                let at = ready.partition_point(|(number, _)| *number < old);
                again.extend(ready.get(at).filter(|(number, _)| *number == old).map(|(_, order)| (*order, new)));
            }
        });
        again.sort_unstable();
        self.ready = again.into_iter().map(|(_, number)| number).collect();
        self.tokens = HashTable::with_capacity(tokens.len());
        tokens.into_iter().for_each(|number| self.link(number));
    }
}

fn hash_of<H>(slab: &Slab<Record<H>>, number: u32) -> u64 {
    slab.get(number).and_then(|record| record.token.as_ref()).map_or(0, |token| token.hash)
}

fn set_previous<H>(slab: &mut Slab<Record<H>>, number: u32, previous: Option<u32>) {
    if let Some(token) = slab.get_mut(number).and_then(|record| record.token.as_mut()) {
        token.previous = previous;
    }
}
