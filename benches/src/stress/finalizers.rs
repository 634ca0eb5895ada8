//! Storms of deaths that are told: registries hand out what was kept for the dead, and drop glue runs once for each.
//!
//! Nothing is said about when; but nobody is told of one that is held, nobody twice, and after a collection of everything
//! everybody whom nobody holds.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Result, ensure};
use orinoco::{FinalizationRegistry, Gc, Root, Trace};

use super::play::{Part, Plain, Play, Turn};

/// What is registered.
#[derive(Trace)]
struct Mortal<'gc> {
    held: Gc<'gc, Held>,
}

/// What is kept for it: on the heap, so that the registry has to keep it alive.
#[derive(Trace)]
struct Held {
    number: u64,
}

/// Counts the living.
struct Counted(Arc<AtomicUsize>, u64);

const SEAL: u64 = 0x5EA1_0F11_FE5E_A1ED;

impl Drop for Counted {
    fn drop(&mut self) {
        assert_eq!(self.1, SEAL, "what is dropped is not what was made");
        self.1 = 0;
        self.0.fetch_sub(1, Relaxed);
    }
}

#[derive(Trace)]
struct Glued {
    #[trace(skip)]
    counted: Counted,
}

type Registry<'gc> = FinalizationRegistry<Gc<'gc, Held>>;

/// What players of finalizers share: nothing.
///
/// # Errors
/// When the heap is full already.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|m, _| {
        let (registry, living) = (m.root(Registry::new(m)), Arc::default());
        Ok(Box::new(Storm {
            registry,
            mortals: Vec::new(),
            waiting: HashSet::new(),
            glued: Vec::new(),
            living,
            next: 0,
        }))
    }))
}

struct Storm {
    registry: Root<Registry<'static>>,
    mortals: Vec<(u64, Root<Mortal<'static>>)>,
    /// Registered, let go of, and not told yet.
    waiting: HashSet<u64>,
    glued: Vec<Root<Glued>>,
    living: Arc<AtomicUsize>,
    next: u64,
}

impl Storm {
    fn make(&mut self, m: &mut Plain, keep: bool) -> Result<()> {
        let number = self.next;
        self.next += 1;
        let mortal = m.try_alloc(Mortal { held: m.try_alloc(Held { number })? })?;
        self.registry.get(m).register(m, mortal, mortal.held);
        if keep {
            self.mortals.push((number, m.root(mortal)));
        } else {
            self.waiting.insert(number);
        }
        self.living.fetch_add(1, Relaxed);
        let glued = m.try_alloc(Glued { counted: Counted(self.living.clone(), SEAL) })?;
        ensure!(glued.counted.1 == SEAL, "a value with drop glue is not what was made");
        if keep {
            self.glued.push(m.root(glued));
        }
        Ok(())
    }
    fn listen(&mut self, m: &mut Plain) -> Result<()> {
        while let Some(held) = self.registry.get(m).poll(m) {
            let told = self.waiting.remove(&held.number);
            ensure!(told, "the death of {} is told, which is held or was told before", held.number);
        }
        Ok(())
    }
}

impl Play for Storm {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..40 {
            self.make(m, turn.dice.once_in(3))?;
            m.safepoint();
            if self.mortals.len() > 400 {
                let (number, _) = self.mortals.swap_remove(turn.dice.below(400));
                self.waiting.insert(number);
                self.glued.swap_remove(turn.dice.below(self.glued.len()));
            }
            if turn.dice.once_in(8) {
                self.listen(m)?;
            }
        }
        turn.line.checked(80);
        if turn.dice.once_in(60) {
            m.collect();
            self.listen(m)?;
            ensure!(self.waiting.is_empty(), "{} deaths are not told after a whole collection", self.waiting.len());
            ensure!(self.living.load(Relaxed) >= self.glued.len(), "a held value was dropped");
        }
        Ok(())
    }
}
