#![expect(unsafe_code, reason = "promises about containers of the standard library")]
//! Containers whose elements live in malloc memory.
//!
//! No slot may sit in them, since its barrier would look at a malloc address; each `mark` asserts it. They always count
//! as having edges: asking their elements would be cyclic for a type that contains a container of itself.
//! What they take from the system's allocator counts for the heap's limit; keys that own more (strings) count by their own
//! size only.
//! Keys of maps are free of references, for std lends no `&mut` to a key and an address must not feed a hash.
use crate::trace::{Marker, Mover, Rebind, Share, Trace, no_slot};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;

macro_rules! sequence {
    ($($c:ident),*) => { $(
        // SAFETY: R1, the elements'.
        unsafe impl<T: Rebind> Rebind for $c<T> {
            type At<'a> = $c<T::At<'a>>;
        }
        // SAFETY: R2, element by element.
        unsafe impl<T: Trace> Trace for $c<T> {
            #[inline]
            fn mark<V: Marker>(&self, v: &mut V) {
                const { no_slot::<T>() }
                for x in self.iter() {
                    x.mark(v);
                }
            }
            #[inline]
            fn relocate<V: Mover>(&mut self, v: &mut V) {
                for x in self.iter_mut() {
                    x.relocate(v);
                }
            }
            const OWNS: bool = true;
            fn owned_bytes(&mut self, deep: bool) -> usize {
                own(self.capacity() * size_of::<T>(), deep && T::OWNS, self)
            }
        }
        // SAFETY: R3, the elements'.
        unsafe impl<T: Share> Share for $c<T> {}
    )* };
}
sequence!(Vec, VecDeque);

// SAFETY: R1, the content's.
unsafe impl<T: Rebind> Rebind for Box<T> {
    type At<'a> = Box<T::At<'a>>;
}
// SAFETY: R2, the content's.
unsafe impl<T: Trace> Trace for Box<T> {
    #[inline]
    fn mark<V: Marker>(&self, v: &mut V) {
        const { no_slot::<T>() }
        (**self).mark(v);
    }
    #[inline]
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        (**self).relocate(v);
    }
    const OWNS: bool = true;
    fn owned_bytes(&mut self, deep: bool) -> usize {
        own(size_of::<T>(), deep && T::OWNS, std::iter::once(&mut **self))
    }
}
// SAFETY: R3, the content's.
unsafe impl<T: Share> Share for Box<T> {}

// SAFETY: R1, the elements'.
unsafe impl<T: Rebind> Rebind for Box<[T]> {
    type At<'a> = Box<[T::At<'a>]>;
}
// SAFETY: R2, element by element.
unsafe impl<T: Trace> Trace for Box<[T]> {
    #[inline]
    fn mark<V: Marker>(&self, v: &mut V) {
        const { no_slot::<T>() }
        for x in self.iter() {
            x.mark(v);
        }
    }
    #[inline]
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        for x in self.iter_mut() {
            x.relocate(v);
        }
    }
    const OWNS: bool = true;
    fn owned_bytes(&mut self, deep: bool) -> usize {
        own(size_of_val(&**self), deep && T::OWNS, &mut **self)
    }
}
// SAFETY: R3, the elements'.
unsafe impl<T: Share> Share for Box<[T]> {}

/// A container's own bytes, and what its elements own if that is asked for.
fn own<'a, T: Trace + 'a>(bytes: usize, deep: bool, elements: impl IntoIterator<Item = &'a mut T>) -> usize {
    if !deep {
        return bytes;
    }
    elements.into_iter().fold(bytes, |sum, x| sum.saturating_add(x.owned_bytes(true)))
}
/// Bytes of a hash table with room for `capacity` entries: a byte of control each, and one slot in eight kept free.
const fn hash_table_bytes<E>(capacity: usize) -> usize {
    (capacity + capacity / 7) * (size_of::<E>() + 1)
}
/// Bytes of a B-tree with `len` entries: nodes are two thirds full, and have their links.
const fn b_tree_bytes<E>(len: usize) -> usize {
    (len + len / 2) * (size_of::<E>() + size_of::<usize>() / 4)
}

macro_rules! map {
    ($c:ident<K, V $(, $s:ident)?>: $bytes:ident($size:ident), $($bound:tt)*) => {
        // SAFETY: R1, the values'; keys and hashers are `'static`.
        unsafe impl<K: $($bound)* + Send + Sync + 'static, V: Rebind $(, $s: Send + Sync + 'static)?> Rebind for $c<K, V $(, $s)?> {
            type At<'a> = $c<K, V::At<'a> $(, $s)?>;
        }
        // SAFETY: R2, value by value.
        unsafe impl<K: $($bound)* + Send + Sync + 'static, V: Trace $(, $s: Send + Sync + 'static)?> Trace for $c<K, V $(, $s)?> {
            #[inline]
            fn mark<Z: Marker>(&self, v: &mut Z) {
                const { no_slot::<V>() }
                for x in self.values() {
                    x.mark(v);
                }
            }
            #[inline]
            fn relocate<Z: Mover>(&mut self, v: &mut Z) {
                for x in self.values_mut() {
                    x.relocate(v);
                }
            }
            const OWNS: bool = true;
            fn owned_bytes(&mut self, deep: bool) -> usize {
                own($bytes::<(K, V)>(self.$size()), deep && V::OWNS, self.values_mut())
            }
        }
        // SAFETY: R3, the values'; keys and hashers are `Send + Sync`.
        unsafe impl<K: $($bound)* + Send + Sync + 'static, V: Share $(, $s: Send + Sync + 'static)?> Share for $c<K, V $(, $s)?> {}
    };
}
map!(HashMap<K, V, S>: hash_table_bytes(capacity), Eq + Hash);
map!(BTreeMap<K, V>: b_tree_bytes(len), Ord);

macro_rules! set {
    ($c:ident<K $(, $s:ident)?>: $bytes:ident($size:ident), $($bound:tt)*) => {
        // SAFETY: R1, keys and hashers are `'static`.
        unsafe impl<K: $($bound)* + Send + Sync + 'static $(, $s: Send + Sync + 'static)?> Rebind for $c<K $(, $s)?> {
            type At<'a> = Self;
        }
        // SAFETY: R2, there is nothing to show.
        unsafe impl<K: $($bound)* + Send + Sync + 'static $(, $s: Send + Sync + 'static)?> Trace for $c<K $(, $s)?> {
            const HAS_EDGES: bool = false;
            #[inline(always)]
            fn mark<Z: Marker>(&self, _: &mut Z) {}
            #[inline(always)]
            fn relocate<Z: Mover>(&mut self, _: &mut Z) {}
            const OWNS: bool = true;
            fn owned_bytes(&mut self, _: bool) -> usize {
                $bytes::<K>(self.$size())
            }
        }
        // SAFETY: R3, keys and hashers are `Send + Sync`.
        unsafe impl<K: $($bound)* + Send + Sync + 'static $(, $s: Send + Sync + 'static)?> Share for $c<K $(, $s)?> {}
    };
}
set!(HashSet<K, S>: hash_table_bytes(capacity), Eq + Hash);
set!(BTreeSet<K>: b_tree_bytes(len), Ord);
