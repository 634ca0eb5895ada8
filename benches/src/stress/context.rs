//! What a scenario is given: a heap as asked for, chance, a clock, and a place for what it counts.
//!
//! | field | who, when |
//! | --- | --- |
//! | `lines` | each mutator adds to its own; whoever shows progress reads all |
//! | `stop` | set by whoever fails, or interrupts; everybody looks between two turns |
//! | `heaps` | the heaps that were opened, until their figures are taken |
//! | `fields` | what a scenario adds to its line of JSON |

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use orinoco::{Bytes, Faults, Heap, HeapConfig, Zeal};
use serde_json::{Map, Value};

use super::dice::Dice;
use super::stops::StopCounts;

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How long each scenario goes on that has no end of its own.
    pub time: Duration,
    /// Mutator threads.
    pub mutators: usize,
    /// Threads that help in collections; the heap's own default if none.
    pub helpers: Option<usize>,
    /// Collecting far too often.
    pub zeal: Zeal,
    /// The heap walks and checks itself before and after every collection.
    pub verify: bool,
    /// What the system refuses.
    pub faults: Faults,
    /// Where pictures go, of scenarios that have one.
    pub plots: Option<PathBuf>,
    /// One mutator, and the seed decides when the heap collects: the run can be had again.
    pub deterministic: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            time: Duration::from_secs(2),
            mutators: 2,
            helpers: None,
            zeal: Zeal::OFF,
            verify: false,
            faults: Faults::default(),
            plots: None,
            deterministic: false,
        }
    }
}

/// What one mutator has done.
#[derive(Debug, Default)]
pub struct Line {
    /// Turns, of many operations each.
    pub turns: AtomicU64,
    /// Comparisons with a model or a checksum.
    pub checks: AtomicU64,
    /// Allocations that were refused, after which the mutator went on.
    pub refusals: AtomicU64,
}

impl Line {
    /// Counts comparisons.
    pub fn checked(&self, count: usize) {
        self.checks.fetch_add(count as u64, Relaxed);
    }
}

/// Handed to a scenario.
pub struct Context {
    /// How the run is made.
    pub options: Options,
    /// What each mutator has done.
    pub lines: Vec<Line>,
    until: Instant,
    stop: AtomicBool,
    /// Whether the one who asked has had enough.
    enough: fn() -> bool,
    /// How long mutators stood still.
    pub stops: Arc<StopCounts>,
    heaps: Mutex<Vec<Heap>>,
    fields: Mutex<Map<String, Value>>,
}

impl Context {
    /// A run that begins now.
    pub fn new(options: Options) -> Self {
        let lines = (0..options.mutators).map(|_| Line::default()).collect();
        Self {
            until: Instant::now() + options.time,
            options,
            lines,
            stop: AtomicBool::new(false),
            enough: || false,
            stops: Arc::default(),
            heaps: Mutex::default(),
            fields: Mutex::default(),
        }
    }
    /// The same, to be ended when `enough` says so.
    pub fn until(self, enough: fn() -> bool) -> Self {
        Self { enough, ..self }
    }
    /// The configuration that was asked for; a scenario changes what it is about.
    pub fn config(&self) -> HeapConfig {
        let options = &self.options;
        let mut config = HeapConfig::new()
            .observer(self.stops.clone())
            .faults(options.faults)
            .zeal(options.zeal)
            .verify(options.verify)
            .limit(Bytes::mib(512))
            .initial_old(Bytes::mib(2));
        if options.verify || options.zeal != Zeal::OFF {
            config = config.nursery(Bytes::mib(1));
        }
        if let Some(helpers) = options.helpers {
            config = config.helpers(helpers);
        }
        if options.deterministic { config.deterministic(options.seed) } else { config }
    }
    /// A heap as asked for.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn heap(&self) -> Result<Heap> {
        self.heap_with(|config| config)
    }
    /// A heap as asked for, but for what `change` says.
    ///
    /// # Errors
    /// When the system refuses it, or the change is out of range.
    pub fn heap_with(&self, change: impl FnOnce(HeapConfig) -> HeapConfig) -> Result<Heap> {
        let heap = Heap::new(change(self.config()))?;
        self.heaps.lock().expect("nobody panics with this lock").push(heap.clone());
        Ok(heap)
    }
    /// The heaps that were opened; afterwards none is kept.
    pub fn take_heaps(&self) -> Vec<Heap> {
        std::mem::take(&mut *self.heaps.lock().expect("nobody panics with this lock"))
    }
    /// Whether to come to an end.
    pub fn is_over(&self) -> bool {
        self.stop.load(Relaxed) || (self.enough)() || Instant::now() >= self.until
    }
    /// Tells everybody to come to an end.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }
    /// Chance for part `index`.
    pub fn dice(&self, index: usize) -> Dice {
        Dice::of_part(self.options.seed, index)
    }
    /// Adds a field to the scenario's line of JSON.
    pub fn note(&self, name: &str, value: impl Into<Value>) {
        self.fields.lock().expect("nobody panics with this lock").insert(name.to_owned(), value.into());
    }
    /// What was noted.
    pub fn take_fields(&self) -> Map<String, Value> {
        std::mem::take(&mut *self.fields.lock().expect("nobody panics with this lock"))
    }
    /// The sum over all mutators.
    pub fn sum(&self, count: impl Fn(&Line) -> &AtomicU64) -> u64 {
        self.lines.iter().map(|line| count(line).load(Relaxed)).sum()
    }
}
