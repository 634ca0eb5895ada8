//! Helper threads of rayon's: what ships.

/// A pool of threads that steal jobs from each other.
pub(super) struct Pool(rayon::ThreadPool);

impl Pool {
    /// Starts `n` threads.
    pub(super) fn start(n: usize) -> Result<Self, String> {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(n).thread_name(|i| format!("orinoco-{i}"));
        builder.build().map(Self).map_err(|e| e.to_string())
    }
    /// Has a thread run `job` some time.
    pub(super) fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.0.spawn(job);
    }
}
