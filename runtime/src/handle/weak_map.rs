#![expect(unsafe_code, reason = "keys are addresses that only the collector keeps true")]
//! `WeakMap<K, V>`: ephemerons. A value lives only while its key and the map both do.
//!
//! ```text
//!   marking:      the map is reached ─▶ slice by slice: key reached? ─yes▶ its value is shown
//!                                                        └─no─▶ the entry waits for its key (`weak::waiting`)
//!   scavenging:   the listed entries, those that hold something young; the same question
//!   at the end:   entries whose key is dead go
//! ```
//!
//! Keys are compared by identity and hashed by the identity hash, which survives moves; the table is never rehashed for
//! a move. The value may refer to its own key: that keeps neither alive. There is no way to list the keys: who died when is
//! the collector's affair.
//!
//! K1  A key is an object of type `K` that is alive as far as the last collection knows (`finish` sees to it), or was found
//!     dead by marking and is intact: nobody has such a key to ask with.
//! K2  The table is touched under its lock by mutators and markers, and freely by a scavenge in a stop. The lock is held
//!     within the methods below only, so never across a safepoint, and no other lock of a container is taken under it.
//! K3  A map that lies in the old space and may refer to something young is `listed`, by us when an entry is added, by the
//!     collector for as long as `finish` says so.
//! K4  A map is always an object of its own: `new` is the only constructor and returns a reference. So its header is right
//!     before `self`.
//! K5  While marking, what is put into a map is shaded: so a marker need not come back to an entry that it has looked at.
//!     What is got from it is not: as any other reference, it is nobody's until it is stored, and the stop that ends marking
//!     finds it in a root or not at all.
use crate::handle::gc::{Gc, HeapType};
use crate::handle::slab::Slab;
use crate::mutator::barrier::YOUNG;
use crate::mutator::cx::Cx;
use crate::trace::{Brand, Marker, Mover, Rebind, Share, Trace, list_references, no_slot};
use hashbrown::HashTable;
use orinoco_collector::error::AllocError;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::weak::{
    EntryRef, Ephemerons, Settle, Settled, TableOps, WeakEdge, WeakOps, WeakVerdict,
};
use orinoco_collector::planted::bug;
use orinoco_collector::sync::Mutex;
use orinoco_collector::sync::{AtomicBool, Ordering};
use orinoco_collector::units::WORD;
use std::cell::Cell;
use std::marker::PhantomData;

/// A table from objects to values in which neither the map nor a value keeps a key alive.
///
/// `K` is a heap type, `V` any `Copy` value that may live in the heap. Any mutator of the heap may use it at any time; each
/// operation takes the map's lock for a moment. An entry takes about 40 bytes of ordinary memory beside the heap.
pub struct WeakMap<K: ?Sized, V> {
    /// K3.
    listed: AtomicBool,
    table: Mutex<Table<V>>,
    _keys: PhantomData<Cell<*const K>>,
}

struct Table<V> {
    entries: Slab<Entry<V>>,
    /// Numbers of entries, by their keys' hashes.
    index: HashTable<u32>,
}

struct Entry<V> {
    key: ObjectRef,
    hash: u64,
    value: V,
}

impl<V> Table<V> {
    const fn new() -> Self {
        Self { entries: Slab::new(), index: HashTable::new() }
    }
    fn find(&self, hash: u64, key: ObjectRef) -> Option<u32> {
        let Self { entries, index } = self;
        index.find(hash, |n| entries.get(*n).is_some_and(|e| e.key == key)).copied()
    }
    fn try_reserve(&mut self) -> Result<(), AllocError> {
        let Self { entries, index } = self;
        entries.try_reserve()?;
        let hash_of = |n: &u32| entries.get(*n).map_or(0, |e| e.hash);
        index.try_reserve(1, hash_of).map_err(|_| AllocError::OutOfMemory)
    }
    fn insert(&mut self, entry: Entry<V>) -> u32 {
        let hash = entry.hash;
        let number = self.entries.insert(entry);
        let Self { entries, index } = self;
        index.insert_unique(hash, number, |n| entries.get(*n).map_or(0, |e| e.hash));
        number
    }
    fn remove(&mut self, number: u32) -> Option<V> {
        let entry = self.entries.remove(number)?;
        if let Ok(place) = self.index.find_entry(entry.hash, |n| *n == number) {
            place.remove();
        }
        Some(entry.value)
    }
    /// After many entries have gone: gives their memory back.
    fn thin_out(&mut self) {
        if self.entries.is_sparse() {
            let mut index = HashTable::with_capacity(self.entries.len());
            self.entries.compact(|entry, _, number| _ = index.insert_unique(entry.hash, number, |_| 0));
            self.index = index;
        }
    }
}

impl<K: ?Sized + HeapType, V: Share + Copy> WeakMap<K, V> {
    /// An empty map.
    ///
    /// # Panics
    /// When the heap's limit is reached.
    pub fn new<'gc>(cx: &'gc Cx) -> Gc<'gc, Self>
    where
        Self: Brand<'gc>,
    {
        cx.collector().expect_ephemerons();
        cx.alloc(Self::empty())
    }
    /// An empty map.
    ///
    /// # Errors
    /// As [`Cx::try_alloc`].
    pub fn try_new<'gc>(cx: &'gc Cx) -> Result<Gc<'gc, Self>, AllocError>
    where
        Self: Brand<'gc>,
    {
        cx.collector().expect_ephemerons();
        cx.try_alloc(Self::empty())
    }
    pub(crate) fn empty() -> Self {
        Self { listed: AtomicBool::new(false), table: Mutex::new(Table::new()), _keys: PhantomData }
    }
    /// Sets the value for `key` and returns the one before.
    ///
    /// # Panics
    /// When the operating system refuses memory for the table.
    pub fn insert<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>, value: V) -> Option<V> {
        self.try_insert(cx, key, value).unwrap_or_else(|e| panic!("a weak map cannot grow: {e}"))
    }
    /// Sets the value for `key` and returns the one before.
    ///
    /// # Errors
    /// [`AllocError::OutOfMemory`] when the operating system refuses memory for the table; nothing has changed then.
    pub fn try_insert<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>, value: V) -> Result<Option<V>, AllocError> {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        let young = holds_watched(cx, object, &value);
        let mut table = self.table.lock();
        let (number, before) = match table.find(hash, object) {
            Some(number) => {
                let entry = table.entries.get_mut(number).expect("the index leads to entries");
                (number, Some(std::mem::replace(&mut entry.value, value)))
            }
            None => {
                if !cx.local.marking.get() {
                    table.thin_out();
                }
                table.try_reserve()?;
                (table.insert(Entry { key: object, hash, value }), None)
            }
        };
        if young {
            table.entries.note_young(number);
        }
        drop(table);
        if young {
            // SAFETY: K4.
            unsafe { list(cx, std::ptr::from_ref(self).addr(), object, &self.listed) }
        }
        shade_references(cx, &value);
        Ok(before)
    }
    /// The value for `key`.
    pub fn get<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>) -> Option<V> {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        let table = self.table.lock();
        let number = table.find(hash, object)?;
        Some(table.entries.get(number)?.value)
    }
    /// Whether there is a value for `key`.
    pub fn contains_key<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>) -> bool {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        self.table.lock().find(hash, object).is_some()
    }
    /// Takes the value for `key` out.
    pub fn remove<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>) -> Option<V> {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        let mut table = self.table.lock();
        let number = table.find(hash, object)?;
        let value = table.remove(number)?;
        if !cx.local.marking.get() {
            table.thin_out();
        }
        Some(value)
    }
    /// How many entries there are; those whose keys have died count until the next collection that finds out.
    pub fn len(&self, _cx: &Cx) -> usize {
        self.table.lock().entries.len()
    }
    /// Whether there is no entry.
    pub fn is_empty(&self, cx: &Cx) -> bool {
        self.len(cx) == 0
    }
    /// How many entries fit before the table has to grow: what it takes memory for.
    pub fn capacity(&self, _cx: &Cx) -> usize {
        self.table.lock().index.capacity()
    }
}

/// K5, for whatever a container keeps.
pub(crate) fn shade_references(cx: &Cx, value: &impl Trace) {
    if cx.local.marking.get() && !bug::table_is_filled_unshaded() {
        list_references(value, |target| cx.shade(target));
    }
}

/// Whether a key or a value is to be watched: it may move in a young collection.
pub(crate) fn holds_watched(cx: &Cx, key: ObjectRef, value: &impl Trace) -> bool {
    let mut watched = cx.collector().is_watched(key.addr());
    list_references(value, |target| watched |= cx.collector().is_watched(target.addr()));
    watched
}

/// Lists a container that refers to something young, if it is old and not listed yet. `inside` is any object of the same
/// heap.
///
/// # Safety
/// `payload` is the address of a container that is an object of its own (K4).
pub(crate) unsafe fn list(cx: &Cx, payload: usize, inside: ObjectRef, listed: &AtomicBool) {
    if cx.barrier_byte(payload) == YOUNG || bug::table_forgets_young() || listed.swap(true, Ordering::Relaxed) {
        return;
    }
    let start = inside.as_ptr().with_addr(payload - WORD);
    // SAFETY: the caller's promise: the header is right before the payload. The other object lends its provenance.
    unsafe {
        let container = ObjectRef::from_start(std::ptr::NonNull::new_unchecked(start));
        cx.collector().remember_weak(&cx.local, container);
    }
}

impl<K: ?Sized, V: Trace> WeakMap<K, V> {
    /// Shows the values of a slice of the entries whose keys are reached; the others wait. Where the next slice begins.
    fn mark_slice<A: Marker + Ephemerons>(&self, me: ObjectRef, from: usize, visitor: &mut A) -> Option<usize> {
        if !V::HAS_EDGES {
            return None;
        }
        let table = self.table.lock();
        let (numbers, next) = table.entries.slice(from);
        visitor.visited(numbers.len());
        for number in numbers {
            let Some(entry) = table.entries.get(number) else { continue };
            if visitor.wait(entry.key, EntryRef { table: me, number }) && !bug::ephemeron_value_is_skipped() {
                entry.value.mark(visitor);
            }
        }
        next
    }
    /// An entry's key is reached.
    fn mark_entry<A: Marker + Ephemerons>(&self, number: u32, key: ObjectRef, visitor: &mut A) {
        visitor.visited(1);
        // The place may have another entry by now; what is put in while marking is shaded (K5).
        if let Some(entry) = self.table.lock().entries.get(number).filter(|entry| entry.key == key) {
            entry.value.mark(visitor);
        }
    }
    /// In a scavenge: moves the values whose keys are alive, of all entries or the listed ones; the others wait.
    fn move_step<A: Mover + Ephemerons>(&mut self, me: ObjectRef, whole: bool, visitor: &mut A) {
        if !V::HAS_EDGES {
            return;
        }
        let entries = &mut self.table.get_mut().entries;
        visitor.visited(entries.visits(whole));
        for nth in 0..entries.visits(whole) {
            let number = entries.visit(whole, nth);
            let Some(entry) = entries.get_mut(number) else { continue };
            if visitor.wait(entry.key, EntryRef { table: me, number }) && !bug::ephemeron_value_is_skipped() {
                entry.value.relocate(visitor);
            }
        }
    }
    fn move_entry<A: Mover + Ephemerons>(&mut self, number: u32, visitor: &mut A) {
        visitor.visited(1);
        if let Some(entry) = self.table.get_mut().entries.get_mut(number) {
            entry.value.relocate(visitor);
        }
    }
    /// Forgets entries with dead keys, finds the keys that moved.
    fn settle(&mut self, settle: Settle, from: usize, verdict: &dyn WeakVerdict) -> Settled {
        let table = self.table.get_mut();
        let whole = settle != Settle::Listed;
        let watched = |entry: &Entry<V>| {
            let mut watched = verdict.is_watched(entry.key);
            list_references(&entry.value, |target| watched |= verdict.is_watched(target));
            watched
        };
        let (visits, next) = table.entries.visits_of(settle, from);
        for nth in visits {
            let number = table.entries.visit(whole, nth);
            let Some(entry) = table.entries.get_mut(number) else { continue };
            match verdict.resolve(entry.key) {
                Some(key) => entry.key = key,
                None => _ = table.remove(number),
            }
            if settle == Settle::Marked && table.entries.get(number).is_some_and(watched) {
                // A region was chosen to be emptied since the entry was put there.
                table.entries.note_young(number);
            }
        }
        if next.is_some() {
            return Settled { next, ..Settled::default() };
        }
        let young = table.entries.settle(whole, watched);
        *self.listed.get_mut() = young;
        Settled { young, ..Settled::default() }
    }
    /// Shows everything, for the verifier.
    fn list(&self, found: &mut dyn FnMut(WeakEdge)) {
        let table = self.table.lock();
        for number in 0..table.entries.end() {
            let Some(entry) = table.entries.get(number) else { continue };
            found(WeakEdge::Weak(entry.key));
            list_references(&entry.value, |value| found(WeakEdge::Ephemeron { key: entry.key, value }));
        }
    }
    /// The map that `object` is.
    ///
    /// # Safety
    /// K4: the operations below are in the descriptors of maps alone.
    unsafe fn of<'a>(object: ObjectRef) -> &'a Self {
        // SAFETY: the caller's promise.
        unsafe { &*object.payload().cast::<Self>() }
    }
    /// The map that `object` is.
    ///
    /// # Safety
    /// K4, and K2: the world is stopped and this is the only reference.
    unsafe fn of_mut<'a>(object: ObjectRef) -> &'a mut Self {
        // SAFETY: the caller's promise.
        unsafe { &mut *object.payload().cast::<Self>() }
    }
    pub(crate) const OPS: &'static WeakOps = &WeakOps {
        table: Some(TableOps {
            // SAFETY: K4.
            mark_slice: |o, from, v| unsafe { Self::of(o) }.mark_slice(o, from, v),
            // SAFETY: K4.
            mark_entry: |o, number, key, v| unsafe { Self::of(o) }.mark_entry(number, key, v),
            // SAFETY: K4, K2.
            move_step: |o, whole, v| unsafe { Self::of_mut(o) }.move_step(o, whole, v),
            // SAFETY: K4, K2.
            move_entry: |o, number, v| unsafe { Self::of_mut(o) }.move_entry(number, v),
            call: None,
        }),
        // SAFETY: K4, K2.
        finish: |o, settle, from, verdict| unsafe { Self::of_mut(o) }.settle(settle, from, verdict),
        // SAFETY: K4.
        list: |o, found| unsafe { Self::of(o) }.list(found),
    };
}

impl<K: ?Sized, V> std::fmt::Debug for WeakMap<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WeakMap").finish_non_exhaustive()
    }
}

// SAFETY: R1, the keys' and the values' constructors.
unsafe impl<K: ?Sized + HeapType, V: Rebind> Rebind for WeakMap<K, V> {
    type At<'a> = WeakMap<K::On<'a>, V::At<'a>>;
}
// SAFETY: R2, nothing is kept alive by the map alone; keys and values are the collector's, through `WEAK`.
unsafe impl<K: ?Sized + HeapType, V: Trace> Trace for WeakMap<K, V> {
    const HAS_EDGES: bool = false;
    const WEAK: Option<&'static WeakOps> = Some(Self::OPS);
    fn mark<M: Marker>(&self, _: &mut M) {
        const { no_slot::<V>() }
    }
    fn relocate<M: Mover>(&mut self, _: &mut M) {}
}
// SAFETY: R3, the table is under a lock, and what it holds is `Share`.
unsafe impl<K: ?Sized + HeapType, V: Share> Share for WeakMap<K, V> {}
