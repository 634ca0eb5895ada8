#![expect(unsafe_code, reason = "a weak set is a weak map without values, to the collector too")]
//! `WeakSet<K>`: objects, none of which it keeps alive.
//!
//! K1  A set has the layout of the map in it, so the map's operations are the set's.
use crate::handle::gc::{Gc, HeapType};
use crate::handle::weak_map::WeakMap;
use crate::mutator::cx::Cx;
use crate::trace::{Brand, Marker, Mover, Rebind, Share, Trace};
use orinoco_collector::error::AllocError;
use orinoco_collector::object::weak::WeakOps;

/// A set of objects that keeps none of them alive: for marking objects as seen, branded, visited, from outside.
///
/// What holds for [`WeakMap`] holds here.
#[repr(transparent)]
pub struct WeakSet<K: ?Sized>(WeakMap<K, ()>);

impl<K: ?Sized + HeapType> WeakSet<K> {
    /// An empty set.
    ///
    /// # Panics
    /// When the heap's limit is reached.
    pub fn new<'gc>(cx: &'gc Cx) -> Gc<'gc, Self>
    where
        Self: Brand<'gc>,
    {
        cx.alloc(WeakSet(WeakMap::empty()))
    }
    /// An empty set.
    ///
    /// # Errors
    /// As [`Cx::try_alloc`].
    pub fn try_new<'gc>(cx: &'gc Cx) -> Result<Gc<'gc, Self>, AllocError>
    where
        Self: Brand<'gc>,
    {
        cx.try_alloc(WeakSet(WeakMap::empty()))
    }
    /// Adds an object; false if it was there.
    ///
    /// # Panics
    /// When the operating system refuses memory for the table.
    pub fn insert<'gc>(&self, cx: &'gc Cx, object: Gc<'gc, K>) -> bool {
        self.0.insert(cx, object, ()).is_none()
    }
    /// Adds an object; false if it was there.
    ///
    /// # Errors
    /// [`AllocError::OutOfMemory`] when the operating system refuses memory for the table; nothing has changed then.
    pub fn try_insert<'gc>(&self, cx: &'gc Cx, object: Gc<'gc, K>) -> Result<bool, AllocError> {
        self.0.try_insert(cx, object, ()).map(|before| before.is_none())
    }
    /// Whether an object is in the set.
    pub fn contains<'gc>(&self, cx: &'gc Cx, object: Gc<'gc, K>) -> bool {
        self.0.contains_key(cx, object)
    }
    /// Takes an object out; false if it was not there.
    pub fn remove<'gc>(&self, cx: &'gc Cx, object: Gc<'gc, K>) -> bool {
        self.0.remove(cx, object).is_some()
    }
    /// How many objects there are; the dead count until the next collection that finds out.
    pub fn len(&self, cx: &Cx) -> usize {
        self.0.len(cx)
    }
    /// Whether there is none.
    pub fn is_empty(&self, cx: &Cx) -> bool {
        self.0.is_empty(cx)
    }
}

impl<K: ?Sized> std::fmt::Debug for WeakSet<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WeakSet").finish_non_exhaustive()
    }
}

// SAFETY: R1, the keys' constructor.
unsafe impl<K: ?Sized + HeapType> Rebind for WeakSet<K> {
    type At<'a> = WeakSet<K::On<'a>>;
}
// SAFETY: R2, nothing is kept alive by the set; its keys are the collector's, through `WEAK` (K1).
unsafe impl<K: ?Sized + HeapType> Trace for WeakSet<K> {
    const HAS_EDGES: bool = false;
    const WEAK: Option<&'static WeakOps> = Some(WeakMap::<K, ()>::OPS);
    fn mark<M: Marker>(&self, _: &mut M) {}
    fn relocate<M: Mover>(&mut self, _: &mut M) {}
}
// SAFETY: R3, as the map.
unsafe impl<K: ?Sized + HeapType> Share for WeakSet<K> {}
