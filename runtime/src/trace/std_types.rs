#![expect(unsafe_code, reason = "promises about types of the standard library")]
//! Types of the standard library that hold no references, or hold their parts inline.
//!
//! Leaves have nothing to show (R2) and do not mention the collector lifetime (R1); all of them are `Send + Sync` (R3).
//! Tuples, arrays and options show their parts in order.
use crate::trace::{Marker, Mover, Rebind, Share, Trace};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    AtomicUsize,
};

macro_rules! leaf {
    ([$($g:tt)*] $t:ty $(, owns $owns:expr)?) => {
        // SAFETY: R1, the type does not mention the collector lifetime.
        unsafe impl<$($g)*> Rebind for $t {
            type At<'a> = $t;
        }
        // SAFETY: R2, there is nothing to show.
        unsafe impl<$($g)*> Trace for $t {
            const HAS_EDGES: bool = false;
            #[inline(always)]
            fn mark<V: Marker>(&self, _: &mut V) {}
            #[inline(always)]
            fn relocate<V: Mover>(&mut self, _: &mut V) {}
            $(
                const OWNS: bool = true;
                #[inline]
                fn owned_bytes(&mut self, _: bool) -> usize {
                    let owns: fn(&$t) -> usize = $owns;
                    owns(self)
                }
            )?
        }
        // SAFETY: R3, the type is `Send + Sync`.
        unsafe impl<$($g)*> Share for $t {}
    };
}
macro_rules! leaves { ($($t:ty),* $(,)?) => { $(leaf!([] $t); const _: () = assert_shared::<$t>();)* } }

const fn assert_shared<T: Send + Sync + 'static>() {}

leaves!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    bool,
    char,
    (),
    AtomicBool,
    AtomicU8,
    AtomicU16,
    AtomicU32,
    AtomicU64,
    AtomicUsize,
    AtomicI8,
    AtomicI16,
    AtomicI32,
    AtomicI64,
    AtomicIsize,
    &'static str,
    std::time::Instant,
    std::time::Duration,
    std::time::SystemTime,
    std::cmp::Ordering,
    std::num::NonZeroU8,
    std::num::NonZeroU16,
    std::num::NonZeroU32,
    std::num::NonZeroU64,
    std::num::NonZeroUsize,
    std::num::NonZeroI32,
    std::num::NonZeroI64,
);
leaf!([] String, owns |s| s.capacity());
leaf!([] Box<str>, owns |s| s.len());
leaf!([] std::path::PathBuf, owns |p| p.capacity());
leaf!([] std::ffi::OsString, owns |s| s.capacity());
const _: () = assert_shared::<(String, Box<str>, std::path::PathBuf, std::ffi::OsString)>();
// Shared with whom else nobody can tell: what is behind an `Arc` counts for no object.
leaf!([T: ?Sized + Send + Sync + 'static] Arc<T>);

macro_rules! tuple {
    ($($t:ident: $x:ident),*) => {
        // SAFETY: R1, part by part.
        unsafe impl<$($t: Rebind),*> Rebind for ($($t,)*) {
            type At<'a> = ($($t::At<'a>,)*);
        }
        // SAFETY: R2, part by part.
        unsafe impl<$($t: Trace),*> Trace for ($($t,)*) {
            const HAS_SLOT: bool = false $(|| $t::HAS_SLOT)*;
            const HAS_EDGES: bool = false $(|| $t::HAS_EDGES)*;
            #[inline]
            fn mark<Z: Marker>(&self, v: &mut Z) {
                let ($($x,)*) = self;
                $($x.mark(v);)*
            }
            #[inline]
            fn relocate<Z: Mover>(&mut self, v: &mut Z) {
                let ($($x,)*) = self;
                $($x.relocate(v);)*
            }
            const OWNS: bool = false $(|| $t::OWNS)*;
            #[inline]
            fn owned_bytes(&mut self, deep: bool) -> usize {
                let ($($x,)*) = self;
                0usize $(.saturating_add($x.owned_bytes(deep)))*
            }
        }
        // SAFETY: R3, part by part.
        unsafe impl<$($t: Share),*> Share for ($($t,)*) {}
    };
}
tuple!(A: a);
tuple!(A: a, B: b);
tuple!(A: a, B: b, C: c);
tuple!(A: a, B: b, C: c, D: d);
tuple!(A: a, B: b, C: c, D: d, E: e);
tuple!(A: a, B: b, C: c, D: d, E: e, F: f);
tuple!(A: a, B: b, C: c, D: d, E: e, F: f, G: g);
tuple!(A: a, B: b, C: c, D: d, E: e, F: f, G: g, H: h);

// SAFETY: R1, the part's.
unsafe impl<T: Rebind> Rebind for Option<T> {
    type At<'a> = Option<T::At<'a>>;
}
// SAFETY: R2, the part's.
unsafe impl<T: Trace> Trace for Option<T> {
    const HAS_SLOT: bool = T::HAS_SLOT;
    const HAS_EDGES: bool = T::HAS_EDGES;
    #[inline(always)]
    fn mark<V: Marker>(&self, v: &mut V) {
        if let Some(x) = self {
            x.mark(v);
        }
    }
    #[inline(always)]
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        if let Some(x) = self {
            x.relocate(v);
        }
    }
    const OWNS: bool = T::OWNS;
    #[inline]
    fn owned_bytes(&mut self, deep: bool) -> usize {
        self.as_mut().map_or(0, |x| x.owned_bytes(deep))
    }
}
// SAFETY: R3, the part's.
unsafe impl<T: Share> Share for Option<T> {}

// SAFETY: R1, the parts'.
unsafe impl<T: Rebind, const N: usize> Rebind for [T; N] {
    type At<'a> = [T::At<'a>; N];
}
// SAFETY: R2, element by element.
unsafe impl<T: Trace, const N: usize> Trace for [T; N] {
    const HAS_SLOT: bool = T::HAS_SLOT;
    const HAS_EDGES: bool = T::HAS_EDGES;
    #[inline]
    fn mark<V: Marker>(&self, v: &mut V) {
        for x in self {
            x.mark(v);
        }
    }
    #[inline]
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        for x in self {
            x.relocate(v);
        }
    }
    const OWNS: bool = T::OWNS;
    #[inline]
    fn owned_bytes(&mut self, deep: bool) -> usize {
        self.iter_mut().fold(0, |sum, x| sum.saturating_add(x.owned_bytes(deep)))
    }
}
// SAFETY: R3, the parts'.
unsafe impl<T: Share, const N: usize> Share for [T; N] {}

// SAFETY: R1, the part's.
unsafe impl<T: Rebind> Rebind for std::cell::Cell<T> {
    type At<'a> = std::cell::Cell<T::At<'a>>;
}
// SAFETY: R2, the part's. A `Cell` is not `Share`, so only the thread that owns a root structure writes it, and not now.
unsafe impl<T: Trace + Copy> Trace for std::cell::Cell<T> {
    const HAS_SLOT: bool = T::HAS_SLOT;
    const HAS_EDGES: bool = T::HAS_EDGES;
    fn mark<V: Marker>(&self, v: &mut V) {
        self.get().mark(v);
    }
    fn relocate<V: Mover>(&mut self, v: &mut V) {
        self.get_mut().relocate(v);
    }
}
