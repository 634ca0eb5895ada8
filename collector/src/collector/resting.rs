//! The duty cycle as the collector keeps it: until when mutators are left alone, and who asks (see `pace::duty`).
use super::{Cause, Collector, Forced};
use crate::pace::duty::{self, Verdict};
use crate::pace::marking::Progress;
use crate::statistics::StopKind;
use crate::sync::{AtomicU64, Ordering::Relaxed};
use crate::units::REGION_BYTES;
use std::time::{Duration, Instant};

/// Nanoseconds of its own clock until which mutators rest.
pub(super) struct Rest {
    born: Instant,
    /// From stops.
    from_stops: AtomicU64,
    /// From stops, and from steps of any mutator.
    from_all: AtomicU64,
}

impl Rest {
    pub(super) fn new() -> Self {
        Self { born: Instant::now(), from_stops: AtomicU64::new(0), from_all: AtomicU64::new(0) }
    }
    fn until(&self, rest: &AtomicU64) -> Instant {
        // Relaxed: a time, and nothing that was done before it.
        self.born + Duration::from_nanos(rest.load(Relaxed))
    }
    fn extend(&self, rest: &AtomicU64, by: Duration) {
        let until = (self.born.elapsed() + by).as_nanos();
        rest.fetch_max(u64::try_from(until).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Collector {
    /// A mutator stood still for `stood`, and runs again.
    pub(super) fn rest_from(&self, stood: Duration, kind: StopKind) {
        let by = duty::rest_from(stood, self.core.settings.step_cap);
        self.rest.extend(&self.rest.from_all, by);
        if kind != StopKind::Step {
            self.rest.extend(&self.rest.from_stops, by);
        }
    }
    /// Whether a mutator that would take a step at `now` still rests from the last stop. What does not adapt has no rests:
    /// the verifier's stops are long, and no measure of anything.
    pub(super) fn rests_from_stops(&self, now: Instant, progress: Progress) -> bool {
        self.core.settings.adapts()
            && now < self.rest.until(&self.rest.from_stops)
            && duty::is_step_put_off(self.is_limit_near(), progress.allocated, progress.headroom)
    }
    /// Whether mutators take steps though they rest from their last ones: the limit is near, and marking should have ended.
    pub(super) fn marking_cannot_wait(&self, progress: Progress) -> bool {
        self.is_limit_near() && progress.allocated >= progress.headroom
    }
    fn is_limit_near(&self) -> bool {
        let in_use = self.core.spaces.pool.in_use() * REGION_BYTES;
        in_use / 3 > self.core.settings.limit.get() / 4
    }
    /// Asks for a stop, unless mutators still rest from the last one and there is room for what they allocate meanwhile.
    pub(super) fn want_after_rest(&self) {
        if !self.collection_wanted() && self.verdict() != Verdict::Rest {
            self.want();
        }
    }
    /// Why the stop that has begun did not wait until mutators had rested.
    pub(super) fn why_forced(&self, cause: Cause) -> Option<Forced> {
        let of_itself = matches!(cause, Cause::NurseryFull | Cause::OldGrown | Cause::MarkedAll | Cause::LimitNear);
        if !of_itself || self.verdict() == Verdict::Due {
            return None;
        }
        let at_limit = cause == Cause::LimitNear || self.room_beyond() == 0;
        Some(if at_limit { Forced::Limit } else { Forced::Allocation })
    }
    fn verdict(&self) -> Verdict {
        let spaces = &self.core.spaces;
        if !self.core.settings.adapts() {
            return Verdict::Due;
        }
        let now = self.rest.born.elapsed();
        let rest_until = Duration::from_nanos(self.rest.from_all.load(Relaxed));
        duty::verdict(now, rest_until, spaces.beyond_row_hint(), self.room_beyond())
    }
    fn room_beyond(&self) -> usize {
        let spaces = &self.core.spaces;
        let spare = self.core.settings.limit.get().saturating_sub(spaces.pool.in_use() * REGION_BYTES);
        duty::room_beyond(spaces.nursery_regions() * REGION_BYTES, spare)
    }
}
