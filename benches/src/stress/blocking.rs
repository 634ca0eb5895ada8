//! Blocking sections: a mutator that waits, sleeps, or runs another heap meanwhile holds up nobody.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use orinoco::{Bytes, Gc, Heap, HeapConfig, Root, Trace};

use super::play::{Part, Plain, Play, Turn};

#[derive(Trace)]
struct Box<'gc> {
    content: Gc<'gc, [u64]>,
    number: u64,
}

/// What players of blocking sections share: a lock of the system's that they block on, and another heap.
///
/// # Errors
/// When the system refuses the other heap.
pub fn open(_: &mut Plain) -> Result<Part> {
    let other = Heap::new(HeapConfig::new().limit(Bytes::mib(16)).nursery(Bytes::kib(256)).helpers(0))?;
    let turnstile = Arc::new(Mutex::new(()));
    Ok(std::boxed::Box::new(move |_, _| {
        Ok(std::boxed::Box::new(Blocking {
            held: Vec::new(),
            other: other.clone(),
            turnstile: turnstile.clone(),
            next: 0,
        }))
    }))
}

struct Blocking {
    held: Vec<(Root<Box<'static>>, u64)>,
    other: Heap,
    turnstile: Arc<Mutex<()>>,
    next: u64,
}

impl Play for Blocking {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..10 {
            let number = self.next;
            self.next += 1;
            let content = m.try_alloc_slice(8, |at| at as u64 ^ number)?;
            self.held.push((m.root(m.try_alloc(Box { content, number })?), number));
            match turn.dice.below(6) {
                0 => m.park(|| thread::sleep(Duration::from_micros(200))),
                1 => m.park(thread::yield_now),
                2 => {
                    let turnstile = self.turnstile.clone();
                    let guard = m.park(|| turnstile.lock().unwrap_or_else(PoisonError::into_inner));
                    m.safepoint();
                    drop(guard);
                }
                3 => {
                    let sum = m.park(|| elsewhere(&self.other, number));
                    ensure!(sum == Some(number * 10), "another heap, run in a parked section, came to {sum:?}");
                }
                _ => m.safepoint(),
            }
            for (held, number) in &self.held {
                let held = held.get(m);
                let sound = held.content.iter().enumerate().all(|(at, word)| *word == at as u64 ^ number);
                ensure!(held.number == *number && sound, "what was held over a parked section has changed");
            }
            turn.line.checked(self.held.len());
            if self.held.len() > 20 {
                self.held.swap_remove(turn.dice.below(20));
            }
        }
        Ok(())
    }
}

/// Ten objects of another heap, collected there, and their sum; nothing if that heap is full.
fn elsewhere(other: &Heap, number: u64) -> Option<u64> {
    other.enter((), |m| {
        let roots =
            (0..10).map(|_| m.try_alloc([number; 4]).map(|object| m.root(object)).ok()).collect::<Option<Vec<_>>>()?;
        m.collect_young();
        Some(roots.iter().map(|root| root.get(m)[3]).sum())
    })
}
