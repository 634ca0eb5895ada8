//! A bounded queue between threads: messages are born on one, live in an old queue for a while, and die on another.
//!
//! Each message says who sent it and which of its messages it is. What one player takes from one sender comes in order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Result, ensure};
use orinoco::{Gc, Lock, Root, Trace};

use super::play::{Part, Plain, Play, Turn};

/// Messages that the queue holds at most.
const ROOM: usize = 2000;

#[derive(Trace)]
struct Message<'gc> {
    sender: u64,
    number: u64,
    body: Gc<'gc, [u64]>,
}

#[derive(Trace, Default)]
struct Queue<'gc> {
    messages: Lock<VecDeque<Gc<'gc, Message<'gc>>>>,
}

/// What players of queues share: the queue.
///
/// # Errors
/// When the heap is full already.
pub fn open(m: &mut Plain) -> Result<Part> {
    let queue = Arc::new(m.root(m.try_alloc(Queue::default())?));
    let senders = AtomicU64::new(0);
    Ok(Box::new(move |_, _| {
        let sender = senders.fetch_add(1, Relaxed);
        Ok(Box::new(Player { queue: queue.clone(), sender, sent: 0, taken: HashMap::new() }))
    }))
}

struct Player {
    queue: Arc<Root<Queue<'static>>>,
    sender: u64,
    sent: u64,
    /// The last message from each sender.
    taken: HashMap<u64, u64>,
}

impl Player {
    fn send(&mut self, m: &mut Plain, words: usize) -> Result<()> {
        let (sender, number) = (self.sender, self.sent + 1);
        let body = m.try_alloc_slice(words, |at| at as u64 ^ number)?;
        let message = m.try_alloc(Message { sender, number, body })?;
        let queue = self.queue.get(m);
        let mut messages = queue.messages.lock(m);
        if messages.len() < ROOM {
            messages.push_back(message);
            self.sent = number;
        }
        Ok(())
    }
    fn take(&mut self, m: &mut Plain) -> Result<()> {
        let Some(message) = self.queue.get(m).messages.lock(m).pop_front() else { return Ok(()) };
        let (sender, number) = (message.sender, message.number);
        let before = self.taken.insert(sender, number).unwrap_or(0);
        ensure!(number > before, "message {number} of sender {sender} came after its message {before}");
        let sound = message.body.iter().enumerate().all(|(at, word)| *word == at as u64 ^ number);
        ensure!(sound, "the body of message {number} of sender {sender} is not what was sent");
        Ok(())
    }
}

impl Play for Player {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..16 {
            for _ in 0..turn.dice.below(12) {
                self.send(m, turn.dice.below(40))?;
            }
            m.safepoint();
            for _ in 0..turn.dice.below(12) {
                self.take(m)?;
            }
            m.safepoint();
        }
        turn.line.checked(16 * 6);
        Ok(())
    }
}
