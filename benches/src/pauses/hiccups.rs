//! The machine's own hiccups: how late a thread wakes that does nothing but sleep.
//!
//! A stop on the clock is the collector's work and the machine's delays together. This thread has no work, and touches
//! no heap; what it feels, any thread may have felt during its stops as well.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_counts_naps_until_it_is_finished() {
        let began = Instant::now();
        let late = Meter::for_a_while(Duration::from_millis(30)).unwrap();
        assert!(!late.is_empty());
        let slept = late.iter().map(|late| *late + NAP).sum::<Duration>();
        assert!(slept <= began.elapsed(), "naps follow each other");
    }
}
