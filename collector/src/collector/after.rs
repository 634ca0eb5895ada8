//! After a stop, with the world running again: sweeping, memory given back, observers; and the figures.
use super::{CollectionKind, CollectionReport, Collector, Forced};
use crate::event::Event;
use crate::scavenge::cycle::Tally;
use crate::statistics::{MemoryUsage, Statistics, StopKind, resident_set};
use crate::sweep;
use crate::sync::Ordering::Relaxed;
use crate::units::{Bytes, REGION_BYTES};
use std::time::{Duration, Instant};

impl Collector {
    /// Before the world is stopped for a collection that has to begin with everything swept: sweeps what is left beside the
    /// program, so that the stop need not.
    pub fn before_stop(&self, kind: CollectionKind) {
        let needs_rest = matches!(kind, CollectionKind::Full | CollectionKind::Evacuate);
        if needs_rest && !self.core.is_marking() {
            sweep::finish(&self.core);
        }
    }
    /// Gets the sweep going, has memory made ready, and tells the observer.
    pub fn after_stop(&self) {
        if self.sweep_now.swap(false, Relaxed) {
            sweep::finish(&self.core);
        } else if !self.core.spaces.old.is_swept() {
            let core = self.core.clone();
            // The next pause's memory does not wait for the end of a long sweep.
            let sweep = move || {
                let swept = sweep::sweep_one(&core);
                core.spaces.make_group_ready() || swept
            };
            if !self.helpers.spawn_beside(self.stop_wanted(), sweep) {
                // Nobody else will: a few regions at each collection, and as many as are needed at the next full one.
                for _ in 0..16 {
                    if !sweep::sweep_one(&self.core) {
                        break;
                    }
                }
            }
        }
        if !self.core.is_marking() {
            self.core.waiting.shrink();
        }
        self.tidy();
        self.tell_observer();
    }
    /// Says whether a stop is about to be, or on.
    fn stop_wanted(&self) -> impl Fn() -> bool + Send + use<> {
        let core = self.core.clone();
        move || core.is_stop_wanted()
    }
    /// Has memory ready for the next pause, on a helper if there is one: the first touch of memory does not belong into
    /// a pause. Giving back what a cycle left over does not either; a heap that nobody tends does it here, a little
    /// after each stop.
    fn tidy(&self) {
        let core = self.core.clone();
        if !core.spaces.is_ready() {
            // What the next pause surely needs does not wait for a helper, which may be busy or have no core.
            core.spaces.make_most_urgent_ready(core.survival_permille());
            if !self.helpers.spawn_beside(self.stop_wanted(), move || core.spaces.make_group_ready()) {
                self.core.spaces.make_ready();
            }
        }
        if !self.settings().is_tended() {
            self.give_back();
        }
    }
    /// Puts an event where it waits to be told.
    pub(super) fn happened(&self, event: Event) {
        if self.core.settings.observer.is_some() {
            self.waiting.lock().push(event);
        }
    }
    /// Records how long a mutator stood still, from the request to running again.
    pub fn record_stop(&self, stop: Duration, kind: StopKind) {
        self.stood_still(stop, kind, None, None);
    }
    /// Records a step: the one mutator that took it stood still for it.
    pub(super) fn record_step(&self, took: Duration, cpu: Duration, bytes: usize, forced: Option<Forced>) {
        self.stood_still(took, StopKind::Step, Some(cpu), forced);
        self.happened(Event::Step { took, cpu, bytes });
    }
    fn stood_still(&self, stood: Duration, kind: StopKind, cpu: Option<Duration>, forced: Option<Forced>) {
        self.rest_from(stood, kind);
        self.totals.lock().stops.record(kind, stood);
        if self.core.settings.observer.is_some() {
            let (thread, ended) = (std::thread::current().id(), Instant::now());
            self.happened(Event::Stop { kind, thread, ended, stood, cpu, forced });
        }
    }
    pub(super) fn note(&self, report: &CollectionReport, tally: &Tally) {
        let mut t = self.totals.lock();
        match report.kind {
            CollectionKind::Evacuate => t.evacuations += 1,
            _ => t.scavenges += 1,
        }
        t.full += u64::from(report.ended_cycle);
        t.copied += tally.copied as u64;
        t.promoted += tally.promoted as u64;
        t.freed += tally.freed as u64;
        t.retained += tally.retained_regions as u64;
        t.compactions += tally.batches as u64;
        t.emptied += tally.emptied as u64;
        t.pauses.record(report.stop_kind(), report.pause);
        drop(t);
        self.happened(Event::Pause(*report));
    }
    /// The heap's memory at one glance; stops nobody.
    pub fn memory_usage(&self) -> MemoryUsage {
        let spaces = &self.core.spaces;
        MemoryUsage {
            rss: resident_set(),
            heap_total: Bytes::new(spaces.pool.in_use() * REGION_BYTES),
            heap_used: Bytes::new(spaces.old_bytes() + spaces.young_bytes_hint()),
            external: Bytes::new(self.owned().bytes()),
        }
    }
    /// The heap's figures.
    pub fn statistics(&self) -> Statistics {
        let spaces = &self.core.spaces;
        let t = self.totals.lock();
        Statistics {
            scavenges: t.scavenges,
            full_collections: t.full,
            evacuations: t.evacuations,
            compactions: t.compactions,
            regions_emptied: t.emptied,
            candidates: self.core.candidates.count(spaces) as u64,
            regions_unswept: spaces.old.gaps.unswept() as u64,
            bytes_copied: t.copied,
            bytes_promoted: t.promoted,
            bytes_freed: t.freed,
            bytes_marked: t.marked,
            regions_retained: t.retained,
            entries_visited: self.core.entries_visited.load(Relaxed) as u64,
            values_dropped: self.core.graveyard.dropped(),
            values_to_drop: self.core.graveyard.waiting_hint(),
            old_used: Bytes::new(spaces.old_bytes()),
            old_free: Bytes::new(spaces.old.gaps.bytes()),
            large_used: Bytes::new(spaces.large_bytes()),
            young_used: Bytes::new(spaces.young_bytes_hint()),
            spaces: spaces.by_space(),
            physical: Bytes::new(spaces.pool.physical()),
            committed: Bytes::new(spaces.pool.in_use() * REGION_BYTES),
            external: Bytes::new(self.owned().bytes()),
            limit: Bytes::new(spaces.pool.limit() * REGION_BYTES),
            stops: t.stops.summary(),
            pauses: t.pauses.summary(),
        }
    }
}

impl Drop for Collector {
    /// Drops every value that is left; in no order, and with nothing of the heap to look at.
    fn drop(&mut self) {
        sweep::finish(&self.core);
        let core = &self.core;
        let table = &core.spaces.pool.table;
        let mut rest = std::mem::take(&mut *core.droppables.lock());
        for index in 0..table.opened() {
            table.with_region(index, |r| rest.append(&mut r.droppables.lock()));
        }
        rest.into_iter().for_each(|object| core.bury(object));
        self.after_stop();
        self.drop_all();
    }
}
