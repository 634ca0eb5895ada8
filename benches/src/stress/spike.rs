//! A spike: 2 GiB of sessions, of which one in forty stays, and then a program that allocates nothing and calls nothing.
//!
//! The heap has to notice by itself: collect, and give back what is free. With less than 20 seconds to run, or a verifier
//! that makes everything long, the spike is a part of that, and over when the memory has gone back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use orinoco::{Bytes, Cx, Field, Gc, Heap, Root, Trace};

use super::context::Context;
use super::play::Plain;
use super::plot;

/// One object of a session: 128 bytes with its header.
#[derive(Trace)]
struct Piece<'gc> {
    next: Field<'gc, Piece<'gc>>,
    number: u64,
    _content: [u64; 13],
}

/// Pieces of a session: a mebibyte.
const PIECES: usize = 8192;
/// One session of so many stays.
const STAYS: usize = 40;
/// How long the program is quiet.
const QUIET: Duration = Duration::from_secs(10);
/// Between two looks at the resident set.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the scenario.
///
/// # Errors
/// When a session that stayed is not what it was, or the resident set does not fall under twice what stayed.
pub fn run(context: &Context) -> Result<()> {
    let options = &context.options;
    let mib = match options.time < 2 * QUIET {
        _ if options.verify => 40,
        true => 200,
        false => 2048,
    };
    let heap = context.heap_with(|config| config.limit(Bytes::gib(3)))?;
    ensure!(heap.settings().is_tended(), "a heap without helpers, or under zeal or a seed, does not shrink by itself");
    let before = resident(&heap)?;
    // Under 100 MiB for what stayed of 2 GiB; for less, twice what stayed and a nursery; what else is in the process is not
    // the heap's.
    let goal = if mib == 2048 { 100 } else { mib / STAYS * 2 + 16 + before };
    let watch = Watch {
        over: AtomicBool::new(false),
        began: Instant::now(),
        resident: AtomicUsize::new(usize::MAX),
        enough: if mib == 2048 { 0 } else { goal },
    };
    let (curve, dropped_at) = thread::scope(|scope| {
        let watching = scope.spawn(|| watch.curve(&heap));
        let done = heap.enter((), |m| play(m, mib, &watch));
        watch.over.store(true, Relaxed);
        let curve = watching.join().expect("watching does not panic");
        done.map(|dropped_at| (curve, dropped_at))
    })?;
    let peak = curve.iter().map(|(_, rss)| *rss).max().unwrap_or(0);
    let after = curve.last().map_or(0, |(_, rss)| *rss);
    if let Some(folder) = &options.plots {
        plot::draw(&folder.join("spike.svg"), &curve, dropped_at)?;
    }
    let fell = curve.iter().find(|(at, rss)| *at > dropped_at && *rss < goal).map(|(at, _)| *at - dropped_at);
    context.note("rss_before_mib", before);
    context.note("rss_peak_mib", peak);
    context.note("rss_after_mib", after);
    context.note("stays_mib", mib / STAYS);
    context.note("dropped_at_ms", dropped_at);
    context.note("fell_after_ms", fell);
    context.note("rss_curve_ms_mib", curve.iter().step_by(4).map(|(at, rss)| vec![*at, *rss]).collect::<Vec<_>>());
    ensure!(peak > mib * 9 / 10, "the spike was {peak} MiB only");
    ensure!(after < goal, "{after} MiB are resident ten seconds after all but {} MiB were let go", mib / STAYS);
    Ok(())
}

/// Grows, lets go, and is quiet; says when it let go, in milliseconds.
fn play(m: &mut Plain, mib: usize, watch: &Watch) -> Result<usize> {
    let mut sessions = Vec::with_capacity(mib);
    for number in 0..mib {
        sessions.push(session(m, number as u64)?);
    }
    let mut number = 0;
    sessions.retain(|_| {
        number += 1;
        (number - 1) % STAYS == 0
    });
    let dropped_at = watch.now();
    m.park(|| {
        while watch.now() < dropped_at + QUIET.as_millis() as usize && watch.resident.load(Relaxed) >= watch.enough {
            thread::sleep(LOOK);
        }
    });
    for (at, session) in sessions.iter().enumerate() {
        let pieces = std::iter::successors(Some(session.get(m)), |piece| piece.next.get());
        let sound = pieces.map(|piece| piece.number).filter(|number| *number == (at * STAYS) as u64).count();
        ensure!(sound == PIECES, "session {} has {sound} of its {PIECES} pieces", at * STAYS);
    }
    Ok(dropped_at)
}

fn session(m: &mut Plain, number: u64) -> Result<Root<Piece<'static>>> {
    let root = m.root(piece(m, None, number)?);
    for made in 1..PIECES {
        root.set(m, piece(m, Some(root.get(m)), number)?);
        if made % 256 == 0 {
            m.safepoint();
        }
    }
    Ok(root)
}

fn piece<'gc>(cx: &'gc Cx, next: Option<Gc<'gc, Piece<'gc>>>, number: u64) -> Result<Gc<'gc, Piece<'gc>>> {
    Ok(cx.try_alloc(Piece { next: Field::new(next), number, _content: [number; 13] })?)
}

/// The resident set over time.
struct Watch {
    over: AtomicBool,
    began: Instant,
    /// What was resident at the last look.
    resident: AtomicUsize,
    /// Under this the program need not be quiet any longer.
    enough: usize,
}

impl Watch {
    fn now(&self) -> usize {
        self.began.elapsed().as_millis() as usize
    }
    /// Milliseconds and MiB, until it is over, and once more.
    fn curve(&self, heap: &Heap) -> Vec<(usize, usize)> {
        let mut curve = Vec::new();
        loop {
            let over = self.over.load(Relaxed);
            if let Ok(rss) = resident(heap) {
                self.resident.store(rss, Relaxed);
                curve.push((self.now(), rss));
            }
            if over {
                return curve;
            }
            thread::sleep(LOOK);
        }
    }
}

fn resident(heap: &Heap) -> Result<usize> {
    let rss = heap.memory_usage().rss.context("this system does not tell the resident set")?;
    Ok(rss.get() >> 20)
}
