#![expect(unsafe_code, reason = "promises about containers of the standard library")]
//! Containers whose elements live in malloc memory.
//!
//! No slot may sit in them, since its barrier would look at a malloc address; each `mark` asserts it. They always count
//! as having edges: asking their elements would be cyclic for a type that contains a container of itself.
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
}
// SAFETY: R3, the elements'.
unsafe impl<T: Share> Share for Box<[T]> {}

macro_rules! map {
    ($c:ident<K, V $(, $s:ident)?>: $($bound:tt)*) => {
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
        }
        // SAFETY: R3, the values'; keys and hashers are `Send + Sync`.
        unsafe impl<K: $($bound)* + Send + Sync + 'static, V: Share $(, $s: Send + Sync + 'static)?> Share for $c<K, V $(, $s)?> {}
    };
}
map!(HashMap<K, V, S>: Eq + Hash);
map!(BTreeMap<K, V>: Ord);

macro_rules! set {
    ($c:ident<K $(, $s:ident)?>: $($bound:tt)*) => {
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
        }
        // SAFETY: R3, keys and hashers are `Send + Sync`.
        unsafe impl<K: $($bound)* + Send + Sync + 'static $(, $s: Send + Sync + 'static)?> Share for $c<K $(, $s)?> {}
    };
}
set!(HashSet<K, S>: Eq + Hash);
set!(BTreeSet<K>: Ord);
