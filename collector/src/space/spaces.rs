//! The spaces of one heap together: where a mutator's next memory comes from, and what is taken back in a pause.
//!
//! ```text
//!   mutator:  LAB from the eden's row ──used up──▶ overflow regions (until it reaches a safepoint) ──limit──▶ Err
//!             above half a LAB: straight from an overflow region · above half a region: regions of its own
//! ```
use crate::error::AllocError;
use crate::object::raw::{ObjectRef, fill, object_at};
use crate::planted::bug;
use crate::region::kind::Kind;
use crate::space::eden::Eden;
use crate::space::old::OldSpace;
use crate::space::pool::{For, Pool};
use crate::statistics::{Space, SpaceStatistics};
use crate::sync::{AtomicBool, AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::{Bytes, GROUP, LAB_BYTES, REGION_BYTES};

/// All memory of a heap.
pub(crate) struct Spaces {
    pub pool: Pool,
    pub eden: Eden,
    pub old: OldSpace,
    young: Mutex<Young>,
    large_old: Mutex<Vec<usize>>,
    /// Whether there was no memory for a row. Written in stops.
    lacks_row: AtomicBool,
    /// See [`is_cramped`](Self::is_cramped). Written in stops.
    cramped: AtomicBool,
    /// Overflow regions since the last stop. Changed under the lock, read by anybody.
    overflow_regions: AtomicUsize,
    /// Bytes of large old objects. Whoever makes or frees one changes it; anybody reads it.
    large_bytes: AtomicUsize,
    /// Regions of the eden's row when the heap is not near its limit.
    nursery_regions: AtomicUsize,
    /// Bytes handed out to mutators before the last stop, and in large objects. Never falls.
    allocated: AtomicUsize,
}

#[derive(Default)]
struct Young {
    /// Regions that mutators took when the row was used up, all but the last of them full.
    overflow: Vec<usize>,
    /// The free part of the last overflow region.
    bump: Bump,
    /// What the last scavenge left alive and young.
    survivors: Vec<usize>,
    /// The free part of the last survivor region; used in pauses.
    survivor_bump: Bump,
    /// First regions of large young objects.
    large: Vec<usize>,
}

/// A range of the heap, by offset.
#[derive(Clone, Copy, Default)]
struct Bump {
    next: usize,
    end: usize,
}

impl Bump {
    fn of(region: usize) -> Self {
        Self { next: region * REGION_BYTES, end: (region + 1) * REGION_BYTES }
    }
    fn take(&mut self, bytes: usize) -> Option<usize> {
        (self.end - self.next >= bytes).then(|| {
            self.next += bytes;
            self.next - bytes
        })
    }
}

/// A region that a scavenge empties, and how much of it is in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FromRegion {
    pub index: usize,
    pub bytes: usize,
}

impl Spaces {
    pub(crate) fn new(pool: Pool, nursery: Bytes) -> Self {
        let regions = nursery.get().div_ceil(REGION_BYTES).max(1);
        Self {
            pool,
            eden: Eden::new(regions),
            old: OldSpace::default(),
            young: Mutex::default(),
            large_old: Mutex::default(),
            lacks_row: AtomicBool::new(false),
            cramped: AtomicBool::new(false),
            overflow_regions: AtomicUsize::new(0),
            large_bytes: AtomicUsize::new(0),
            nursery_regions: AtomicUsize::new(regions),
            allocated: AtomicUsize::new(0),
        }
    }
    /// A buffer for a mutator: from the row if it can, with a lock if it must. True if the row is used up.
    pub(crate) fn lab(&self) -> Result<(*mut u8, usize, bool), AllocError> {
        if let Some((region, offset)) = self.eden.try_lab() {
            return Ok((self.pool.start(region).wrapping_add(offset), LAB_BYTES, false));
        }
        self.overflow(LAB_BYTES).map(|start| (start, LAB_BYTES, true))
    }
    /// Memory for one object (or a buffer) from the overflow regions.
    pub(crate) fn overflow(&self, bytes: usize) -> Result<*mut u8, AllocError> {
        let mut young = self.young.lock();
        if let Some(offset) = young.bump.take(bytes) {
            return Ok(self.pool.at(offset));
        }
        let region = self.pool.take(1, Kind::EDEN, For::Mutator)?;
        let rest = std::mem::replace(&mut young.bump, Bump::of(region));
        if rest.end > rest.next && !bug::overflow_tail_is_lost() {
            fill(self.pool.at(rest.next), rest.end - rest.next);
        }
        young.overflow.push(region);
        self.overflow_regions.store(young.overflow.len(), Relaxed);
        let offset = young.bump.take(bytes).expect("an object that is not large fits a region");
        Ok(self.pool.at(offset))
    }
    /// Whether the limit left room for less than [a row's least](Self::LEAST_ROW), or for less than half a row beyond it.
    pub(crate) fn is_cramped(&self) -> bool {
        self.cramped.load(Relaxed)
    }
    /// Whether it left no room for a row's least.
    pub(crate) fn lacks_row(&self) -> bool {
        self.lacks_row.load(Relaxed)
    }
    /// In a pause: whether that is how the next row would find it.
    pub(crate) fn would_be_cramped(&self) -> bool {
        let wanted = self.nursery_regions();
        self.pool.spare() < wanted / 2 + Self::LEAST_ROW.min(wanted)
    }
    /// Regions of a row near the limit. Survivors go where there are gaps, so that the same few regions serve again and again.
    const LEAST_ROW: usize = 2;
    /// Bytes handed out since the last stop beyond the row; a hint.
    pub(crate) fn beyond_row_hint(&self) -> usize {
        self.overflow_regions.load(Relaxed) * REGION_BYTES
    }
    /// Whether new objects fill a nursery, wherever they went; a hint.
    pub(crate) fn is_nursery_full_hint(&self) -> bool {
        let overflow = self.overflow_regions.load(Relaxed) * REGION_BYTES;
        self.eden.bytes_hint() + overflow >= self.nursery_regions() * REGION_BYTES
    }
    /// Regions for one large object.
    pub(crate) fn large(&self, bytes: usize, kind: Kind) -> Result<*mut u8, AllocError> {
        let span = bytes.checked_add(REGION_BYTES - 1).ok_or(AllocError::TooLarge)? / REGION_BYTES;
        let first = self.pool.take(span, kind, For::Mutator)?;
        self.allocated.fetch_add(span * REGION_BYTES, Relaxed);
        if kind.is_young() {
            self.young.lock().large.push(first);
        } else {
            self.large_bytes.fetch_add(span * REGION_BYTES, Relaxed);
            self.large_old.lock().push(first);
        }
        Ok(self.pool.start(first))
    }
    /// In a pause: every young region and the bytes in use of each. The row and the lists are empty afterwards.
    pub(crate) fn take_young(&self) -> Vec<FromRegion> {
        let mut from: Vec<FromRegion> =
            self.eden.handed_out().into_iter().map(|(index, bytes)| FromRegion { index, bytes }).collect();
        self.eden.restart(&[]);
        let mut young = self.young.lock();
        let bump = std::mem::take(&mut young.bump);
        let full = |index| FromRegion { index, bytes: REGION_BYTES };
        from.extend(young.overflow.drain(..).map(full));
        self.allocated.fetch_add(from.iter().map(|r| r.bytes).sum(), Relaxed);
        self.overflow_regions.store(0, Relaxed);
        if bump.end > bump.next {
            fill(self.pool.at(bump.next), bump.end - bump.next);
        }
        from.extend(young.survivors.drain(..).map(full));
        from
    }
    /// In a pause: every region of small young objects.
    pub(crate) fn for_each_young_region(&self, f: impl FnMut(usize)) {
        let young = self.young.lock();
        let eden = self.eden.handed_out().into_iter().map(|(index, _)| index);
        eden.chain(young.overflow.iter().copied()).chain(young.survivors.iter().copied()).for_each(f);
    }
    /// In a pause: the first regions of large young objects, forgotten here.
    pub(crate) fn take_large_young(&self) -> Vec<usize> {
        std::mem::take(&mut self.young.lock().large)
    }
    /// In a pause: a buffer for survivors, of at least `bytes`.
    pub(crate) fn survivor_lab(&self, bytes: usize, whom: For) -> Result<(*mut u8, usize), AllocError> {
        let wanted = bytes.max(LAB_BYTES);
        let mut young = self.young.lock();
        if let Some(offset) = young.survivor_bump.take(wanted).or_else(|| young.survivor_bump.take(bytes)) {
            let got = young.survivor_bump.next - offset;
            return Ok((self.pool.at(offset), got));
        }
        let region = self.pool.take(1, Kind::SURVIVOR, whom)?;
        let rest = std::mem::replace(&mut young.survivor_bump, Bump::of(region));
        if rest.end > rest.next {
            fill(self.pool.at(rest.next), rest.end - rest.next);
        }
        young.survivors.push(region);
        let offset = young.survivor_bump.take(wanted).expect("an object that is not large fits a region");
        Ok((self.pool.at(offset), wanted))
    }
    /// In a pause, after a scavenge: closes the survivors, and makes a row of fresh regions.
    pub(crate) fn start_mutating(&self) {
        {
            let mut young = self.young.lock();
            let rest = std::mem::take(&mut young.survivor_bump);
            if rest.end > rest.next {
                fill(self.pool.at(rest.next), rest.end - rest.next);
            }
        }
        // Near the limit the row gives way, so that as much is left beyond it.
        let wanted = self.nursery_regions();
        let (beyond, least) = (wanted / 2, Self::LEAST_ROW.min(wanted));
        let regions = wanted.min(self.pool.spare().saturating_sub(beyond).max(least));
        let row: Vec<usize> = (0..regions).map_while(|_| self.pool.take(1, Kind::EDEN, For::Mutator).ok()).collect();
        self.lacks_row.store(row.len() < least, Relaxed);
        self.cramped.store(row.len() < least || self.pool.spare() < beyond, Relaxed);
        self.eden.restart(&row);
    }
    /// In a pause: a large young object is old from now on.
    pub(crate) fn promote_large(&self, first: usize, span: usize) {
        (first..first + span).for_each(|index| self.pool.table.set_kind(index, Kind::LARGE_OLD));
        self.large_bytes.fetch_add(span * REGION_BYTES, Relaxed);
        self.large_old.lock().push(first);
    }
    /// In a pause: keeps the large old objects that `keep` says, gives the others' regions back.
    pub(crate) fn retain_large_old(&self, mut keep: impl FnMut(ObjectRef, usize) -> bool) {
        let mut list = self.large_old.lock();
        list.retain(|first| {
            let span = self.span(*first);
            let kept = keep(object_at(self.pool.start(*first)), *first);
            if !kept {
                self.large_bytes.fetch_sub(span * REGION_BYTES, Relaxed);
                self.pool.give_back(*first, span);
            }
            kept
        });
    }
    /// Regions of the large object that begins at `first`.
    pub(crate) fn span(&self, first: usize) -> usize {
        self.pool.table.with_region(first, |r| r.span.load(Relaxed))
    }
    /// First regions of large objects: young ones, old ones.
    pub(crate) fn large_objects(&self) -> (Vec<usize>, Vec<usize>) {
        (self.young.lock().large.clone(), self.large_old.lock().clone())
    }
    /// In a pause with all buffers retired: every region of small objects and its walkable bytes.
    pub(crate) fn walkable(&self) -> Vec<FromRegion> {
        let full = |index| FromRegion { index, bytes: REGION_BYTES };
        let mut all: Vec<FromRegion> =
            self.eden.handed_out().into_iter().map(|(index, bytes)| FromRegion { index, bytes }).collect();
        let young = self.young.lock();
        all.extend(young.survivors.iter().copied().map(full));
        all.extend(young.overflow.iter().copied().map(|index| {
            let ends_here = young.bump.end == (index + 1) * REGION_BYTES;
            FromRegion { index, bytes: if ends_here { young.bump.next - index * REGION_BYTES } else { REGION_BYTES } }
        }));
        all.extend(self.old.regions().into_iter().map(full));
        all
    }
    /// Bytes of the old generation in use, large objects included.
    pub(crate) fn old_bytes(&self) -> usize {
        self.old.used() + self.large_bytes.load(Relaxed)
    }
    /// Bytes of young memory handed out since the last pause and surviving it; a hint while mutators run.
    pub(crate) fn young_bytes_hint(&self) -> usize {
        let young = self.young.lock();
        let regions = young.overflow.len() + young.survivors.len();
        let large: usize = young.large.iter().map(|first| self.span(*first)).sum();
        self.eden.bytes_hint() + (regions + large) * REGION_BYTES
    }
    /// Regions and bytes in use, by space; a hint while mutators run.
    pub(crate) fn by_space(&self) -> [SpaceStatistics; 4] {
        let of = |space, regions: usize, used| SpaceStatistics {
            space,
            committed: Bytes::new(regions * REGION_BYTES),
            used: Bytes::new(used),
        };
        let young = self.young.lock();
        let spans = |list: &[usize]| list.iter().map(|first| self.span(*first)).sum::<usize>();
        let (row, overflow, survivors) = (self.eden.len(), young.overflow.len(), young.survivors.len());
        let large = spans(&young.large) + spans(&self.large_old.lock());
        [
            of(Space::Eden, row + overflow, self.eden.bytes_hint() + overflow * REGION_BYTES),
            of(Space::Survivors, survivors, survivors * REGION_BYTES),
            of(Space::Old, self.old.region_count(), self.old.used()),
            of(Space::Large, large, large * REGION_BYTES),
        ]
    }
    /// Bytes that mutators have taken since the heap was made; a hint while they run, and never less than before but
    /// for what a stop is just taking over.
    pub(crate) fn allocated_hint(&self) -> usize {
        let overflow = self.overflow_regions.load(Relaxed) * REGION_BYTES;
        self.allocated.load(Relaxed) + overflow + self.eden.bytes_hint()
    }
    /// Bytes in large objects that are old.
    pub(crate) fn large_bytes(&self) -> usize {
        self.large_bytes.load(Relaxed)
    }
    /// Sets how many regions the row has from the next pause on.
    pub(crate) fn set_nursery_regions(&self, regions: usize) {
        self.nursery_regions.store(regions, Relaxed);
    }
    /// Free regions to be backed with memory before the next pause: it may copy all of a row, and make another.
    pub(crate) fn regions_to_have_ready(&self) -> usize {
        (2 * self.nursery_regions()).max(GROUP)
    }
    /// Whether they are.
    pub(crate) fn is_ready(&self) -> bool {
        self.pool.is_prepared(self.regions_to_have_ready())
    }
    /// Sees to a group of them; false if nothing is left to do. For outside of pauses.
    pub(crate) fn make_group_ready(&self) -> bool {
        self.pool.prepare_group(self.regions_to_have_ready())
    }
    /// Sees to it. For outside of pauses.
    pub(crate) fn make_ready(&self) {
        self.pool.prepare(self.regions_to_have_ready());
    }
    /// Sees to the part that the next pause will copy to if `survival` of a thousand bytes survive, and a group: what is touched
    /// early costs no more, and a copier without ready memory leaves what lives where it is.
    pub(crate) fn make_most_urgent_ready(&self, survival: usize) {
        self.pool.prepare(self.nursery_regions() * survival / 1000 + GROUP);
    }
    /// How many regions the row has, or will have after the next pause.
    pub(crate) fn nursery_regions(&self) -> usize {
        self.nursery_regions.load(Relaxed)
    }
}
