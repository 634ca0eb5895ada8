//! The machine's own hiccups: how late a thread wakes that does nothing but sleep, and how unevenly it copies.
//!
//! A stop on the clock is the collector's work and the machine's delays together. A thread that has no work, and touches
//! no heap, feels the second alone; what it feels, any thread may have felt during its stops as well.
//!
//! Time on a core is no pure measure either: a guest's core goes on counting while its host does something else, and what
//! neighbours do to shared caches makes the same copy take longer. A fixed copy, on the same clock, shows how much.

use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// How long it sleeps each time.
const NAP: Duration = Duration::from_millis(1);

/// A thread that sleeps and looks at the clock, until this is finished or dropped.
#[derive(Debug)]
pub struct Meter {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Duration>>>,
}

impl Meter {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system refuses one.
    pub fn start() -> io::Result<Self> {
        let done = Arc::new(AtomicBool::new(false));
        let seen = done.clone();
        let thread = Builder::new().name("hiccups".to_owned()).spawn(move || {
            let mut late = Vec::new();
            // Relaxed: the flag says nothing but when to end; the join hands the list over.
            while !seen.load(Ordering::Relaxed) {
                let began = Instant::now();
                sleep(NAP);
                late.push(began.elapsed().saturating_sub(NAP));
            }
            late
        })?;
        Ok(Self { done, thread: Some(thread) })
    }

    /// Ends the thread: how late it woke, each time.
    pub fn finish(mut self) -> Vec<Duration> {
        self.end()
    }

    /// What there is without anybody's work: the lateness seen during `time`.
    ///
    /// # Errors
    /// As [`Meter::start`].
    pub fn for_a_while(time: Duration) -> io::Result<Vec<Duration>> {
        let meter = Self::start()?;
        sleep(time);
        Ok(meter.finish())
    }

    fn end(&mut self) -> Vec<Duration> {
        // Relaxed: as at the load.
        self.done.store(true, Ordering::Relaxed);
        self.thread.take().map_or_else(Vec::new, |thread| thread.join().expect("a thread that sleeps does not panic"))
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.end();
    }
}

/// Bytes of the fixed copy: about what a young collection of a millisecond moves.
const COPY: usize = 2 << 20;

/// The time on a core that each of many copies of 2 MiB took, made one after the other for `time`, each from and to
/// another part of larger buffers, as a collection's are.
pub fn copies(time: Duration) -> Vec<Duration> {
    const PARTS: usize = 16;
    let (from, mut to) = (vec![1_u8; PARTS * COPY], vec![0_u8; PARTS * COPY]);
    let began = Instant::now();
    let mut took = Vec::new();
    for at in (0..PARTS).cycle() {
        if began.elapsed() >= time {
            break;
        }
        let part = at * COPY..(at + 1) * COPY;
        let start = time_on_a_core();
        to[part.clone()].copy_from_slice(&from[part]);
        took.push(time_on_a_core().saturating_sub(start));
        std::hint::black_box(&to);
    }
    took
}

/// What this thread's core has counted for it.
fn time_on_a_core() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_made_for_the_time_given_and_take_no_more_than_it() {
        let took = copies(Duration::from_millis(50));
        assert!(!took.is_empty() && took.iter().all(|each| !each.is_zero()));
        assert!(took.iter().sum::<Duration>() < Duration::from_secs(50));
    }

    #[test]
    fn a_meter_counts_naps_until_it_is_finished() {
        let began = Instant::now();
        let late = Meter::for_a_while(Duration::from_millis(30)).unwrap();
        assert!(!late.is_empty());
        let slept = late.iter().map(|late| *late + NAP).sum::<Duration>();
        assert!(slept <= began.elapsed(), "naps follow each other");
    }
}
