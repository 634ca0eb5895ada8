//! Memory that objects own outside of the heap: how it is counted, and what it makes due.
//!
//! ```text
//!   birth, a lock given back ──▶ the mutator's own count ──64 KiB──▶ the heap's count ──▶ limit, plan, a young collection
//!   death ──▶ after the pause, before the drop glue: subtracted
//! ```
use super::Collector;
use crate::error::AllocError;
use crate::mutator_local::MutatorLocal;
use crate::owned::Owned;
use crate::pace::growth;
use crate::sync::Arc;
use crate::units::REGION_BYTES;

/// What a mutator counts by itself before it tells the heap.
const GRAIN: isize = 64 << 10;

impl Collector {
    /// The count, for who keeps a part of it.
    pub fn owned(&self) -> &Arc<Owned> {
        &self.core.spaces.pool.owned
    }
    /// A mutator's objects own `change` bytes more, or less, than before.
    pub fn note_owned(&self, local: &MutatorLocal, change: isize) {
        let sum = local.owned.get().saturating_add(change);
        local.owned.set(sum);
        if sum.unsigned_abs() >= GRAIN.unsigned_abs() {
            self.hand_over_owned(local);
        }
    }
    pub(super) fn hand_over_owned(&self, local: &MutatorLocal) {
        let change = local.owned.take();
        if change < 0 {
            self.owned().subtract(change.unsigned_abs());
            return;
        }
        self.owned().add(change.unsigned_abs());
        self.want_if_much_is_owned();
    }
    /// Counts `bytes` that the embedder is about to take from elsewhere, if the limit has room for them.
    ///
    /// # Errors
    /// [`AllocError`] as for an allocation; nothing was counted.
    pub fn try_own(&self, bytes: usize) -> Result<(), AllocError> {
        let pool = &self.core.spaces.pool;
        let limit = pool.limit() * REGION_BYTES;
        let used = (pool.in_use() * REGION_BYTES).saturating_add(self.owned().bytes());
        if used.saturating_add(bytes) > limit {
            if bytes > limit {
                return Err(AllocError::TooLarge);
            }
            self.refuse();
            return Err(AllocError::LimitReached);
        }
        self.owned().add(bytes);
        self.want_if_much_is_owned();
        Ok(())
    }
    /// A collection is due when much was taken since the last: the objects are small, what they own is not.
    fn want_if_much_is_owned(&self) {
        let owned = self.owned().bytes();
        let used = self.core.spaces.old_bytes().saturating_add(owned);
        let step = growth::owned_step(self.core.settings.nursery.get(), used);
        if self.owned().new_bytes() >= step {
            self.want();
        }
    }
    /// Bytes that mutators have taken since the heap was made, in it and outside of it; a hint while they run.
    pub(super) fn allocated_hint(&self) -> usize {
        self.core.spaces.allocated_hint().wrapping_add(self.owned().ever())
    }
    /// Bytes that the old generation and what objects own outside come to: what a full collection is planned by.
    pub(super) fn budgeted_bytes(&self) -> usize {
        self.core.spaces.old_bytes().saturating_add(self.owned().bytes())
    }
}
