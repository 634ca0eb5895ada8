#![expect(unsafe_code, reason = "a promise that a value without references has none")]
//! `External`: memory that an object owns behind a type the heap cannot look into, declared by who knows.
//!
//! Fields of the standard library's types are counted by themselves. A buffer behind `#[trace(skip)]` (a map of a file, a
//! texture, a foreign library's handle) is not: its owner keeps an `External` beside it. It is counted while it exists, and
//! a dead object's is dropped with it.
use crate::mutator::cx::Cx;
use crate::trace::{Marker, Mover, Rebind, Share, Trace};
use orinoco_collector::error::AllocError;
use orinoco_collector::owned::Owned;
use orinoco_collector::sync::Arc;
use orinoco_collector::units::Bytes;

/// Bytes outside of the heap that count for its limit and its pace while this exists. From [`Cx::try_external`].
///
/// ```
/// use orinoco::{Bytes, External, Heap, HeapConfig, Trace};
///
/// #[derive(Trace)]
/// struct Texture {
///     #[trace(skip)]
///     pixels: std::sync::Arc<[u8]>, // an `Arc` may be shared: the heap does not count it
///     size: External,
/// }
///
/// let heap = Heap::new(HeapConfig::new().limit(Bytes::mib(16)).helpers(0))?;
/// heap.enter((), |m| {
///     let size = m.try_external(Bytes::mib(8))?;
///     m.alloc(Texture { pixels: vec![0; 8 << 20].into(), size });
///     assert!(heap.memory_usage().external >= Bytes::mib(8));
///     assert!(m.try_external(Bytes::mib(12)).is_err(), "the limit has no room for both");
///     m.collect();
///     assert!(m.try_external(Bytes::mib(12)).is_ok(), "the texture is dead");
///     Ok::<(), orinoco::AllocError>(())
/// }).expect("there is room");
/// # Ok::<(), orinoco::HeapError>(())
/// ```
pub struct External {
    count: Arc<Owned>,
    bytes: usize,
}

impl External {
    /// How many bytes it stands for.
    pub const fn bytes(&self) -> Bytes {
        Bytes::new(self.bytes)
    }
}

impl Drop for External {
    fn drop(&mut self) {
        self.count.subtract(self.bytes);
    }
}

impl std::fmt::Debug for External {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("External").field(&self.bytes()).finish()
    }
}

impl Cx {
    /// Declares that `bytes` are about to be taken from outside of the heap, for an object of it to own. They count until
    /// the [`External`] is dropped.
    ///
    /// # Errors
    /// As [`try_alloc`](Self::try_alloc): when the limit has no room for them.
    pub fn try_external(&self, bytes: Bytes) -> Result<External, AllocError> {
        let taken = self.collector().try_own(bytes.get());
        self.pass_on_wish();
        taken.map(|()| External { count: self.collector().owned().clone(), bytes: bytes.get() })
    }
}

// SAFETY: R1, the type does not mention the collector lifetime.
unsafe impl Rebind for External {
    type At<'a> = Self;
}
// SAFETY: R2, there is nothing to show.
unsafe impl Trace for External {
    const HAS_EDGES: bool = false;
    #[inline(always)]
    fn mark<V: Marker>(&self, _: &mut V) {}
    #[inline(always)]
    fn relocate<V: Mover>(&mut self, _: &mut V) {}
}
// SAFETY: R3, a count and a number.
unsafe impl Share for External {}
