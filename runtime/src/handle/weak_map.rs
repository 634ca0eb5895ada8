#![expect(unsafe_code, reason = "keys are addresses that only the collector keeps true")]
//! `WeakMap<K, V>`: ephemerons. A value lives only while its key and the map both do.
//!
//! ```text
//!   entry:  Unseen ──key found alive──▶ Seen: value shown     in a collection, once
//!             ▲                           │
//!             └────────── finish ─────────┘      key dead at the end: the entry goes
//! ```
//!
//! Keys are compared by identity and hashed by the identity hash, which survives moves; the table is never rehashed for
//! a move. The value may refer to its own key: that keeps neither alive.
//!
//! K1  A key is an object of type `K` that is alive as far as the last collection knows (`finish` sees to it).
//! K2  The table is touched under its lock by mutators, and freely by the collector in a stop. The lock is held within
//!     the methods below only, so never across a safepoint.
//! K3  A map that lies in the old space and may refer to something young is `listed`, by us when an entry is added, by the
//!     collector for as long as `finish` says so.
//! K4  A map is always an object of its own: `new` is the only constructor and returns a reference. So its header is right
//!     before `self`.
use crate::handle::gc::{Gc, HeapType};
use crate::mutator::barrier::YOUNG;
use crate::mutator::cx::Cx;
use crate::trace::{Brand, Marker, Mover, Rebind, Share, Trace, list_references, no_slot};
use hashbrown::hash_table::Entry as Place;
use hashbrown::{HashMap, HashTable};
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::object::trace::{Liveness, WeakOps, WeakVerdict};
use orinoco_collector::planted::bug;
use orinoco_collector::sync::Mutex;
use orinoco_collector::units::WORD;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

/// A table from objects to values in which neither the map nor a value keeps a key alive.
///
/// `K` is a heap type, `V` any `Copy` value that may live in the heap.
pub struct WeakMap<K: ?Sized, V> {
    /// K3.
    pub(crate) listed: AtomicBool,
    table: Mutex<Table<V>>,
    _keys: PhantomData<Cell<*const K>>,
}

struct Table<V> {
    entries: HashTable<Entry<V>>,
    /// How often this collection has come to the map.
    rounds: u32,
}

struct Entry<V> {
    key: ObjectRef,
    hash: u64,
    value: V,
    seen: bool,
}

impl<K: ?Sized + HeapType, V: Share + Copy> WeakMap<K, V> {
    /// An empty map.
    pub fn new<'gc>(cx: &'gc Cx) -> Gc<'gc, Self>
    where
        Self: Brand<'gc>,
    {
        cx.alloc(WeakMap {
            listed: AtomicBool::new(false),
            table: Mutex::new(Table { entries: HashTable::new(), rounds: 0 }),
            _keys: PhantomData,
        })
    }
    /// Sets the value for `key` and returns the one before.
    pub fn insert<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>, value: V) -> Option<V> {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        let mut table = self.table.lock();
        let before = match table.entries.entry(hash, |e| e.key == object, |e| e.hash) {
            Place::Occupied(mut place) => {
                let entry = place.get_mut();
                entry.seen = false;
                Some(std::mem::replace(&mut entry.value, value))
            }
            Place::Vacant(place) => {
                place.insert(Entry { key: object, hash, value, seen: false });
                None
            }
        };
        // SAFETY: K4.
        unsafe { list(cx, std::ptr::from_ref(self).addr(), object, &self.listed) }
        before
    }
    /// The value for `key`.
    pub fn get<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>) -> Option<V> {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        let value = self.table.lock().entries.find(hash, |e| e.key == object).map(|e| e.value)?;
        if cx.local.marking.get() {
            // The marker comes to values late: what the program has seen must stay.
            list_references(&value, |target| cx.shade(target));
        }
        Some(value)
    }
    /// Whether there is a value for `key`.
    pub fn contains_key<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>) -> bool {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        self.table.lock().entries.find(hash, |e| e.key == object).is_some()
    }
    /// Takes the value for `key` out.
    pub fn remove<'gc>(&self, cx: &'gc Cx, key: Gc<'gc, K>) -> Option<V> {
        let object = Gc::object(key);
        let hash = cx.collector().identity_hash(object);
        let value = self.table.lock().entries.find_entry(hash, |e| e.key == object).ok()?.remove().0.value;
        if cx.local.marking.get() {
            list_references(&value, |target| cx.shade(target));
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
}

/// Lists a container that refers weakly, if it is old and not listed yet. `inside` is any object of the same heap.
///
/// # Safety
/// `payload` is the address of a container that is an object of its own (K4).
pub(crate) unsafe fn list(cx: &Cx, payload: usize, inside: ObjectRef, listed: &AtomicBool) {
    if cx.barrier_byte(payload) == YOUNG || listed.swap(true, Ordering::Relaxed) {
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
    /// Shows the values whose keys are alive and that were not shown yet; true if there was one.
    ///
    /// A value may be, or refer to, the key of another entry. From the second round on such chains are followed to their
    /// end at once, so that a long one does not need a round for each link.
    fn step<A: Liveness>(&mut self, visitor: &mut A, mut show: impl FnMut(&mut V, &mut A)) -> bool {
        let Table { entries, rounds } = self.table.get_mut();
        *rounds += 1;
        let mut reached = Vec::new();
        let mut any = false;
        for entry in entries.iter_mut().filter(|e| !e.seen) {
            if let Some(key) = visitor.resolve(entry.key) {
                (entry.key, entry.seen, any) = (key, true, true);
                if *rounds > 1 {
                    list_references(&entry.value, |target| reached.push(target));
                }
                if !bug::ephemeron_value_is_skipped() {
                    show(&mut entry.value, visitor);
                }
            }
        }
        if !reached.is_empty() {
            let mut unseen: HashMap<_, _> = entries.iter_mut().filter(|e| !e.seen).map(|e| (e.key, e)).collect();
            while let Some(target) = reached.pop() {
                let Some(entry) = unseen.remove(&target) else { continue };
                list_references(&entry.value, |target| reached.push(target));
                show(&mut entry.value, visitor);
                // The key was shown with the value that led here. A marker may not have come to it yet; it does not move it.
                (entry.key, entry.seen) = (visitor.resolve(entry.key).unwrap_or(entry.key), true);
            }
        }
        any
    }
    /// Forgets entries with dead keys; true if a key or a value is young.
    fn settle(&mut self, verdict: &dyn WeakVerdict) -> bool {
        let mut young = false;
        let Table { entries, rounds } = self.table.get_mut();
        *rounds = 0;
        entries.retain(|entry| {
            let Some(key) = verdict.resolve(entry.key) else { return false };
            (entry.key, entry.seen) = (key, false);
            young |= verdict.is_young(key);
            list_references(&entry.value, |target| young |= verdict.is_young(target));
            true
        });
        *self.listed.get_mut() = young;
        young
    }
    /// The map that `object` is.
    ///
    /// # Safety
    /// K4, and K2: the world is stopped and this is the only reference.
    unsafe fn of<'a>(object: ObjectRef) -> &'a mut Self {
        // SAFETY: the caller's promise.
        unsafe { &mut *object.payload().cast::<Self>() }
    }
    const OPS: &'static WeakOps = &WeakOps {
        // SAFETY: K4, K2.
        mark_step: |o, v| unsafe { Self::of(o) }.step(v, |value, v| value.mark(v)),
        // SAFETY: K4, K2.
        move_step: |o, v| unsafe { Self::of(o) }.step(v, |value, v| value.relocate(v)),
        // SAFETY: K4, K2.
        finish: |o, verdict| unsafe { Self::of(o) }.settle(verdict),
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
