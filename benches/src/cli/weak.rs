//! `orinoco weak`: a million weak references, ephemerons or registrations, and what each of them costs a collection.
//!
//! The same work is in `benches/peers/weak.js` and `benches/peers/Weak.java`: so many targets, held by one array; a weak thing
//! for each; then collections in which all live, and one in which every other target has died.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use orinoco::{
    Bytes, CollectionKind, CollectionReport, Cx, Event, FinalizationRegistry, Gc, Heap, HeapConfig, Mutator, Observer,
    Root, Slot, Trace, WeakCell, WeakMap,
};

use crate::workloads::gaps::process_cpu;

/// What to make so many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Weak references in an array
    Cells,
    /// Entries of one table
    Ephemerons,
    /// Records of one registry
    Registrations,
}

/// How many, and of what.
#[derive(Args, Debug)]
pub struct WeakArgs {
    /// How many targets, with a weak thing for each
    #[arg(default_value_t = 1_000_000)]
    count: usize,
    /// Only this part
    #[arg(long, value_enum)]
    part: Option<Part>,
    /// Collections of each kind, of which the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Threads that help in collections
    #[arg(long, default_value_t = 1)]
    helpers: usize,
}

#[derive(Trace)]
struct Target<'gc> {
    number: u64,
    #[allow(dead_code, reason = "a target is as large as a small object of a program")]
    next: Option<Gc<'gc, Target<'gc>>>,
}

type Targets<'gc> = [Slot<Option<Gc<'gc, Target<'gc>>>>];
type Cells<'gc> = [Slot<Option<Gc<'gc, WeakCell<Target<'gc>>>>>];

/// One kind of weak thing, once it is made.
enum Weaks {
    Nothing,
    Cells(Root<Cells<'static>>),
    Map(Root<WeakMap<Target<'static>, u64>>),
    Registry(Root<FinalizationRegistry<u64>>),
}

/// Keeps the reports of collections.
#[derive(Default)]
struct Reports(Mutex<Vec<CollectionReport>>);

impl Observer for Reports {
    fn event(&self, _: &Event) {}
    fn after(&self, report: &CollectionReport) {
        self.0.lock().expect("nobody panics with it").push(*report);
    }
}

impl Reports {
    fn take(&self) -> Vec<CollectionReport> {
        std::mem::take(&mut self.0.lock().expect("nobody panics with it"))
    }
}

/// What was measured of one part, or of targets without any.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    make: Duration,
    look: Duration,
    /// Of a whole collection: all its time on cores.
    full: Duration,
    /// The same where every other target has died.
    dying: Duration,
    /// Of a young collection, with everything old.
    young: Duration,
    /// Of concurrent cycles beside a program that churns.
    beside: Beside,
}

/// What a program felt of concurrent cycles.
#[derive(Clone, Copy, Debug, Default)]
struct Beside {
    /// Of the stops that end marking, and clear: the longest, of its leader's time on a core.
    longest: Duration,
    /// Of all those of one cycle.
    ending: Duration,
    /// Of a hundred parts of the program's time, what all stops took.
    share: f64,
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Time on cores, of all threads, that `f` took.
fn spent(f: impl FnOnce()) -> Duration {
    let began = process_cpu();
    f();
    Duration::from_nanos(process_cpu() - began)
}

/// The median of what so many repetitions take.
fn repeated(rounds: usize, mut f: impl FnMut()) -> Duration {
    median((0..rounds).map(|_| spent(&mut f)).collect())
}

fn targets(cx: &Cx, count: usize) -> Root<Targets<'static>> {
    let array: Gc<'_, Targets<'_>> = cx.alloc_slice(count, |_| Slot::new(None));
    cx.root(array)
}

/// Fills the array, a window at a time, so that collections may come between.
fn in_windows(m: &mut Mutator<()>, count: usize, mut f: impl FnMut(&Cx, usize)) {
    for from in (0..count).step_by(1024) {
        (from..(from + 1024).min(count)).for_each(|i| f(m, i));
        m.safepoint();
    }
}

fn make(m: &mut Mutator<()>, part: Option<Part>, array: &Root<Targets<'static>>, count: usize) -> Weaks {
    let target = |cx: &Cx, i: usize| array.get(cx)[i].get().expect("it was just put there").number;
    match part {
        None => Weaks::Nothing,
        Some(Part::Cells) => {
            let cells: Root<Cells<'static>> = {
                let cells: Gc<'_, Cells<'_>> = m.alloc_slice(count, |_| Slot::new(None));
                m.root(cells)
            };
            in_windows(m, count, |cx, i| {
                let target = array.get(cx)[i].get().expect("it was put there");
                cells.get(cx)[i].set(cx, Some(cx.weak(target)));
            });
            Weaks::Cells(cells)
        }
        Some(Part::Ephemerons) => {
            let map = {
                let map = WeakMap::<Target<'_>, u64>::new(m);
                m.root(map)
            };
            in_windows(m, count, |cx, i| {
                let key = array.get(cx)[i].get().expect("it was put there");
                map.get(cx).insert(cx, key, target(cx, i));
            });
            Weaks::Map(map)
        }
        Some(Part::Registrations) => {
            let registry = {
                let registry = FinalizationRegistry::<u64>::new(m);
                m.root(registry)
            };
            in_windows(m, count, |cx, i| {
                let watched = array.get(cx)[i].get().expect("it was put there");
                registry.get(cx).register_with(cx, watched, i as u64, watched);
            });
            Weaks::Registry(registry)
        }
    }
}

/// Looks at every weak thing once; how many were there.
fn look(m: &mut Mutator<()>, weaks: &Weaks, array: &Root<Targets<'static>>, count: usize) -> usize {
    let mut found = 0;
    in_windows(m, count, |cx, i| {
        found += match weaks {
            Weaks::Nothing => 1,
            Weaks::Cells(cells) => usize::from(cells.get(cx)[i].get().is_some_and(|cell| cell.peek(cx).is_some())),
            Weaks::Map(map) => {
                let key = array.get(cx)[i].get().expect("it lives");
                usize::from(map.get(cx).get(cx, key).is_some())
            }
            Weaks::Registry(registry) => usize::from(registry.get(cx).poll(cx).is_none()),
        };
    });
    found
}

fn measure(args: &WeakArgs, part: Option<Part>) -> Result<Figures> {
    let count = args.count;
    let config = HeapConfig::new().limit(Bytes::mib(4096)).helpers(args.helpers).initial_old(Bytes::mib(1024));
    let heap = Heap::new(config)?;
    let mut figures = Figures::default();
    let left = heap.enter((), |m| {
        let array = targets(m, count);
        in_windows(m, count, |cx, i| array.get(cx)[i].set(cx, Some(cx.alloc(Target { number: i as u64, next: None }))));
        (0..3).for_each(|_| m.collect_young());
        let mut weaks = Weaks::Nothing;
        figures.make = spent(|| weaks = make(m, part, &array, count));
        (0..3).for_each(|_| m.collect_young());
        figures.look = spent(|| assert_eq!(look(m, &weaks, &array, count), count, "everything lives"));
        figures.full = repeated(args.rounds, || m.collect());
        figures.young = repeated(args.rounds, || m.collect_young());
        in_windows(m, count, |cx, i| {
            if i % 2 == 1 {
                array.get(cx)[i].set(cx, None);
            }
        });
        (0..2).for_each(|_| m.collect_young());
        figures.dying = spent(|| m.collect());
        match &weaks {
            Weaks::Nothing => count / 2,
            Weaks::Cells(cells) => {
                (0..count).filter(|i| cells.get(m)[*i].get().is_some_and(|cell| cell.peek(m).is_some())).count()
            }
            Weaks::Map(map) => map.get(m).len(m),
            Weaks::Registry(registry) => count - std::iter::from_fn(|| registry.get(m).poll(m)).count(),
        }
    });
    ensure!(left == count.div_ceil(2) || part.is_none(), "{left} of {count} are left where every other one died");
    figures.beside = concurrent(args, part)?;
    Ok(figures)
}

/// Cycles beside the program.
const CYCLES: u64 = 3;

/// The stops that end concurrent cycles, while a program churns and all targets live.
fn concurrent(args: &WeakArgs, part: Option<Part>) -> Result<Beside> {
    let reports = Arc::new(Reports::default());
    let config = HeapConfig::new()
        .limit(Bytes::mib(4096))
        .helpers(args.helpers)
        .initial_old(Bytes::mib(64))
        .observer(reports.clone());
    let heap = Heap::new(config)?;
    let took = heap.enter((), |m| {
        let array = targets(m, args.count);
        in_windows(m, args.count, |cx, i| {
            array.get(cx)[i].set(cx, Some(cx.alloc(Target { number: i as u64, next: None })));
        });
        let weaks = make(m, part, &array, args.count);
        m.collect();
        reports.take();
        let began = process_cpu();
        let cycles = heap.statistics().full_collections + CYCLES;
        let mut kept = Vec::new();
        while heap.statistics().full_collections < cycles {
            let lists: Gc<'_, [u64]> = m.alloc_slice(1000, |i| i as u64);
            if kept.len() < 20_000 {
                kept.push(m.root(lists));
            } else {
                kept.clear();
            }
            m.safepoint();
        }
        drop((weaks, array));
        process_cpu() - began
    });
    let reports = reports.take();
    let ending = || reports.iter().filter(|report| report.kind == CollectionKind::MarkFinish).map(|report| report.cpu);
    let stopped: Duration = reports.iter().map(|report| report.cpu).sum();
    Ok(Beside {
        longest: ending().max().unwrap_or_default(),
        ending: ending().sum::<Duration>() / CYCLES as u32,
        share: stopped.as_nanos() as f64 * 100.0 / took as f64,
    })
}

/// Measures, and prints a table.
///
/// # Errors
/// When no heap can be made, or a collection cleared what it should not have, or not what it should.
pub fn run(args: WeakArgs) -> Result<ExitCode> {
    ensure!(args.count >= 2 && args.rounds >= 1, "at least two targets and one round");
    let parts = match args.part {
        Some(part) => vec![part],
        None => vec![Part::Cells, Part::Ephemerons, Part::Registrations],
    };
    let per = |time: Duration| time.as_nanos() as f64 / args.count as f64;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let bare = measure(&args, None)?;
    let mut out = format!(
        "orinoco: {} targets, {} helpers; collections in milliseconds, all of processor time\n",
        args.count, args.helpers
    );
    out += "part            make ns  look ns      full     dying     young    ending   longest  stopped  full, more than bare: ns each\n";
    let mut row = |name: &str, f: Figures| {
        let _ = writeln!(
            out,
            "{name:<14} {:>8.1} {:>8.1} {:>9.1} {:>9.1} {:>9.2} {:>9.2} {:>9.2} {:>7.1}% {:>14.1}",
            per(f.make),
            per(f.look),
            ms(f.full),
            ms(f.dying),
            ms(f.young),
            ms(f.beside.ending),
            ms(f.beside.longest),
            f.beside.share,
            per(f.full.saturating_sub(bare.full)),
        );
    };
    row("(targets)", bare);
    for part in parts {
        let figures = measure(&args, Some(part))?;
        row(&format!("{part:?}").to_lowercase(), figures);
    }
    super::print(out.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
