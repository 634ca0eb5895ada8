//! The regions that nobody uses, and how many somebody may use.
//!
//! P1  A region in `free` has kind *Free* and no thread has an address in it.
//! P2  Regions taken for mutators never bring `in_use` and what objects own outside above `limit`; the collector may exceed it during a pause,
//!     into the reserve that the reservation keeps for it.
use crate::error::AllocError;
use crate::fault::{Faults, Trap};
use crate::memory::reservation::Reservation;
use crate::object::raw::poison;
use crate::owned::Owned;
use crate::pace::effort;
use crate::region::kind::Kind;
use crate::region::mark_bitmap::MarkBitmap;
use crate::region::table::RegionTable;
use crate::space::free::Free;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::{Bytes, REGION_BYTES, WORD};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ops::Range;

/// Bytes of one side bitmap for a region: a bit a word.
const SIDE_BYTES: usize = REGION_BYTES / WORD / 8;

/// A heap's address space and who uses which region of it.
pub(crate) struct Pool {
    heap: Reservation,
    marks: Reservation,
    remembered: Reservation,
    pub table: RegionTable,
    free: Mutex<Free>,
    parachute: Mutex<Parachute>,
    /// What objects own outside of the heap: it counts for the limit.
    pub owned: Arc<Owned>,
    /// Regions in use. Changed under the lock, read by anybody.
    in_use: AtomicUsize,
    /// See P2. Set when the heap is made; raised and restored between stops, by whom the embedder asks.
    limit: AtomicUsize,
    /// What mutators may use of the limit: less than all of it when collections are in vain. Written in stops.
    usable: AtomicUsize,
    /// Under zeal: regions that were given back last, inaccessible and not to be used yet, so that a stale reference is a
    /// fault where it is used. Changed under the lock of `free`.
    quarantine: Option<Mutex<VecDeque<usize>>>,
    /// Faults on purpose.
    pub trap: Trap,
}

/// Regions in quarantine; the reserve has room for more.
const QUARANTINE: usize = 48;

/// Who asks for a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// A mutator: the limit holds.
    Mutator,
    /// The collector, in a pause: it gives back more than it takes.
    Collector,
    /// A copier, in a pause that is to be short: only memory that is ready, for a fault costs more than a copy.
    Copier,
}

/// A little memory of the system's allocator, given back to it when the system refuses more: a pause needs some for its
/// lists, and where that is refused the process ends. Packed again when a cycle has ended. It is never touched, so it costs address space only.
struct Parachute(Option<Vec<u8>>);

impl Parachute {
    const BYTES: usize = 4 << 20;

    fn packed() -> Self {
        let mut parachute = Self(None);
        parachute.pack();
        parachute
    }
    fn open(&mut self) {
        self.0 = None;
    }
    fn pack(&mut self) {
        if self.0.is_none() {
            let mut reserve = Vec::new();
            self.0 = reserve.try_reserve_exact(Self::BYTES).is_ok().then_some(reserve);
        }
    }
}

impl Pool {
    /// Reserves address space for `limit` bytes and the collector's reserve: as much again, so that everything can be
    /// moved at once. Where that is refused, enough to empty a nursery; what cannot be moved then stays where it is.
    pub(crate) fn new(limit: Bytes, nursery: Bytes) -> Result<Self, (Bytes, Errno)> {
        let limit_regions = limit.get().div_ceil(REGION_BYTES);
        let nursery = nursery.get().div_ceil(REGION_BYTES);
        let count = |reserve: usize| (1 + limit_regions + reserve).next_power_of_two();
        Self::of(limit_regions, count(limit_regions + 4 * nursery + 64))
            .or_else(|refused| Self::of(limit_regions, count(nursery + 8)).map_err(|_| refused))
    }
    fn of(limit_regions: usize, count: usize) -> Result<Self, (Bytes, Errno)> {
        let bytes = count * REGION_BYTES;
        let reserve_range =
            |bytes: usize, align: usize| Reservation::new(bytes, align).map_err(|errno| (Bytes::new(bytes), errno));
        // Aligned to its own size, so that an address's region index is a shift and a mask, and entry 0 is ours.
        let heap = reserve_range(bytes, bytes)?;
        heap.wish_for_huge_pages();
        let marks = reserve_range(count * SIDE_BYTES, 4096)?;
        let remembered = reserve_range(count * SIDE_BYTES, 4096)?;
        Ok(Self {
            heap,
            marks,
            remembered,
            table: RegionTable::new(count),
            free: Mutex::new(Free::new(count)),
            parachute: Mutex::new(Parachute::packed()),
            owned: Arc::default(),
            in_use: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit_regions),
            usable: AtomicUsize::new(limit_regions),
            quarantine: None,
            trap: Trap::default(),
        })
    }
    /// The same, with faults on purpose.
    pub(crate) fn with_faults(self, faults: Faults) -> Self {
        Self { trap: Trap::new(faults), ..self }
    }
    /// The same, and regions that are given back become inaccessible for a while.
    pub(crate) fn forbidding(mut self) -> Self {
        self.quarantine = Some(Mutex::default());
        self
    }
    /// Whether an address lies in the heap.
    #[inline]
    pub(crate) fn contains(&self, addr: usize) -> bool {
        self.heap.contains(addr)
    }
    /// Where a region begins.
    #[inline]
    pub(crate) fn start(&self, index: usize) -> *mut u8 {
        self.heap.at(index * REGION_BYTES)
    }
    /// The address `offset` bytes into the heap.
    #[inline]
    pub(crate) fn at(&self, offset: usize) -> *mut u8 {
        self.heap.at(offset)
    }
    /// How far into the heap an address lies.
    #[inline(always)]
    pub(crate) fn offset(&self, addr: usize) -> usize {
        debug_assert!(self.contains(addr));
        addr - self.heap.base().addr()
    }
    /// A heap address re-derived from the reservation's own pointer.
    #[inline]
    pub(crate) fn rederive(&self, addr: usize) -> *mut u8 {
        self.heap.base().with_addr(addr)
    }
    /// The mark bits of the whole heap; bit *n* is the *n*-th word. Only open regions may be asked for.
    #[inline(always)]
    pub(crate) fn marks(&self) -> MarkBitmap<'_> {
        MarkBitmap::new(self.marks.words(0, self.marks.bytes() / WORD))
    }
    /// A bit a word: is this old slot in the remembered set?
    #[inline(always)]
    pub(crate) fn remembered(&self) -> MarkBitmap<'_> {
        MarkBitmap::new(self.remembered.words(0, self.remembered.bytes() / WORD))
    }
    /// The bit of a heap address.
    #[inline(always)]
    pub(crate) fn bit(&self, addr: usize) -> usize {
        self.offset(addr) / WORD
    }
    /// Takes `span` neighbouring regions for a job and returns the first's index.
    pub(crate) fn take(&self, span: usize, kind: Kind, whom: For) -> Result<usize, AllocError> {
        let mut free = self.free.lock();
        let in_use = self.in_use.load(Relaxed);
        if whom == For::Mutator {
            let usable = self.usable.load(Relaxed);
            let limit = self.limit();
            if span > limit {
                return Err(AllocError::TooLarge);
            }
            if in_use + span + self.owned.bytes().div_ceil(REGION_BYTES) > usable {
                return Err(if usable < limit { AllocError::HeapFull } else { AllocError::LimitReached });
            }
        }
        let found = if whom == For::Copier { free.find_open() } else { free.find(span) };
        let first = found.ok_or(AllocError::LimitReached)?;
        self.table.grow_to(first + span - 1);
        let mut rest = first..first + span;
        while !rest.is_empty() {
            let (part, open) = free.alike(rest.clone());
            rest.start = part.end;
            if !open {
                self.open_or_refuse(part.clone())?;
                free.opened(part);
            }
        }
        for index in first..first + span {
            free.remove(index);
            self.table.with_region(index, |r| {
                r.births.fetch_add(1, Relaxed);
                r.live.store(0, Relaxed);
                r.span.store(span, Relaxed);
                r.head.store(first, Relaxed);
            });
            self.table.set_kind(index, kind);
        }
        self.in_use.store(in_use + span, Relaxed);
        Ok(first)
    }
    /// While the parachute is open nothing more is asked for: what the system has left is for the pause's lists.
    fn open_or_refuse(&self, range: Range<usize>) -> Result<(), AllocError> {
        if self.parachute.lock().0.is_none() {
            return Err(AllocError::OutOfMemory);
        }
        self.open(range).map_err(|_| {
            self.parachute.lock().open();
            AllocError::OutOfMemory
        })
    }
    /// Has the reserve of small memory again, if it was used. Not in a pause.
    pub(crate) fn pack_parachute(&self) {
        self.parachute.lock().pack();
    }
    fn open(&self, range: Range<usize>) -> Result<(), Errno> {
        if self.trap.refuses_memory() {
            return Err(Errno::NOMEM);
        }
        self.marks.open(range.start * SIDE_BYTES, range.len() * SIDE_BYTES)?;
        self.remembered.open(range.start * SIDE_BYTES, range.len() * SIDE_BYTES)?;
        self.heap.open(range.start * REGION_BYTES, range.len() * REGION_BYTES)
    }
    /// Gives `span` regions back. Their mark bits and remembered bits are clear. P1 is the caller's to know.
    pub(crate) fn give_back(&self, first: usize, span: usize) {
        let mut free = self.free.lock();
        for index in first..first + span {
            self.table.set_kind(index, Kind::FREE);
            match &self.quarantine {
                None => free.add(index),
                Some(quarantine) => {
                    self.heap.forbid(index * REGION_BYTES, REGION_BYTES);
                    let mut quarantine = quarantine.lock();
                    quarantine.push_back(index);
                    if quarantine.len() > QUARANTINE {
                        free.closed(quarantine.pop_front().map_or(0..0, |index| index..index + 1));
                    }
                }
            }
        }
        self.in_use.fetch_sub(span, Relaxed);
    }
    /// Overwrites a region that nobody uses, so that a stale pointer into it cannot go unnoticed.
    pub(crate) fn poison(&self, index: usize) {
        poison(self.start(index), REGION_BYTES);
    }
    /// Gives the memory of free regions back to the system, all but `keep` of them and about `most`; returns how many.
    /// Whole groups go first: a part of one would break a huge page. Their side bitmaps are clear (P1), and go with them.
    ///
    /// The lock is held for a region's bookkeeping only: a stop may want regions meanwhile.
    pub(crate) fn release_free(&self, keep: usize, most: usize) -> usize {
        let close = |range: Range<usize>| {
            self.heap.release(range.start * REGION_BYTES, range.len() * REGION_BYTES);
            self.heap.forbid(range.start * REGION_BYTES, range.len() * REGION_BYTES);
            self.marks.release(range.start * SIDE_BYTES, range.len() * SIDE_BYTES);
            self.remembered.release(range.start * SIDE_BYTES, range.len() * SIDE_BYTES);
            let regions = range.len();
            self.free.lock().closed(range);
            regions
        };
        let (mut top, mut regions) = (usize::MAX, 0);
        while regions < most {
            let Some(group) = self.free.lock().withdraw_group(keep, top) else { break };
            top = group.start;
            regions += close(group);
        }
        while regions < most {
            let Some(index) = self.free.lock().withdraw_open(keep) else { break };
            regions += close(index..index + 1);
        }
        regions
    }
    /// Whether `wanted` free regions are backed with memory, or there are no more to back.
    pub(crate) fn is_prepared(&self, wanted: usize) -> bool {
        let free = self.free.lock();
        free.ready() >= wanted || free.is_all_open()
    }
    /// Backs free regions with memory until `wanted` are, so that the next pause need not. For outside of pauses.
    pub(crate) fn prepare(&self, wanted: usize) {
        while self.prepare_group(wanted) {}
    }
    /// The same for one group at most; false if there is nothing to do, or the system refuses.
    pub(crate) fn prepare_group(&self, wanted: usize) -> bool {
        let Some(range) = self.free.lock().withdraw_closed(wanted) else { return false };
        self.table.grow_to(range.end - 1);
        let opened = self.open(range.clone()).is_ok();
        if opened {
            self.heap.touch(range.start * REGION_BYTES, range.len() * REGION_BYTES);
            self.marks.touch(range.start * SIDE_BYTES, range.len() * SIDE_BYTES);
        }
        let mut free = self.free.lock();
        match opened {
            true => free.opened(range),
            false => free.closed(range),
        }
        opened
    }
    /// Regions in use; a hint while mutators run.
    pub(crate) fn in_use(&self) -> usize {
        self.in_use.load(Relaxed)
    }
    /// Regions that mutators may still take, what objects own outside counted; a hint while they run.
    pub(crate) fn spare(&self) -> usize {
        self.usable.load(Relaxed).saturating_sub(self.in_use() + self.owned.bytes().div_ceil(REGION_BYTES))
    }
    /// In a stop: mutators may use all of the limit, or less because collections are in vain.
    pub(crate) fn set_in_vain(&self, in_vain: bool) {
        self.usable.store(if in_vain { effort::usable_in_vain(self.limit()) } else { self.limit() }, Relaxed);
    }
    /// Regions that mutators may use in all.
    pub(crate) fn limit(&self) -> usize {
        self.limit.load(Relaxed)
    }
    /// Changes the limit, to seven eighths of the address space at most; returns what it is now.
    pub(crate) fn set_limit(&self, regions: usize) -> usize {
        let most = self.heap.bytes() / REGION_BYTES / 8 * 7;
        let limit = regions.min(most);
        self.limit.store(limit, Relaxed);
        self.usable.store(limit, Relaxed);
        limit
    }
    /// Bytes that the system may hold for the heap: regions that can be written, used or free, and their side bitmaps.
    pub(crate) fn physical(&self) -> usize {
        let free = self.free.lock();
        (self.in_use.load(Relaxed) + free.ready()) * (REGION_BYTES + 2 * SIDE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::GROUP;

    fn pool() -> Pool {
        Pool::new(Bytes::mib(2), Bytes::kib(256)).unwrap()
    }

    #[test]
    fn the_limit_holds_for_mutators_and_not_for_the_collector() {
        let pool = pool();
        for _ in 0..8 {
            pool.take(1, Kind::EDEN, For::Mutator).unwrap();
        }
        assert_eq!(pool.take(1, Kind::EDEN, For::Mutator), Err(AllocError::LimitReached));
        assert!(pool.take(1, Kind::OLD, For::Collector).is_ok());
        assert_eq!(pool.take(9, Kind::LARGE_OLD, For::Mutator), Err(AllocError::TooLarge));
    }

    #[test]
    fn neighbours_are_found_between_used_regions_and_no_region_is_taken_twice() {
        let pool = pool();
        let singles: Vec<usize> = (0..5).map(|_| pool.take(1, Kind::OLD, For::Collector).unwrap()).collect();
        assert!(!singles.contains(&0), "entry 0 stands for null");
        pool.give_back(singles[1], 1);
        pool.give_back(singles[2], 1);
        let pair = pool.take(2, Kind::LARGE_OLD, For::Collector).unwrap();
        assert_eq!(pair, singles[1]);
        let triple = pool.take(3, Kind::LARGE_OLD, For::Collector).unwrap();
        assert!(triple > singles[4]);
        assert_eq!(pool.in_use(), 8);
    }

    #[test]
    fn a_copier_gets_only_memory_that_was_made_ready() {
        let pool = pool();
        assert_eq!(pool.take(1, Kind::SURVIVOR, For::Copier), Err(AllocError::LimitReached));
        pool.prepare(1);
        let ready = pool.free.lock().ready();
        assert!(pool.is_prepared(ready) && !pool.is_prepared(ready + 1));
        for _ in 0..ready {
            pool.take(1, Kind::SURVIVOR, For::Copier).unwrap();
        }
        assert_eq!(pool.take(1, Kind::SURVIVOR, For::Copier), Err(AllocError::LimitReached));
        assert!(pool.take(1, Kind::SURVIVOR, For::Collector).is_ok());
    }

    #[test]
    fn a_group_in_use_keeps_its_memory_while_whole_ones_are_released() {
        let pool = pool();
        pool.prepare(3 * GROUP);
        let ready = pool.free.lock().ready();
        // Of group 0, region 1 is in use now; nobody ever uses region 0.
        pool.take(1, Kind::OLD, For::Collector).unwrap();
        assert_eq!(pool.release_free(ready - 2, usize::MAX), 1, "one of those that have neighbours in use");
        assert_eq!(pool.release_free(ready - 2 - GROUP, usize::MAX), GROUP);
        assert_eq!(pool.release_free(0, usize::MAX), ready - 2 - GROUP);
        assert!(!pool.is_prepared(1));
    }

    #[test]
    fn released_regions_can_be_used_again_and_read_zero() {
        let pool = pool();
        let first = pool.take(1, Kind::OLD, For::Collector).unwrap();
        pool.poison(first);
        pool.give_back(first, 1);
        assert_eq!(pool.release_free(0, usize::MAX), 1);
        assert_eq!(pool.take(1, Kind::OLD, For::Collector).unwrap(), first);
        assert_eq!(pool.heap.word(first * REGION_BYTES).load(Relaxed), 0);
    }

    /// Bytes of this process's mappings within the heap's reservation that can be written, and those that are resident.
    #[cfg(target_os = "linux")]
    fn mapped(pool: &Pool) -> (usize, usize) {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let (mut inside, mut writable, mut resident) = (false, 0, 0);
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            if let Some((start, end)) = first.split_once('-') {
                let [start, end] = [start, end].map(|a| usize::from_str_radix(a, 16).unwrap());
                inside = pool.contains(start) && second.starts_with("rw");
                writable += if inside { end - start } else { 0 };
            } else if first == "Rss:" && inside {
                resident += second.parse::<usize>().unwrap() * 1024;
            }
        }
        (writable, resident)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_reported_is_what_the_system_has_mapped() {
        let pool = Pool::new(Bytes::mib(32), Bytes::mib(1)).unwrap();
        let reported = |pool: &Pool| pool.physical() / (REGION_BYTES + 2 * SIDE_BYTES) * REGION_BYTES;
        assert_eq!((mapped(&pool), reported(&pool)), ((0, 0), 0));
        let taken: Vec<usize> = (0..20).map(|_| pool.take(1, Kind::OLD, For::Collector).unwrap()).collect();
        assert_eq!(mapped(&pool).0, reported(&pool));
        taken.iter().for_each(|index| pool.poison(*index));
        let (writable, resident) = mapped(&pool);
        assert!(resident >= 20 * REGION_BYTES && resident <= writable && writable == reported(&pool));
        taken[5..].iter().for_each(|index| pool.give_back(*index, 1));
        pool.prepare(24);
        assert_eq!(mapped(&pool).0, reported(&pool));
        pool.release_free(0, usize::MAX);
        let (writable, resident) = mapped(&pool);
        assert!(resident <= writable && writable == reported(&pool), "{resident} of {writable}");
        assert_eq!(writable, 5 * REGION_BYTES, "what five regions are in use for");
    }
}
