//! Helper threads without rayon: a queue under a lock. For builds in which a checker has to see every thread and lock, and
//! could not see through rayon's: shuttle, and ThreadSanitizer on a std that was not rebuilt.
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Arc, Condvar, Mutex};
use std::collections::VecDeque;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    /// There is a job, or the end.
    more: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    over: bool,
}

/// Some threads that take jobs from one queue, in the order in which they came.
pub(super) struct Pool {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts `n` threads.
    pub(super) fn start(n: usize) -> Result<Self, String> {
        let queue = Arc::new(Queue::default());
        let threads = (0..n)
            .map(|_| {
                let queue = queue.clone();
                thread::spawn(move || queue.work())
            })
            .collect();
        Ok(Self { queue, threads })
    }
    /// Has a thread run `job` some time.
    pub(super) fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.queue.jobs.lock().waiting.push_back(Box::new(job));
        self.queue.more.notify_one();
    }
}

impl Queue {
    fn work(&self) {
        loop {
            let job = {
                let mut jobs = self.jobs.lock();
                loop {
                    if let Some(job) = jobs.waiting.pop_front() {
                        break job;
                    }
                    if jobs.over {
                        return;
                    }
                    self.more.wait(&mut jobs);
                }
            };
            job();
        }
    }
}

impl Drop for Pool {
    /// Every job that was spawned runs; then the threads end.
    fn drop(&mut self) {
        self.queue.jobs.lock().over = true;
        self.queue.more.notify_all();
        for thread in std::mem::take(&mut self.threads) {
            let _ = thread.join();
        }
    }
}
