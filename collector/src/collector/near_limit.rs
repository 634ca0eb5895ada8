//! What happens near the limit: pressure from outside, and the embedder's word before mutators are refused.
//!
//! ```text
//!   a whole collection near the limit leaves more than seven eighths ──▶ the embedder is asked, once ──▶ raised
//!        ▲                                                                                                │
//!        └─── restored, and asked again next time ◀── a whole collection leaves less than half ───────────┘
//! ```
use super::{Cause, Collector};
use crate::config::NearLimit;
use crate::pace::reducer::Reducer;
use crate::sync::Ordering::Relaxed;
use crate::units::{Bytes, REGION_BYTES};

/// How badly the system, or the embedder, wants memory back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// Some would be welcome: a collection beside the program begins soon.
    Moderate,
    /// It is needed now: the next stop is a whole collection.
    Critical,
}

impl Collector {
    /// The limit at this moment.
    pub(super) fn limit_bytes(&self) -> usize {
        self.core.spaces.pool.limit() * REGION_BYTES
    }
    /// In a stop that ended a cycle: is the limit near, or far enough to be itself again?
    pub(super) fn settle_limit(&self, cause: Cause) {
        let used = self.budgeted_bytes();
        let raised = self.raised.load(Relaxed);
        let configured = self.core.settings.limit.get();
        if raised && used < configured / 2 {
            self.core.spaces.pool.set_limit(configured.div_ceil(REGION_BYTES));
            self.raised.store(false, Relaxed);
        } else if !raised && cause == Cause::LimitNear && used > configured / 8 * 7 {
            self.near.store(true, Relaxed);
        }
        if !matches!(cause, Cause::Pressure | Cause::Quiet) {
            self.lean.store(false, Relaxed);
        }
        self.pressed.store(false, Relaxed);
    }
    /// After a stop, with the world running: asks the embedder, if the limit is near. Panics as its answer does.
    pub fn ask_near_limit(&self) {
        let Some(handler) = &self.core.settings.near_limit else { return };
        if !self.near.swap(false, Relaxed) {
            return;
        }
        let pool = &self.core.spaces.pool;
        let limit = Bytes::new(self.limit_bytes());
        let told = NearLimit { limit, used: Bytes::new(self.budgeted_bytes()) };
        if let Some(wanted) = (handler.0)(&told).filter(|wanted| *wanted > limit) {
            pool.set_limit(wanted.get().div_ceil(REGION_BYTES));
            self.raised.store(true, Relaxed);
        }
    }
    /// Somebody wants memory back. Any thread may say so; what is due is seen at the next safepoint, or by the caretaker.
    pub fn press(&self, level: Pressure) {
        self.lean.store(true, Relaxed);
        match level {
            Pressure::Moderate => self.full_at.store(0, Relaxed),
            Pressure::Critical => self.pressed.store(true, Relaxed),
        }
        self.tending.lock().reducer = Reducer::Run { runs: 1 };
        self.want();
    }
    /// Whether the next stop is a whole collection because somebody wants memory back at once.
    pub(super) fn is_pressed(&self) -> bool {
        self.pressed.load(Relaxed)
    }
}
