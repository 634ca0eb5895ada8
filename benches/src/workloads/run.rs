//! One run of a workload: its threads, and what they measured together.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use anyhow::{Result, anyhow, ensure};
use orinoco::{Heap, Mutator, Rebind, Trace};

use super::gaps::{Gaps, Schedule, now};
use super::part::Part;
use super::{Workload, big_live, binary_trees, gcbench, graph_mutate, latency, list_churn, splay};

/// More threads than any machine of today has cores; a typing mistake beyond it.
const MOST_THREADS: u32 = 1024;

/// Which program, by how many threads, and how much of it. Only plans that can be carried out exist.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    workload: Workload,
    threads: u32,
    size: f64,
}

impl Plan {
    /// A plan; the default size of the workload if none is given.
    ///
    /// # Errors
    /// If the number of threads or the size is out of range.
    pub fn new(workload: Workload, threads: u32, size: Option<f64>) -> Result<Self> {
        let profile = workload.profile();
        let size = size.unwrap_or(profile.default_size);
        let (unit, largest) = (profile.unit, profile.largest);
        ensure!((1..=MOST_THREADS).contains(&threads), "the number of threads must lie between 1 and {MOST_THREADS}");
        ensure!((0.0..=largest).contains(&size), "the size ({unit}) must lie between 0 and {largest}");
        let smallest = profile.smallest_share * f64::from(threads);
        ensure!(size >= smallest, "the size ({unit}) must be at least {smallest} for {threads} threads");
        Ok(Self { workload, threads, size })
    }

    /// Which program.
    pub fn workload(&self) -> Workload {
        self.workload
    }

    /// How many mutator threads.
    pub fn threads(&self) -> u32 {
        self.threads
    }

    /// How much of it.
    pub fn size(&self) -> f64 {
        self.size
    }

    /// The most bytes that are live at once.
    pub fn live_bytes(&self) -> f64 {
        (self.workload.profile().live_bytes)(self.size, f64::from(self.threads))
    }

    /// Carries the plan out on `heap`.
    ///
    /// # Errors
    /// If a thread cannot be spawned, or panics (the heap's limit is reached, for one); the message says why.
    pub fn run(&self, heap: &Heap) -> Result<Outcome> {
        let begun = now();
        // The workloads allocate as programs do that cannot go on without memory: by panicking.
        let (parts, extra) = catch_unwind(AssertUnwindSafe(|| dispatch(self, heap)))
            .map_err(|panic| anyhow!("the workload did not end: {}", message(&*panic)))??;
        let mut outcome = Outcome { checksum: extra, ..Outcome::default() };
        for part in &parts {
            outcome.build_ns = outcome.build_ns.max(part.build_ns);
            outcome.waited_ns = outcome.waited_ns.max(part.waited_ns);
            outcome.ran_ns += part.ran_ns;
            outcome.operations += part.operations;
            outcome.checksum += part.checksum;
            outcome.gaps.absorb(&part.gaps);
            outcome.build_gaps.absorb(&part.build_gaps);
        }
        outcome.wall_ns = now() - begun;
        Ok(outcome)
    }
}

/// What a run came to.
#[derive(Default)]
pub struct Outcome {
    /// From the first thread's start to the last checksum, in nanoseconds.
    pub wall_ns: u64,
    /// The longest that one thread built, in nanoseconds.
    pub build_ns: u64,
    /// The longest that one thread waited for a core, in nanoseconds.
    pub waited_ns: u64,
    /// How long all threads ran, in nanoseconds.
    pub ran_ns: u64,
    /// Iterations of all threads.
    pub operations: u64,
    /// The sum of all checksums.
    pub checksum: u64,
    /// Gaps of the main phase.
    pub gaps: Gaps,
    /// Gaps while building.
    pub build_gaps: Gaps,
}

/// The parts, and what the starting thread adds to the checksum.
fn dispatch(plan: &Plan, heap: &Heap) -> Result<(Vec<Part>, u64)> {
    let parts = match plan.workload {
        Workload::BinaryTrees => return binary_trees::run(plan, heap),
        Workload::Gcbench => spread(plan, heap, gcbench::mutate),
        Workload::ListChurn => spread(plan, heap, list_churn::mutate),
        Workload::GraphMutate => spread(plan, heap, graph_mutate::mutate),
        Workload::Splay => spread(plan, heap, splay::mutate),
        Workload::Latency => spread(plan, heap, latency::mutate),
        Workload::BigLive => spread(plan, heap, big_live::mutate),
    };
    Ok((parts?, 0))
}

/// Runs `mutate` on each of the plan's threads, a mutator of `heap` with roots of its own.
///
/// # Errors
/// If a thread cannot be spawned; those that could are waited for.
///
/// # Panics
/// If one of the threads does, once all have ended.
pub(super) fn spread<R>(plan: &Plan, heap: &Heap, mutate: fn(&mut Mutator<R>, &mut Part)) -> Result<Vec<Part>>
where
    R: Rebind<At<'static> = R> + Trace + Default + 'static,
{
    thread::scope(|scope| {
        let threads = (0..plan.threads).map(|index| {
            let body = move || {
                let schedule = Schedule::of_this_thread();
                let mut part = Part::new(index, plan.threads, plan.size);
                let before = schedule.read();
                heap.enter(R::default(), |m| mutate(m, &mut part));
                let after = schedule.read();
                part.ran_ns = after.ran - before.ran;
                part.waited_ns = after.waited - before.waited;
                part
            };
            thread::Builder::new().name(format!("mutator {index}")).spawn_scoped(scope, body)
        });
        let threads = threads.collect::<Result<Vec<_>, _>>()?;
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        Ok(ended.into_iter().map(|part| part.unwrap_or_else(|panic| resume_unwind(panic))).collect())
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a thread panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_has_a_plan_of_its_default_size() {
        for workload in Workload::ALL {
            let plan = Plan::new(workload, 4, None).unwrap();
            assert_eq!(plan.size(), workload.profile().default_size);
            assert!(plan.live_bytes() > 1e6);
        }
    }

    #[test]
    fn sizes_and_threads_out_of_range_are_refused() {
        for size in [-1.0, f64::NAN, f64::INFINITY, 41.0] {
            assert!(Plan::new(Workload::BinaryTrees, 1, Some(size)).is_err(), "{size}");
        }
        assert!(Plan::new(Workload::BinaryTrees, 0, None).is_err());
        assert!(Plan::new(Workload::BinaryTrees, MOST_THREADS + 1, None).is_err());
        assert!(Plan::new(Workload::GraphMutate, 1, Some(0.0)).is_err());
        assert!(Plan::new(Workload::BigLive, 4, Some(3.0 / 65_536.0)).is_err());
        assert!(Plan::new(Workload::BigLive, 4, Some(4.0 / 65_536.0)).is_ok());
    }
}
