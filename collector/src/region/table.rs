//! From an address to its region: kinds in a flat array of bytes, the rest in a published table of descriptors.
//!
//! The descriptors' table grows with the heap. It is replaced whole, so that whoever reads it (a marker, a
//! thread that asks for statistics, a mutator that hashes an object) needs no lock.
//!
//! T1  A descriptor, once published, is the descriptor of that index for the heap's life.
use crate::memory::published::Published;
use crate::object::raw::ObjectRef;
use crate::region::barrier_table::BarrierTables;
use crate::region::kind::Kind;
use crate::sync::{Arc, Atomic, AtomicU8, AtomicUsize, Mutex, Ordering::Relaxed};
use crate::units::REGION_SHIFT;

/// What is kept of a region beside its kind.
#[derive(Default)]
pub(crate) struct Region {
    /// How often the region has been taken into use; changes when it is taken. Any thread reads it.
    pub births: AtomicUsize,
    /// Bytes handed out and not found dead, for old regions. Changed by who takes a gap, gives one back, or sweeps.
    pub live: AtomicUsize,
    /// Regions of the large object that the region belongs to. Written when it is taken.
    pub span: AtomicUsize,
    /// The first region of that object. Written when it is taken.
    pub head: AtomicUsize,
    /// Old objects in the region that have drop glue. Scavengers add in pauses, the sweeper takes.
    pub droppables: Mutex<Vec<ObjectRef>>,
}

const NO_BATCH: u8 = u8::MAX;

/// Every region of a heap.
pub(crate) struct RegionTable {
    kinds: Box<[Atomic<Kind>]>,
    /// The batch that a region is, or was, a candidate of since candidates were last chosen. Written in stops, and by the
    /// sweeper that finds a candidate empty.
    batches: Box<[AtomicU8]>,
    /// What mutators consult in their stores.
    pub barrier: BarrierTables,
    regions: Published<Vec<Arc<Region>>>,
    /// Held by whoever replaces the table.
    growing: Mutex<()>,
    mask: usize,
}

impl RegionTable {
    /// A table for `count` regions, a power of two.
    pub(crate) fn new(count: usize) -> Self {
        assert!(count.is_power_of_two());
        Self {
            kinds: (0..count).map(|_| Atomic::new(Kind::FREE)).collect(),
            batches: (0..count).map(|_| AtomicU8::new(NO_BATCH)).collect(),
            barrier: BarrierTables::new(count),
            regions: Published::new(Vec::new()),
            growing: Mutex::default(),
            mask: count - 1,
        }
    }
    pub(crate) fn mask(&self) -> usize {
        self.mask
    }
    /// The region of an address that is known to be in the heap.
    #[inline(always)]
    pub(crate) fn index(&self, addr: usize) -> usize {
        (addr >> REGION_SHIFT) & self.mask
    }
    #[inline(always)]
    pub(crate) fn kind(&self, index: usize) -> Kind {
        self.kinds[index & self.mask].load(Relaxed)
    }
    /// The kind of the region of an address that is known to be in the heap.
    #[inline(always)]
    pub(crate) fn kind_at(&self, addr: usize) -> Kind {
        self.kind(self.index(addr))
    }
    /// Gives a region another job, and its barrier bytes with it.
    pub(crate) fn set_kind(&self, index: usize, kind: Kind) {
        // Relaxed: K1; the pause's end, or the lock, publishes it.
        self.kinds[index].store(kind, Relaxed);
        if kind.is_young() {
            self.barrier.set_young(index);
        } else if kind.is_candidate() {
            self.barrier.set_candidate(index);
        } else if kind.is_old() {
            self.barrier.set_old(index);
        } else {
            self.barrier.set_free(index);
        }
    }
    /// Marks a region as being emptied, or no longer so; mutators' bytes stay as they are.
    pub(crate) fn set_kind_only(&self, index: usize, kind: Kind) {
        self.kinds[index].store(kind, Relaxed);
    }
    /// The batch that a region is, or was, a candidate of.
    #[inline(always)]
    pub(crate) fn batch(&self, index: usize) -> Option<usize> {
        let batch = self.batches[index & self.mask].load(Relaxed);
        (batch != NO_BATCH).then_some(usize::from(batch))
    }
    pub(crate) fn set_batch(&self, index: usize, batch: Option<usize>) {
        let byte = batch.map_or(NO_BATCH, |n| u8::try_from(n).expect("batches are few"));
        self.batches[index].store(byte, Relaxed);
    }
    /// Makes sure that descriptors up to and including `last` exist.
    pub(crate) fn grow_to(&self, last: usize) {
        if self.opened() > last {
            return;
        }
        let _turn = self.growing.lock();
        let more = self.regions.read(|v| {
            (v.len() <= last).then(|| {
                let len = (last + 1).next_power_of_two().max(64).min(self.kinds.len());
                let mut all = v.clone();
                all.resize_with(len, Arc::default);
                all
            })
        });
        if let Some(all) = more {
            self.regions.replace(all);
        }
    }
    /// Looks at a region's descriptor. T1.
    pub(crate) fn with_region<R>(&self, index: usize, look: impl FnOnce(&Region) -> R) -> R {
        self.regions.read(|v| look(&v[index]))
    }
    /// How many regions have descriptors.
    pub(crate) fn opened(&self) -> usize {
        self.regions.read(Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_keeps_its_identity_while_the_table_grows() {
        let table = RegionTable::new(1024);
        table.grow_to(3);
        let address = || table.with_region(3, |r| std::ptr::from_ref(r).addr());
        let early = address();
        table.grow_to(900);
        assert_eq!(address(), early);
        assert_eq!(table.opened(), 1024);
    }
}
