//! What mutators ask for while they run: memory, the slow halves of their barriers, identity.
use super::Collector;
use crate::error::AllocError;
use crate::mutator_local::{MutatorLocal, Remembered};
use crate::object::header::{HashState, hash_at, hash_state, with_hash_state};
use crate::object::raw::{ObjectRef, fill};
use crate::object::trace::PlaceOps;
use crate::planted::bug;
use crate::region::kind::Kind;
use crate::region::lab::Lab;
use crate::sweep;
use crate::sync::Ordering::Relaxed;
use crate::sync::thread;
use crate::units::{LAB_BYTES, LARGE_BYTES, REGION_BYTES};
use crate::zeal::delay;
use std::cell::{Cell, RefCell};

/// Entries that one mutator's barrier may leave before a scavenge is due, however little was allocated: visiting them
/// is part of a pause.
const MANY_REMEMBERED: usize = 8 << 10;

impl Collector {
    /// A mutator's part, in the present phase. No stop may begin before it is registered.
    pub fn new_local(&self) -> MutatorLocal {
        let table = &self.core.spaces.pool.table;
        let marking = self.core.is_marking();
        MutatorLocal {
            lab: Lab::default(),
            barrier_table: Cell::new(table.barrier.table(marking)),
            region_mask: Cell::new(table.mask()),
            marking: Cell::new(marking),
            remembered: RefCell::default(),
            shaded: RefCell::default(),
            rest_until: Cell::new(None),
            droppables: RefCell::default(),
            owned: Cell::new(0),
            quota: Cell::new(usize::MAX),
        }
    }
    /// Takes over what a mutator that leaves still holds. No stop is on.
    pub fn retire_local(&self, local: &MutatorLocal) {
        self.hand_over(local);
    }
    pub(super) fn hand_over(&self, local: &MutatorLocal) {
        self.hand_over_owned(local);
        let (rest, free) = local.lab.retire();
        if !bug::lab_tail_is_lost() {
            fill(rest, free);
        }
        let core = &self.core;
        core.remembered.lock().append(&mut local.remembered.borrow_mut());
        let table = &core.spaces.pool.table;
        let (old, mut young): (Vec<_>, Vec<_>) =
            local.droppables.borrow_mut().drain(..).partition(|object| table.kind_at(object.addr()).is_old());
        core.droppables.lock().append(&mut young);
        // Large objects with references are born old: they hang on their region before anyone may free it.
        for object in old {
            table.with_region(table.index(object.addr()), |r| r.droppables.lock().push(object));
        }
        core.publish_shaded(local.shaded.borrow_mut().drain(..));
    }

    /// Memory for a small or middling object (`bytes` up to [`LARGE_BYTES`], whole words) when the buffer has no room.
    ///
    /// # Errors
    /// [`AllocError`] at the limit; a collection at the next safepoint may help.
    pub fn allocate_slow(&self, local: &MutatorLocal, bytes: usize) -> Result<*mut u8, AllocError> {
        debug_assert!(bytes <= LARGE_BYTES && bytes.is_multiple_of(8));
        let zeal = &self.core.settings.zeal;
        self.assist(local, if zeal.labs { bytes } else { LAB_BYTES.max(bytes) });
        delay(zeal);
        if zeal.allocations > 0 && self.allocation_count.fetch_add(1, Relaxed).is_multiple_of(zeal.allocations) {
            self.want();
        }
        let spaces = &self.core.spaces;
        if zeal.labs {
            return self.allocate_apart(local, bytes);
        }
        if bytes > LAB_BYTES / 4 {
            // A buffer for it would throw away too much of the present one. It counts as nursery all the same.
            let start = within_quota(local, bytes, || self.or_sweep(|| spaces.overflow(bytes)));
            if spaces.is_nursery_full_hint() {
                self.want_after_rest();
            }
            return start;
        }
        let (start, got, used_up) = within_quota(local, LAB_BYTES, || self.or_sweep(|| spaces.lab()))?;
        if used_up {
            self.want_after_rest();
        }
        let (rest, free) = local.lab.replace(start, got);
        fill(rest, free);
        Ok(local.lab.try_bump(bytes).expect("a fresh buffer has room for a quarter of itself"))
    }
    /// Under zeal: a buffer that holds one object.
    fn allocate_apart(&self, local: &MutatorLocal, bytes: usize) -> Result<*mut u8, AllocError> {
        let spaces = &self.core.spaces;
        let start = spaces.overflow(bytes);
        if start.is_err() || spaces.is_nursery_full_hint() || local.remembered.borrow().len() > MANY_REMEMBERED {
            self.want();
        }
        let (rest, free) = local.lab.replace(start?, bytes);
        fill(rest, free);
        Ok(local.lab.try_bump(bytes).expect("the buffer was made for it"))
    }
    /// Memory for a large object: regions of its own.
    ///
    /// # Errors
    /// [`AllocError`] at the limit, or when no heap of this limit could hold it.
    pub fn allocate_large(&self, local: &MutatorLocal, bytes: usize, has_edges: bool) -> Result<*mut u8, AllocError> {
        let kind = if has_edges { Kind::LARGE_OLD } else { Kind::LARGE_YOUNG };
        let spaces = &self.core.spaces;
        let start = within_quota(local, bytes, || self.or_sweep(|| spaces.large(bytes, kind)));
        let near = spaces.young_bytes_hint() > spaces.nursery_regions() * REGION_BYTES;
        if near || self.is_full_due() {
            self.want();
        }
        start
    }
    /// After a large object with references is completely written: it was born old, and its stores had no barrier.
    ///
    /// # Safety
    /// `object` came from [`allocate_large`](Self::allocate_large) in this window and is completely written.
    #[expect(unsafe_code, reason = "the runtime vouches for the object")]
    pub unsafe fn finish_large(&self, local: &MutatorLocal, object: ObjectRef) {
        self.core.after_birth(local, object);
    }
    /// Makes an abandoned range walkable.
    ///
    /// # Safety
    /// The range was handed out by this collector in this window and no object is in it.
    #[expect(unsafe_code, reason = "the runtime vouches for the range")]
    pub unsafe fn fill(&self, start: *mut u8, bytes: usize) {
        fill(start, bytes);
    }
    /// A scavenge is due when a mutator has left many entries: the mutator passes that on to its poll flag.
    fn look_at_remembered(&self, local: &MutatorLocal) {
        match local.remembered.borrow().len() {
            0..=MANY_REMEMBERED => {}
            n if n <= 2 * MANY_REMEMBERED => self.want_after_rest(),
            _ => self.want(),
        }
    }
    /// Takes memory; where there is none, sweeps what the last marking found dead before giving up. A refusal makes a
    /// whole collection due.
    fn or_sweep<T>(&self, take: impl Fn() -> Result<T, AllocError>) -> Result<T, AllocError> {
        let mut taken = take();
        while taken.as_ref().is_err_and(|e| e.collection_may_help()) && !self.core.spaces.old.is_swept() {
            if !sweep::sweep_one(&self.core) {
                // The last regions are with others.
                thread::yield_now();
            }
            taken = take();
        }
        if taken.as_ref().is_err_and(|e| e.collection_may_help()) {
            self.refuse();
        }
        taken
    }
    /// A mutator was refused memory: a whole collection is due.
    pub(super) fn refuse(&self) {
        self.refused.store(true, Relaxed);
        self.want();
    }
    pub(super) fn want(&self) {
        let wanted = &self.core.wanted;
        if !wanted.load(Relaxed) {
            wanted.store(true, Relaxed);
        }
    }
    /// Before the first ephemeron table is made.
    pub fn expect_ephemerons(&self) {
        // Relaxed: a stop comes between the table and the markers that have to know.
        self.core.ephemerons.store(true, Relaxed);
    }
    /// A registry has something to say; it is in the list of those once.
    pub fn registry_is_ready(&self, registry: ObjectRef) {
        self.core.ready.lock().push_back(registry);
    }
    /// Takes a registry that has something to say.
    pub fn take_ready(&self) -> Option<ObjectRef> {
        self.core.ready.lock().pop_front()
    }
    /// How many registries have something to say.
    pub fn ready(&self) -> usize {
        self.core.ready.lock().len()
    }
    /// Whether a mutator should come to a safepoint: to collect, or to drop some of what has died.
    pub fn safepoint_wanted(&self) -> bool {
        self.collection_wanted() || self.core.graveyard.waiting_hint() > 0
    }
    /// Whether a mutator was refused memory since the last whole collection.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Relaxed)
    }
    /// Whether the next safepoint should collect.
    pub fn collection_wanted(&self) -> bool {
        self.core.is_stop_wanted()
    }

    /// A mutator that a stop keeps waiting helps in it, as long as it is `stopped`, if there is something to do soon.
    pub fn stand_by(&self, stopped: &dyn Fn() -> bool) {
        self.helpers.stand_by(stopped);
    }
    /// Whether an address lies in the heap.
    pub fn contains(&self, addr: usize) -> bool {
        self.core.spaces.pool.contains(addr)
    }
    /// Whether a heap address is young.
    pub fn is_young(&self, addr: usize) -> bool {
        self.core.spaces.pool.table.kind_at(addr).is_young()
    }
    /// Whether an old object that comes to refer to this heap address has to be remembered: it is young, or in a region
    /// that is to be emptied.
    pub fn is_watched(&self, addr: usize) -> bool {
        let kind = self.core.spaces.pool.table.kind_at(addr);
        kind.is_young() || kind.is_candidate()
    }
    /// After `target` was stored at `slot`, when the barrier's fast path cannot tell that nothing is to be done.
    ///
    /// # Safety
    /// `target` is a live object of this heap, and `ops` are those of the type of `slot`.
    #[expect(unsafe_code, reason = "the runtime vouches for the pairing of place and operations")]
    pub unsafe fn barrier_slow(&self, local: &MutatorLocal, slot: *mut u8, target: ObjectRef, ops: &'static PlaceOps) {
        self.core.after_store(local, slot, target, ops);
        self.look_at_remembered(local);
    }
    /// After an old lock was taken: its content may come to refer to something young, or to something old and white.
    ///
    /// # Safety
    /// `lock` is a lock in an old object of this heap, and `ops` are those of its type.
    #[expect(unsafe_code, reason = "the runtime vouches for the pairing of place and operations")]
    pub unsafe fn remember_lock(&self, local: &MutatorLocal, lock: *mut u8, ops: &'static PlaceOps) {
        if !bug::lock_is_not_listed() {
            self.core.remember(local, lock, ops);
            self.look_at_remembered(local);
        }
    }
    /// After an old object began to refer weakly to something young.
    ///
    /// # Safety
    /// `object` is a live old object of this heap whose type has weak operations.
    #[expect(unsafe_code, reason = "the runtime vouches for the object")]
    pub unsafe fn remember_weak(&self, local: &MutatorLocal, object: ObjectRef) {
        local.remembered.borrow_mut().push(Remembered::Weak(object));
        self.look_at_remembered(local);
    }
    /// After elements `from..to` of an array were written without their slots' barriers.
    ///
    /// # Safety
    /// `array` is a live array of this heap and the range is within it.
    #[expect(unsafe_code, reason = "the runtime vouches for the range")]
    pub unsafe fn range_barrier(&self, local: &MutatorLocal, array: ObjectRef, from: usize, to: usize) {
        self.core.after_range(local, array, from, to);
        self.look_at_remembered(local);
    }
    /// While marking: keeps an old object that a mutator got hold of without a store.
    pub fn shade(&self, local: &MutatorLocal, target: ObjectRef) {
        self.core.shade(local, target);
    }
    /// While marking: whether what a weak reference leads to was found dead, though the reference is not cleared yet.
    pub fn is_found_dead(&self, target: ObjectRef) -> bool {
        self.core.is_found_dead(target)
    }
    /// The object's identity hash: the same for its whole life, wherever it moves.
    pub fn identity_hash(&self, object: ObjectRef) -> u64 {
        let header = object.header_now();
        match hash_state(header) {
            HashState::Stored => object.stored_hash(header),
            state => {
                if state == HashState::Unhashed {
                    // Relaxed: all who ask compute the same number, and only a pause, which orders everything, reads
                    // the state for another purpose.
                    object.header().fetch_or(with_hash_state(0, HashState::Hashed), Relaxed);
                }
                let pool = &self.core.spaces.pool;
                let birth = pool.table.with_region(pool.table.index(object.addr()), |r| r.births.load(Relaxed));
                hash_at(pool.offset(object.addr()), birth)
            }
        }
    }
}

/// Takes `bytes` with a mutator's quota in mind; what is refused for another reason is not charged.
fn within_quota<T>(
    local: &MutatorLocal,
    bytes: usize,
    take: impl FnOnce() -> Result<T, AllocError>,
) -> Result<T, AllocError> {
    let left = local.quota.get();
    if left == usize::MAX {
        return take();
    }
    let rest = left.checked_sub(bytes).ok_or(AllocError::QuotaReached)?;
    let taken = take()?;
    local.quota.set(rest);
    Ok(taken)
}
