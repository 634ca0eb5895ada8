#![expect(unsafe_code, reason = "address space is asked for, opened and given back here")]
//! Address space: reserved once, opened and closed in pieces, given back whole.
//!
//! M1  `base` is the start of a mapping of `bytes` bytes that is ours until `drop`; nothing else is mapped there.
//! M2  A range between a successful `open` and the next `close` is readable and writable; it reads zero until written.
//! M3  Whoever closes a range has seen to it that nobody uses it any more.
use crate::sync::AtomicUsize;
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};

/// A range of address space of our own.
pub(crate) struct Reservation {
    base: *mut u8,
    bytes: usize,
}

// SAFETY: M1, the range is owned by no thread; access to what lies in it is the business of whoever opened it.
unsafe impl Send for Reservation {}
// SAFETY: as for `Send`; the methods only change the mapping through the kernel, which orders them.
unsafe impl Sync for Reservation {}

impl Reservation {
    /// Reserves at least `bytes` bytes, aligned to `align` (a power of two, at least a page).
    pub(crate) fn new(bytes: usize, align: usize) -> Result<Self, Errno> {
        Self::exactly(bytes, align).map_or_else(|| Self::wide(bytes, align), Ok)
    }
    /// Asks for no more than is wanted: under a limit on address space the detour of [`wide`](Self::wide) may be refused.
    /// The kernel maps from above, so below what it found there is mostly room too.
    fn exactly(bytes: usize, align: usize) -> Option<Self> {
        let mut hint = std::ptr::null_mut();
        for _ in 0..2 {
            // SAFETY: an anonymous mapping at an address of the kernel's choice, for that is all a hint is, disturbs nobody.
            let start = unsafe {
                mmap_anonymous(hint, bytes, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE).ok()?
            };
            if start.addr().is_multiple_of(align) {
                return Some(Self { base: start.cast(), bytes });
            }
            // SAFETY: M1, it is ours and nobody has been told of it.
            unsafe { munmap(start, bytes).ok()? };
            hint = start.map_addr(|addr| addr & !(align - 1));
        }
        None
    }
    /// Reserves more, and gives back what stands over.
    fn wide(bytes: usize, align: usize) -> Result<Self, Errno> {
        let wide = bytes.checked_add(align).ok_or(Errno::NOMEM)?;
        // SAFETY: an anonymous mapping at an address of the kernel's choice disturbs nobody.
        let start = unsafe {
            mmap_anonymous(std::ptr::null_mut(), wide, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE)?
        }
        .cast::<u8>();
        let lead = start.addr().next_multiple_of(align) - start.addr();
        let base = start.wrapping_add(lead);
        // SAFETY: M1, the two ends are ours and nobody has been told of them.
        unsafe {
            if lead > 0 {
                munmap(start.cast(), lead)?;
            }
            munmap(base.add(bytes).cast(), wide - lead - bytes)?;
        }
        Ok(Self { base, bytes })
    }
    pub(crate) fn base(&self) -> *mut u8 {
        self.base
    }
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
    #[inline]
    pub(crate) fn contains(&self, addr: usize) -> bool {
        addr.wrapping_sub(self.base.addr()) < self.bytes
    }
    /// The place `offset` bytes in.
    #[inline]
    pub(crate) fn at(&self, offset: usize) -> *mut u8 {
        debug_assert!(offset < self.bytes);
        self.base.wrapping_add(offset)
    }
    /// Makes a range readable and writable.
    pub(crate) fn open(&self, offset: usize, bytes: usize) -> Result<(), Errno> {
        assert!(offset + bytes <= self.bytes);
        // SAFETY: M1, the range is ours.
        unsafe { mprotect(self.at(offset).cast(), bytes, MprotectFlags::READ | MprotectFlags::WRITE) }
    }
    /// Lets the system back open ranges with huge pages, where a whole one is open. A wish: without them nothing is wrong.
    pub(crate) fn wish_for_huge_pages(&self) {
        // SAFETY: M1, the mapping is ours, and the advice changes nothing that is in it.
        let _ = unsafe { madvise(self.base.cast(), self.bytes, Advice::LinuxHugepage) };
    }
    /// Gives a range's memory back to the system; it stays open and reads zero again.
    pub(crate) fn release(&self, offset: usize, bytes: usize) {
        assert!(offset + bytes <= self.bytes);
        // SAFETY: M1 and M3. A refusal leaves the memory as it was, which is only a waste.
        let _ = unsafe { madvise(self.at(offset).cast(), bytes, Advice::LinuxDontNeed) };
    }
    /// Makes a range inaccessible: any use of it from now on is a fault.
    pub(crate) fn forbid(&self, offset: usize, bytes: usize) {
        assert!(offset + bytes <= self.bytes);
        // SAFETY: M1 and M3.
        let _ = unsafe { mprotect(self.at(offset).cast(), bytes, MprotectFlags::empty()) };
    }
    /// Backs an open range with memory now, so that no later write has to wait for it.
    pub(crate) fn touch(&self, offset: usize, bytes: usize) {
        assert!(offset + bytes <= self.bytes);
        // SAFETY: M1 and M2; what is there stays as it is.
        if unsafe { madvise(self.at(offset).cast(), bytes, Advice::LinuxPopulateWrite) }.is_ok() {
            return;
        }
        // An older kernel.
        for page in (offset..offset + bytes).step_by(4096) {
            let word = self.word(page);
            // A store of what is there: atomic, so that it may run beside the range's owner.
            word.fetch_add(0, std::sync::atomic::Ordering::Relaxed);
        }
    }
    /// A word of an open range.
    #[inline]
    pub(crate) fn word(&self, offset: usize) -> &AtomicUsize {
        debug_assert!(offset + 8 <= self.bytes && offset.is_multiple_of(8));
        // SAFETY: M1 and M2; side metadata and header words are only ever accessed as atomics.
        unsafe { &*self.at(offset).cast::<AtomicUsize>() }
    }
    /// Words of an open range that is only used as atomics.
    #[inline]
    pub(crate) fn words(&self, offset: usize, count: usize) -> &[AtomicUsize] {
        debug_assert!(offset + 8 * count <= self.bytes && offset.is_multiple_of(8));
        // SAFETY: as for `word`.
        unsafe { std::slice::from_raw_parts(self.at(offset).cast::<AtomicUsize>(), count) }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: M1; the owner outlives everything that was given an address in it.
        let _ = unsafe { munmap(self.base.cast(), self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn opened_memory_reads_zero_and_again_after_release() {
        let r = Reservation::new(1 << 20, 1 << 18).unwrap();
        assert!(r.base().addr().is_multiple_of(1 << 18));
        r.open(4096, 8192).unwrap();
        assert_eq!(r.word(4096).swap(7, Relaxed), 0);
        r.release(4096, 4096);
        assert_eq!(r.word(4096).load(Relaxed), 0);
        assert!(r.contains(r.base().addr()) && !r.contains(r.base().addr() + r.bytes()));
    }

    #[test]
    fn an_absurd_wish_is_an_error() {
        assert!(Reservation::new(1 << 60, 1 << 18).is_err());
        assert!(Reservation::new(usize::MAX - 1, 1 << 18).is_err());
    }
}
