//! When a quiet heap is collected though nobody allocates: V8's memory reducer, as one pure step.
//!
//! ```text
//!           grew by a tenth and 4 MiB                quiet until it is due
//!   Done ──────────────────────────────▶ Wait ──────────────────────────────▶ Run
//!    ▲                                   │ ▲   at work: wait and count anew     │
//!    ├── three cycles were run ──────────┘ └── it paid, or was the first ───────┤
//!    └──────────────────────────── it did not pay ──────────────────────────────┘
//! ```
//!
//! A first cycle keeps what died while it marked, so that a second one is always worth its while; a third only if the
//! second freed something. *Done* is left by growth alone: a heap that has come to rest costs nobody a wake-up.
use crate::units::Bytes;
use std::time::Duration;

/// What the reducer is about. Moments are durations since the heap's birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reducer {
    /// At rest, with so many bytes in use.
    Done {
        /// Bytes of the heap's regions then.
        committed: usize,
    },
    /// A cycle is due then, if the program is quiet.
    Wait {
        /// Cycles run since it last rested.
        runs: u32,
        /// When the next is due.
        due: Duration,
    },
    /// A cycle of the reducer's is on.
    Run {
        /// Cycles run since it last rested, this one included.
        runs: u32,
    },
}

/// What it is told.
#[derive(Clone, Copy, Debug)]
pub enum News {
    /// Time has passed.
    Tick {
        /// Now.
        now: Duration,
        /// Bytes of the heap's regions.
        committed: usize,
        /// Whether the program allocates next to nothing.
        quiet: bool,
    },
    /// The old generation was collected, by whomever.
    Ended {
        /// Now.
        now: Duration,
        /// Bytes of the heap's regions.
        committed: usize,
        /// Whether it freed enough to make another cycle worth its while.
        paid: bool,
    },
}

/// Bytes a second below which a program counts as quiet (V8's is the same: a kilobyte a millisecond).
const QUIET_BYTES_A_SECOND: u128 = 1 << 20;
/// From the end of one cycle to the next of one reduction.
const SOON: Duration = Duration::from_millis(500);
/// Cycles of one reduction.
const MOST: u32 = 3;
/// Growth that ends a rest: this much, and a tenth.
const GROWTH: usize = Bytes::mib(4).get();

impl Reducer {
    /// A heap at its birth.
    pub const NEW: Self = Self::Done { committed: 0 };

    /// Up to how many bytes a heap that came to rest with `committed` stays at rest.
    pub fn rests_up_to(committed: usize) -> usize {
        committed.saturating_add((committed / 10).max(GROWTH))
    }
    /// The next state. `wait` is how long a heap must be quiet.
    #[must_use]
    pub fn step(self, news: News, wait: Duration) -> Self {
        match (self, news) {
            (
                Self::Done { committed: rest },
                News::Tick { now, committed, .. } | News::Ended { now, committed, .. },
            ) => {
                if committed > Self::rests_up_to(rest) {
                    Self::Wait { runs: 0, due: now.saturating_add(wait) }
                } else {
                    self
                }
            }
            (Self::Wait { runs, .. }, News::Tick { committed, quiet: true, .. }) if runs >= MOST => {
                Self::Done { committed }
            }
            // What the program does from here on is another reduction's.
            (Self::Wait { .. }, News::Tick { now, quiet: false, .. }) => {
                Self::Wait { runs: 0, due: now.saturating_add(wait) }
            }
            (Self::Wait { runs, .. }, News::Ended { now, .. }) => Self::Wait { runs, due: now.saturating_add(wait) },
            (Self::Wait { runs, due }, News::Tick { now, .. }) if now >= due => Self::Run { runs: runs + 1 },
            (Self::Wait { .. } | Self::Run { .. }, News::Tick { .. }) => self,
            (Self::Run { runs }, News::Ended { now, committed, paid }) => match runs < MOST && (paid || runs == 1) {
                true => Self::Wait { runs, due: now.saturating_add(SOON) },
                false => Self::Done { committed },
            },
        }
    }
}

/// Whether a program that allocated `bytes` in `passed` is quiet.
pub fn is_quiet(bytes: usize, passed: Duration) -> bool {
    bytes as u128 * 1_000_000 <= passed.as_micros() * QUIET_BYTES_A_SECOND
}

/// Whether a cycle that brought the heap from `before` to `after` bytes makes another worth its while.
pub fn paid(before: usize, after: usize) -> bool {
    before.saturating_sub(after) > Bytes::mib(1).get().max(before / 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(2);
    const fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
    fn tick(ms: u64, mib: usize, quiet: bool) -> News {
        News::Tick { now: at(ms), committed: Bytes::mib(mib).get(), quiet }
    }
    fn ended(ms: u64, mib: usize, paid: bool) -> News {
        News::Ended { now: at(ms), committed: Bytes::mib(mib).get(), paid }
    }
    fn done(mib: usize) -> Reducer {
        Reducer::Done { committed: Bytes::mib(mib).get() }
    }
    fn wait(runs: u32, ms: u64) -> Reducer {
        Reducer::Wait { runs, due: at(ms) }
    }
    fn run(runs: u32) -> Reducer {
        Reducer::Run { runs }
    }

    #[test]
    fn every_edge_of_the_reducer_is_as_drawn() {
        for (before, news, after) in [
            (done(0), tick(100, 4, true), done(0)),
            (done(0), tick(100, 5, true), wait(0, 2100)),
            (done(100), tick(100, 109, true), done(100)),
            (done(100), tick(100, 111, false), wait(0, 2100)),
            (done(100), ended(100, 90, true), done(100)),
            (done(100), ended(100, 150, true), wait(0, 2100)),
            (wait(0, 2100), tick(1000, 50, true), wait(0, 2100)),
            (wait(0, 2100), tick(1000, 50, false), wait(0, 3000)),
            (wait(2, 2100), tick(1000, 50, false), wait(0, 3000)),
            (wait(3, 2100), tick(1000, 50, false), wait(0, 3000)),
            (wait(0, 2100), ended(1000, 50, true), wait(0, 3000)),
            (wait(0, 2100), tick(2100, 50, true), run(1)),
            (wait(1, 2100), tick(2200, 50, true), run(2)),
            (wait(3, 2100), tick(2000, 50, true), done(50)),
            (run(1), tick(9000, 50, true), run(1)),
            (run(1), tick(9000, 50, false), run(1)),
            (run(1), ended(9000, 50, false), wait(1, 9500)),
            (run(2), ended(9000, 50, true), wait(2, 9500)),
            (run(2), ended(9000, 50, false), done(50)),
            (run(3), ended(9000, 50, true), done(50)),
        ] {
            assert_eq!(before.step(news, WAIT), after, "{before:?}, {news:?}");
        }
    }

    #[test]
    fn a_quiet_heap_comes_to_rest_after_at_most_three_cycles() {
        let mut state = Reducer::NEW;
        let mut runs = 0;
        for second in 0..60 {
            state = state.step(tick(second * 1000, 64, true), WAIT);
            if matches!(state, Reducer::Run { .. }) {
                runs += 1;
                state = state.step(ended(second * 1000, 64, true), WAIT);
            }
        }
        assert_eq!((state, runs), (done(64), 3));
    }

    #[test]
    fn moments_and_sizes_at_the_end_of_their_range_do_not_overflow() {
        let state = Reducer::Done { committed: usize::MAX };
        let news = News::Tick { now: Duration::MAX, committed: usize::MAX, quiet: true };
        assert_eq!(state.step(news, Duration::MAX), state);
        assert!(matches!(Reducer::NEW.step(news, Duration::MAX), Reducer::Wait { due: Duration::MAX, .. }));
        assert!(!is_quiet(usize::MAX, Duration::from_secs(1)) && is_quiet(0, Duration::ZERO));
        assert!(is_quiet(1 << 19, Duration::from_millis(500)) && !is_quiet(1, Duration::ZERO));
        assert!(paid(usize::MAX, 0) && !paid(0, usize::MAX) && !paid(0, 0));
    }
}
