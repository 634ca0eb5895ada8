//! Numbered places for the entries of a weak container, and which of them may hold something young, or something in a
//! region that is to be emptied: what a young collection may move. *Young* stands for both here.
//!
//! ```text
//!   place:  Free ──insert──▶ Taken ──remove──▶ Free           numbers are used again, the last one first
//!   young:  list of numbers ◀── noted when something young is put in; looked through by each young collection
//! ```
//!
//! A young collection looks at the listed places and no others; a marker looks at all of them, a slice at a time. An entry
//! keeps its number for life, so that what waits for a key can name it, except across [`compact`](Slab::compact).
//!
//! L1  A taken place whose entry holds something young is listed, and no place is listed twice. What becomes a candidate is
//!     listed at the end of the marking at whose beginning it was chosen, before it can move.
use orinoco_collector::error::AllocError;
use orinoco_collector::object::weak::Settle;

/// Places that are worth giving back.
const SPARSE: usize = 1024;
/// Places a marker looks at before it looks up.
pub(crate) const SLICE: usize = 512;

/// Entries by number.
pub(crate) struct Slab<E> {
    places: Vec<Place<E>>,
    free: Vec<u32>,
    /// L1.
    young: Vec<u32>,
}

struct Place<E> {
    entry: Option<E>,
    /// Whether the place is in the young list; it says so until a collection has looked, whatever becomes of the entry.
    listed: bool,
}

impl<E> Slab<E> {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), young: Vec::new() }
    }
    /// Entries.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
    /// Puts an entry into a place.
    pub(crate) fn insert(&mut self, entry: E) -> u32 {
        if let Some(number) = self.free.pop() {
            self.places[number as usize].entry = Some(entry);
            return number;
        }
        let number = u32::try_from(self.places.len()).expect("fewer entries than that fit in memory");
        self.places.push(Place { entry: Some(entry), listed: false });
        number
    }
    /// Makes sure that the next insertion, and the removal of everything, take no memory.
    pub(crate) fn try_reserve(&mut self) -> Result<(), AllocError> {
        if self.free.is_empty() && self.places.len() == self.places.capacity() {
            let more = self.places.len().max(4);
            self.places.try_reserve(more).map_err(|_| AllocError::OutOfMemory)?;
            // A removal may happen in a pause.
            let places = self.places.capacity();
            self.free.try_reserve(places).map_err(|_| AllocError::OutOfMemory)?;
        }
        self.young.try_reserve(1).map_err(|_| AllocError::OutOfMemory)
    }
    /// Takes an entry out.
    pub(crate) fn remove(&mut self, number: u32) -> Option<E> {
        let entry = self.places[number as usize].entry.take()?;
        self.free.push(number);
        Some(entry)
    }
    pub(crate) fn get(&self, number: u32) -> Option<&E> {
        self.places.get(number as usize)?.entry.as_ref()
    }
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut E> {
        self.places.get_mut(number as usize)?.entry.as_mut()
    }
    /// The number after the last place's.
    pub(crate) fn end(&self) -> u32 {
        self.places.len() as u32
    }
    /// The slice that begins at place `from`: its numbers, and where the next one begins, if there is one.
    pub(crate) fn slice(&self, from: usize) -> (std::ops::Range<u32>, Option<usize>) {
        let to = (from + SLICE).min(self.places.len());
        (from.min(to) as u32..to as u32, (to < self.places.len()).then_some(to))
    }
    /// L1: something young was put into the place. True if it is the first of the container's list.
    pub(crate) fn note_young(&mut self, number: u32) {
        let place = &mut self.places[number as usize];
        if !std::mem::replace(&mut place.listed, true) {
            self.young.push(number);
        }
    }
    /// In a stop: how many places there are to visit, all of them or those that are listed.
    pub(crate) fn visits(&self, whole: bool) -> usize {
        if whole { self.places.len() } else { self.young.len() }
    }
    /// In a stop: which of them a container visits that settles, and where it goes on next time.
    pub(crate) fn visits_of(&self, settle: Settle, from: usize) -> (std::ops::Range<usize>, Option<usize>) {
        match settle {
            Settle::Marked => {
                let (numbers, next) = self.slice(from);
                (numbers.start as usize..numbers.end as usize, next)
            }
            Settle::Listed => (0..self.visits(false), None),
            Settle::Moved => (0..self.visits(true), None),
        }
    }
    /// The number of the `nth` place to visit.
    pub(crate) fn visit(&self, whole: bool, nth: usize) -> u32 {
        if whole { nth as u32 } else { self.young[nth] }
    }
    /// In a stop: forgets the list, to be made again of those that `is_young` says; false if it is empty then.
    pub(crate) fn settle(&mut self, whole: bool, mut is_young: impl FnMut(&E) -> bool) -> bool {
        let Self { places, young, .. } = self;
        young.retain(|number| {
            let place = &mut places[*number as usize];
            place.listed = place.entry.as_ref().is_some_and(&mut is_young);
            place.listed
        });
        debug_assert!(!whole || places.iter().all(|p| p.listed || !p.entry.as_ref().is_some_and(&mut is_young)), "L1");
        !young.is_empty()
    }
    /// Whether most places are empty, and there are enough of them to care.
    pub(crate) fn is_sparse(&self) -> bool {
        self.places.len() >= SPARSE && self.free.len() > self.places.len() / 4 * 3
    }
    /// Gives memory back. Entries get new numbers: `moved` is told the old and the new one. Not while marking, and in no stop.
    pub(crate) fn compact(&mut self, mut moved: impl FnMut(&mut E, u32, u32)) {
        let old = std::mem::take(&mut self.places);
        self.free = Vec::new();
        self.young = Vec::new();
        for (place, before) in old.into_iter().zip(0..) {
            let Some(mut entry) = place.entry else { continue };
            let number = self.places.len() as u32;
            moved(&mut entry, before, number);
            self.places.push(Place { entry: Some(entry), listed: place.listed });
            if place.listed {
                self.young.push(number);
            }
        }
        let places = self.places.capacity();
        self.free.reserve(places);
    }
}
