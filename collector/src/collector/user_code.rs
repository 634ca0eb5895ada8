//! The embedder's code that a collection leads to: observers before and after, and the drop glue of what has died.
//!
//! ```text
//!   announce ─▶ (stop: the collection) ─▶ after_stop ─▶ observers told ─▶ drop_some … drop_some … at later safepoints
//! ```
//!
//! All of it runs on a mutator's thread with that mutator parked: it may block or panic, and others may collect meanwhile.
use super::{Cause, CollectionKind, Collector};
use crate::event::Event;
use crate::mutator_local::MutatorLocal;
use crate::stall::Stall;
use crate::sync::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// How long a slice of drop glue goes on: its last value is begun before that.
const SLICE: Duration = Duration::from_millis(1);
/// Values between two looks at the clock.
const GRAIN: usize = 16;

impl Collector {
    /// Whether anybody is told of collections.
    pub fn is_observed(&self) -> bool {
        self.core.settings.observer.is_some()
    }
    /// Tells the observer that a mutator is about to ask for a stop.
    pub fn announce(&self, kind: CollectionKind, cause: Cause) {
        if let Some(observer) = &self.core.settings.observer {
            observer.0.before(kind, cause);
        }
    }
    /// Whether the watchdog reports a wait of `waited`, after it last reported one of `reported` (zero: never).
    pub fn is_stalled(&self, waited: Duration, reported: Duration) -> bool {
        waited >= self.core.settings.watchdog && waited >= 2 * reported
    }
    /// Reports who keeps whom waiting, and ends the process if it is configured so.
    ///
    /// The observer is called on a thread of its own: this one holds what others wait for. If none can be had, nobody is
    /// told this time.
    pub fn stalled(&self, stall: Stall) {
        if self.core.settings.abort_when_stalled {
            let usage = self.memory_usage();
            let marking = if self.core.is_marking() { "marking" } else { "not marking" };
            eprintln!(
                "orinoco: {stall}\n  {marking}; {} of heap in use\n  the process ends: abort_when_stalled",
                usage.heap_used
            );
            std::process::abort();
        }
        if let Some(observer) = &self.core.settings.observer {
            let observer = observer.clone();
            let thread = std::thread::Builder::new().name("orinoco-watchdog".to_owned());
            let _ = thread.spawn(move || observer.0.stalled(&stall));
        }
    }
    /// Notes what the stop that is about to be asked for is for.
    pub fn note_wish(&self, kind: CollectionKind) {
        self.wish.store(kind as u8, Relaxed);
    }
    /// What the last stop was asked for.
    pub fn wish(&self) -> Option<CollectionKind> {
        let wish = self.wish.load(Relaxed);
        CollectionKind::ALL.into_iter().find(|kind| *kind as u8 == wish)
    }
    /// Tells the observer what has happened since it was last told.
    pub(super) fn tell_observer(&self) {
        let Some(observer) = &self.core.settings.observer else { return };
        loop {
            let next = self.waiting.lock().pop();
            let Some(event) = next else { return };
            observer.0.event(&event);
            if let Event::Pause(report) = &event {
                observer.0.after(report);
            }
        }
    }
    /// Whether values wait to be dropped, and this mutator has had as much time for itself as its last slice took.
    pub fn drops_due(&self, local: &MutatorLocal) -> bool {
        self.core.graveyard.waiting_hint() > 0 && local.rest_until.get().is_none_or(|until| Instant::now() >= until)
    }
    /// Drops values for about a millisecond; then the mutator is left alone for as long as that took. Panics of drop glue
    /// pass through, and no other value is lost by one.
    pub fn drop_some(&self, local: &MutatorLocal) {
        if self.core.graveyard.waiting_hint() == 0 {
            return;
        }
        if self.dice.is_some() {
            // No clock decides in the deterministic mode.
            return self.drop_all();
        }
        let (began, slice) = (Instant::now(), SLICE.min(self.core.settings.step_cap));
        let mut dropped = 0usize;
        let enough = || {
            dropped += 1;
            dropped.is_multiple_of(GRAIN) && began.elapsed() >= slice
        };
        if !self.core.graveyard.drop_until(enough) {
            return;
        }
        local.rest_until.set(Some(Instant::now() + began.elapsed()));
    }
    /// Drops every value that waits. Panics as [`drop_some`](Self::drop_some).
    pub fn drop_all(&self) {
        self.core.graveyard.drop_until(|| false);
    }
}
