#![expect(unsafe_code, reason = "every raw load, store and copy of heap memory there is")]
//! Raw access to objects: the addresses, headers, sizes and copies that everything above is written in.
//!
//! O1  An [`ObjectRef`] is the address of a header that was completely written before the reference was made,
//!     in memory of a reservation that outlives every use; it keeps the reservation's provenance.
//! O2  A header's low 48 bits, when not forwarded, are the exposed address of a `&'static TypeInfo`.
//! O3  Memory between an owner's `top` and `limit` belongs to that owner alone until it publishes an object there.
//! O4  A copy's source and destination are different objects, hence disjoint.
//! O5  Whoever asks for a place inside an object asks within its size.
//!
//! The functions here are safe to call because no one outside this crate can: the crate keeps O1 to O5 by the
//! types that its rooms hand each other.
use crate::object::forward::{FORWARDED, RETAINED};
use crate::object::header::{HashState, INFO_MASK, hash_state};
use crate::object::trace::TypeInfo;
use crate::sync::AtomicUsize;
use crate::units::{WORD, round_to_word};
use std::any::TypeId;
use std::ptr::NonNull;

/// The start of an object: the address of its header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct ObjectRef(NonNull<u8>);

// SAFETY: O1, an object reference is an address that outlives every use; what lies behind it is reached
// through atomics, in a stopped world, or by the one owner that O3 names.
unsafe impl Send for ObjectRef {}
// SAFETY: as for `Send`.
unsafe impl Sync for ObjectRef {}

impl std::fmt::Debug for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "object@{:#x}", self.addr())
    }
}

impl ObjectRef {
    /// The object whose header is at `start`.
    ///
    /// # Safety
    /// O1 holds for `start`.
    #[inline(always)]
    pub const unsafe fn from_start(start: NonNull<u8>) -> Self {
        Self(start)
    }
    /// The address as a number.
    #[inline(always)]
    pub fn addr(self) -> usize {
        self.0.as_ptr().addr()
    }
    /// The address as a pointer with the reservation's provenance.
    #[inline(always)]
    pub const fn as_ptr(self) -> *mut u8 {
        self.0.as_ptr()
    }
    /// The object at `addr` in the same reservation.
    #[inline(always)]
    pub(crate) fn sibling(self, addr: usize) -> Self {
        debug_assert!(addr != 0 && addr.is_multiple_of(WORD));
        Self(NonNull::new(self.as_ptr().with_addr(addr)).expect("a forwarding address is never null"))
    }
    /// Where the payload begins.
    #[inline(always)]
    pub fn payload(self) -> *mut u8 {
        self.as_ptr().wrapping_add(WORD)
    }
    /// The header word.
    #[inline(always)]
    pub(crate) fn header(&self) -> &AtomicUsize {
        // SAFETY: O1, the header is an aligned, initialised word, and is only ever accessed as this atomic
        // once the object is published.
        unsafe { &*self.as_ptr().cast::<AtomicUsize>() }
    }
    /// The header's value; it must not be forwarded.
    #[inline(always)]
    pub(crate) fn header_now(&self) -> usize {
        let header = self.header().load(std::sync::atomic::Ordering::Relaxed);
        debug_assert!(header & FORWARDED == 0, "{self:?} is forwarded");
        header
    }
    /// The descriptor of the object's type.
    #[inline(always)]
    pub fn info(&self) -> &'static TypeInfo {
        info_of(self.header_now())
    }
    /// The length of an array.
    #[inline(always)]
    pub fn array_length(self) -> usize {
        // SAFETY: O1 and O5, an array's second word is its length, written before the header and never again.
        unsafe { self.payload().cast::<usize>().read() }
    }
    /// Elements, or 0 for an object that is no array.
    #[inline(always)]
    pub(crate) fn element_count(self, info: &TypeInfo) -> usize {
        if info.element_bytes == 0 { 0 } else { self.array_length() }
    }
    /// The object's size in bytes, header and stored hash included.
    #[inline(always)]
    pub fn size(self) -> usize {
        self.size_under(self.header_now())
    }
    /// The size, given the header (which may by now be overwritten by a forwarding address).
    #[inline(always)]
    pub(crate) fn size_under(self, header: usize) -> usize {
        let stored = if hash_state(header) == HashState::Stored { WORD } else { 0 };
        self.bare_size_under(header) + stored
    }
    /// The size without the word for a stored hash.
    #[inline(always)]
    pub(crate) fn bare_size_under(self, header: usize) -> usize {
        let info = info_of(header);
        if info.element_bytes == 0 {
            info.fixed_bytes
        } else {
            round_to_word(info.fixed_bytes + info.element_bytes * self.array_length())
        }
    }
    /// Whether this is no object but the padding between two.
    pub fn is_filler(self) -> bool {
        let info: *const TypeInfo = self.info();
        std::ptr::eq(info, &raw const FILLER_WORD) || std::ptr::eq(info, &raw const FILLER_RUN)
    }
    /// Reads the stored identity hash; the header must say that there is one.
    pub(crate) fn stored_hash(self, header: usize) -> u64 {
        debug_assert_eq!(hash_state(header), HashState::Stored);
        // SAFETY: O1 and O5, the word behind the bare size belongs to the object in this state.
        unsafe { self.as_ptr().add(self.bare_size_under(header)).cast::<u64>().read() }
    }
}

/// The descriptor that a header which is not forwarded refers to.
#[inline(always)]
pub(crate) fn info_of(header: usize) -> &'static TypeInfo {
    debug_assert!(header & FORWARDED == 0 && header & INFO_MASK != 0, "{header:#x} is no header");
    // SAFETY: O2.
    unsafe { &*std::ptr::with_exposed_provenance::<TypeInfo>(header & INFO_MASK) }
}

/// The object whose header is at `start`: O1 is the caller's to know.
#[inline(always)]
pub(crate) fn object_at(start: *mut u8) -> ObjectRef {
    debug_assert!(start.addr().is_multiple_of(WORD));
    ObjectRef(NonNull::new(start).expect("an object is never at null"))
}

/// The header of a fresh object of the described type.
#[inline(always)]
pub fn fresh_header(info: &'static TypeInfo) -> usize {
    std::ptr::from_ref(info).expose_provenance()
}

/// Copies an object's `bytes` to `to` under the given header. `to` is the caller's (O3), and elsewhere (O4).
#[inline(always)]
pub(crate) fn copy_object(from: ObjectRef, to: *mut u8, bytes: usize, header: usize) -> ObjectRef {
    // SAFETY: O1, O3, O4. The header is left out: it is an atomic that other workers change meanwhile.
    unsafe {
        std::ptr::copy_nonoverlapping(from.payload(), to.add(WORD), bytes - WORD);
        to.cast::<usize>().write(header);
        ObjectRef(NonNull::new_unchecked(to))
    }
}

/// Writes a word that the caller owns (O3).
#[inline(always)]
pub(crate) fn write_word(at: *mut u8, value: usize) {
    debug_assert!(at.addr().is_multiple_of(WORD));
    // SAFETY: O3.
    unsafe { at.cast::<usize>().write(value) }
}

/// Fills `bytes` bytes at `start` with one filler, so that the memory can be walked. The range is the caller's (O3).
pub(crate) fn fill(start: *mut u8, bytes: usize) {
    debug_assert!(bytes.is_multiple_of(WORD));
    match bytes {
        0 => {}
        WORD => write_word(start, fresh_header(&FILLER_WORD)),
        _ => {
            write_word(start.wrapping_add(WORD), bytes - 2 * WORD);
            write_word(start, fresh_header(&FILLER_RUN));
        }
    }
}

/// Overwrites the caller's range (O3) with a pattern that is no header, no address and no small number.
pub(crate) fn poison(start: *mut u8, bytes: usize) {
    // SAFETY: O3.
    unsafe { start.write_bytes(0xDB, bytes) }
}

/// Asks the cache for the line at `at`; only a hint, whatever the address.
#[inline(always)]
pub(crate) fn prefetch(at: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch reads nothing and cannot fault.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast())
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// An address inside an object of the heap, with the reservation's provenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacePtr(pub *mut u8);

// SAFETY: an address; whoever follows it does so in a stopped world or through the place's own protocol.
unsafe impl Send for PlacePtr {}
// SAFETY: as for `Send`.
unsafe impl Sync for PlacePtr {}

struct Filler;

const fn filler(fixed_bytes: usize, element_bytes: usize) -> TypeInfo {
    TypeInfo {
        fixed_bytes,
        element_bytes,
        has_edges: false,
        drop: None,
        owned: None,
        weak: None,
        id: TypeId::of::<Filler>,
        name: || "filler",
        mark: |_, _, _, _| {},
        relocate: |_, _, _, _| {},
        list: |_, _, _, _| {},
    }
}

static FILLER_WORD: TypeInfo = filler(WORD, 0);
static FILLER_RUN: TypeInfo = filler(2 * WORD, 1);
const _: () = assert!(RETAINED & INFO_MASK == 0 && FORWARDED & INFO_MASK == 0);
