//! Objects of many sizes, nine tenths of which die in the worst places; then larger ones; ten rounds, with and without compaction.
//!
//! ```text
//!   round:  fill 32 MiB, sizes of all classes, larger each time ─▶ nine of ten die, in the round's pattern
//!           ─▶ three marking cycles and whatever they have emptied, beside a program that goes on ─▶ footprint : live
//! ```
//!
//! What survives of the last three rounds is kept, so each round's objects look for room among the ruins of those before.
//! The same seed does the same without compaction, and its footprint stands beside the other. A heap that verifies itself or
//! collects at every safepoint does a part of that, and is not measured.

use anyhow::{Context as _, Result, ensure};
use orinoco::{
    Bytes, CollectionReport, Compaction, Cx, Event, Field, Gc, Heap, Mutator, Observer, Root, Slot, Trace, Zeal,
};
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::context::Context;
use super::dice::Dice;

const ROUNDS: usize = 10;
/// Bytes of a round's objects.
const FILL: usize = 32 << 20;
/// Rounds whose survivors are kept.
const KEPT: usize = 3;
/// What the footprint may be, in hundredths of what lives.
const MOST: usize = 150;

#[derive(Trace)]
struct Block<'gc> {
    /// A survivor of the same round, so that blocks refer to blocks.
    peer: Field<'gc, Block<'gc>>,
    words: Gc<'gc, [u64]>,
}

type Table<'gc> = [Slot<Option<Gc<'gc, Block<'gc>>>>];

/// The collector's pauses, by what their leader spent on its processor.
#[derive(Default)]
struct Pauses(Mutex<Vec<CollectionReport>>);

impl Observer for Pauses {
    fn event(&self, event: &Event) {
        if let Event::Pause(report) = event {
            self.0.lock().expect("nobody panics with this lock").push(*report);
        }
    }
}

/// Which objects die.
#[derive(Clone, Copy, Debug)]
enum Pattern {
    /// All but each tenth.
    Comb,
    /// Nine of ten, by chance.
    Chance,
    /// Whole stretches, with survivors together.
    Stretches,
    /// The small ones; what survives is scattered large ones.
    Small,
    /// All but one of each few regions' worth: every region is held by a little.
    Pins,
}

impl Pattern {
    const ALL: [Self; 5] = [Self::Comb, Self::Chance, Self::Stretches, Self::Small, Self::Pins];
    fn survives(self, i: usize, bytes: usize, dice: &mut Dice) -> bool {
        match self {
            Self::Comb => i.is_multiple_of(10),
            Self::Chance => dice.below(10) == 0,
            Self::Stretches => (i / 100).is_multiple_of(10),
            Self::Small => bytes > 4096 && dice.below(6) == 0,
            Self::Pins => i.is_multiple_of(24),
        }
    }
}

/// What one torture left.
struct Outcome {
    /// Hundredths of the footprint to what lives, the worst of all rounds.
    worst: usize,
    footprint: Bytes,
    live: Bytes,
    longest: Duration,
    longest_compaction: Duration,
}

pub fn run(context: &Context) -> Result<()> {
    let options = &context.options;
    let measured = !(options.verify || options.zeal != Zeal::OFF || options.deterministic || cfg!(debug_assertions));
    let bytes = match options.zeal == Zeal::OFF {
        true if measured => FILL,
        true => FILL / 16,
        false => FILL / 256,
    };
    let on = torture(context, Compaction::WhenFragmented, bytes, "")?;
    let off = torture(context, Compaction::Off, bytes, "_without")?;
    context
        .note("footprint_without_compaction_is_worse_by", (off.worst as f64 / on.worst as f64 * 100.0).round() / 100.0);
    if !measured {
        return Ok(());
    }
    ensure!(
        on.worst <= MOST,
        "the footprint was {} with {} alive: {} % after compaction",
        on.footprint,
        on.live,
        on.worst
    );
    ensure!(on.longest < Duration::from_millis(10), "a pause took {:?} of its leader's processor", on.longest);
    Ok(())
}

fn torture(context: &Context, compaction: Compaction, bytes: usize, suffix: &str) -> Result<Outcome> {
    let pauses = Arc::new(Pauses::default());
    let heap = context.heap_with(|config| {
        config.compaction(compaction).observer(pauses.clone()).nursery(Bytes::mib(1)).limit(Bytes::mib(512))
    })?;
    let mut dice = context.dice(0);
    let mut outcome = Outcome {
        worst: 0,
        footprint: Bytes::new(0),
        live: Bytes::new(0),
        longest: Duration::ZERO,
        longest_compaction: Duration::ZERO,
    };
    let mut ratios = Vec::new();
    heap.enter((), |m| {
        let mut kept: VecDeque<(Root<Table<'static>>, usize)> = VecDeque::new();
        for round in 0..ROUNDS {
            let pattern = Pattern::ALL[round % Pattern::ALL.len()];
            kept.push_back(fill(m, bytes, round, pattern, &mut dice)?);
            if kept.len() > KEPT {
                kept.pop_front();
            }
            settle(&heap, m, context)?;
            let live: usize = kept.iter().map(|(_, bytes)| bytes).sum();
            let footprint = heap.statistics().committed;
            let ratio = footprint.get() * 100 / live;
            ratios.push(ratio);
            if ratio > outcome.worst {
                (outcome.worst, outcome.footprint, outcome.live) = (ratio, footprint, Bytes::new(live));
            }
            for (table, _) in &kept {
                check(m, table.get(m))?;
            }
            context.lines[0].checked(kept.len());
        }
        anyhow::Ok(())
    })?;
    let s = heap.statistics();
    for report in pauses.0.lock().expect("nobody panics with this lock").iter() {
        outcome.longest = outcome.longest.max(report.cpu);
        if report.kind == orinoco::CollectionKind::Compact {
            outcome.longest_compaction = outcome.longest_compaction.max(report.cpu);
        }
    }
    let note = |name: &str, value: serde_json::Value| context.note(&format!("{name}{suffix}"), value);
    note("footprint_percent_of_live", ratios.into());
    note("footprint_mib", (outcome.footprint.get() >> 20).into());
    note("live_mib", (outcome.live.get() >> 20).into());
    note("compactions", s.compactions.into());
    note("regions_emptied", s.regions_emptied.into());
    note("longest_pause_cpu_ms", millis(outcome.longest).into());
    note("longest_compaction_cpu_ms", millis(outcome.longest_compaction).into());
    Ok(outcome)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Fills a table with blocks and lets nine of ten go; what is left, and its bytes.
fn fill(
    m: &mut Mutator<()>,
    most: usize,
    round: usize,
    pattern: Pattern,
    dice: &mut Dice,
) -> Result<(Root<Table<'static>>, usize)> {
    // From 16 bytes to 8 KiB, and half as large again in each round.
    let words = |dice: &mut Dice| {
        let class = 1usize << dice.below(10);
        ((2 * class + dice.below(class)) * (round + 2) / 2).min(8 << 10)
    };
    let mut sizes = Vec::new();
    let mut bytes = 0;
    while bytes < most {
        let n = words(dice);
        sizes.push(n);
        bytes += block_bytes(n);
    }
    let table = {
        let cx: &Cx = m;
        let empty: Gc<'_, Table<'_>> = cx.try_alloc_slice(sizes.len(), |_| Slot::new(None)).context("a table")?;
        cx.root(empty)
    };
    for (i, n) in sizes.iter().enumerate() {
        {
            let cx: &Cx = m;
            let words = cx.try_alloc_slice(*n, |w| seal(i, w)).context("words")?;
            let block = cx.try_alloc(Block { peer: Field::null(), words }).context("a block")?;
            table.get(cx)[i].set(cx, Some(block));
        }
        m.safepoint();
    }
    // All of them grow old before nine of ten die.
    (0..3).for_each(|_| m.collect_young());
    let cx: &Cx = m;
    let blocks: Gc<'_, Table<'_>> = table.get(cx);
    let mut live = 24 + 8 * sizes.len();
    let mut last = None;
    for (i, n) in sizes.iter().enumerate() {
        if pattern.survives(i, 8 * n, dice) {
            live += block_bytes(*n);
            let block = blocks[i].get().context("a block was lost")?;
            block.peer.set(cx, last);
            last = Some(block);
        } else {
            blocks[i].set(cx, None);
        }
    }
    Ok((table, live))
}

/// A block's two objects with their headers.
fn block_bytes(words: usize) -> usize {
    24 + 16 + 8 * words
}

fn seal(block: usize, word: usize) -> u64 {
    (block as u64) << 32 | word as u64
}

/// Three marking cycles: the first may have begun before anything died, the second learns what has, and what the third has
/// chosen is emptied; meanwhile the program goes on.
fn settle(heap: &Heap, m: &mut Mutator<()>, context: &Context) -> Result<()> {
    // Zeal, or a seed, decides about stops, and lets candidates wait.
    let waits = context.options.zeal == Zeal::OFF && !context.options.deterministic;
    for _ in 0..3 {
        let ended = heap.statistics().full_collections;
        let mut refills = 0;
        loop {
            let s = heap.statistics();
            // Once more if it was too early: while regions of the last cycle were waiting to be swept, none begins.
            if s.full_collections == ended && refills % 1000 == 0 {
                m.begin_collection();
            }
            if s.full_collections > ended && (!waits || s.candidates == 0 && s.regions_unswept == 0) {
                break;
            }
            refills += 1;
            ensure!(refills < 100_000, "a cycle does not end: {s:?}");
            (0..100).try_for_each(|_| m.try_alloc([0u64; 15]).map(drop)).context("litter")?;
            m.safepoint();
            context.lines[0].turns.fetch_add(1, Relaxed);
        }
    }
    Ok(())
}

fn check(cx: &Cx, table: Gc<'_, Table<'_>>) -> Result<()> {
    let mut last: Option<Gc<'_, Block<'_>>> = None;
    for (i, slot) in table.iter().enumerate() {
        let Some(block) = slot.get() else { continue };
        ensure!(block.words.iter().enumerate().all(|(w, word)| *word == seal(i, w)), "block {i} is not what it was");
        let same = match (block.peer.get(), last) {
            (Some(a), Some(b)) => Gc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        ensure!(same, "block {i} refers to another");
        last = Some(block);
    }
    let _ = cx;
    Ok(())
}
