//! The world that is checked: loom's atomics and locks under the names that the native world has.
//!
//! Three things are doubles. The deque is a locked queue, for crossbeam's has no loom build: what models check is how it
//! is used. `Atomic<T>` keeps its values in a table on the side and their numbers in a modelled word, so that its orders
//! are as weak as written. Time does not pass: `wait_for` waits, and a model that needs the time-out reports a deadlock.

use super::locks::Mutex;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

pub use loom::cell::UnsafeCell;
pub use loom::hint::spin_loop;
pub use loom::sync::Arc;
pub use loom::sync::atomic::{
    AtomicBool, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub use loom::thread;

/// Padding means nothing to a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    /// `value`, unpadded.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for CachePadded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// What came of trying to steal.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steal<T> {
    /// There was nothing.
    Empty,
    /// One entry.
    Success(T),
    /// Somebody was in the way; the double never says so.
    Retry,
}

impl<T> Steal<T> {
    /// Whether there was nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
    /// Whether an entry came out.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success(_))
    }
    /// Whether it is worth trying again.
    pub fn is_retry(&self) -> bool {
        matches!(self, Self::Retry)
    }
    /// The entry, if one came out.
    pub fn success(self) -> Option<T> {
        match self {
            Self::Success(entry) => Some(entry),
            Self::Empty | Self::Retry => None,
        }
    }
}

/// The owner's end of a deque.
#[derive(Debug)]
pub struct Worker<T> {
    queue: Arc<Mutex<VecDeque<T>>>,
    lifo: bool,
}

/// A thief's end of a deque.
#[derive(Debug)]
pub struct Stealer<T>(Arc<Mutex<VecDeque<T>>>);

impl<T> Worker<T> {
    fn new(lifo: bool) -> Self {
        Self { queue: Arc::new(Mutex::new(VecDeque::new())), lifo }
    }
    /// A deque whose owner pops the newest entry.
    pub fn new_lifo() -> Self {
        Self::new(true)
    }
    /// A deque whose owner pops the oldest entry.
    pub fn new_fifo() -> Self {
        Self::new(false)
    }
    /// An end for thieves.
    pub fn stealer(&self) -> Stealer<T> {
        Stealer(self.queue.clone())
    }
    /// Adds an entry.
    pub fn push(&self, entry: T) {
        self.queue.lock().push_back(entry);
    }
    /// Takes an entry at the owner's end.
    pub fn pop(&self) -> Option<T> {
        let mut queue = self.queue.lock();
        if self.lifo { queue.pop_back() } else { queue.pop_front() }
    }
    /// Whether there is nothing at this moment.
    pub fn is_empty(&self) -> bool {
        self.queue.lock().is_empty()
    }
    /// How many entries there are at this moment.
    pub fn len(&self) -> usize {
        self.queue.lock().len()
    }
}

impl<T> Stealer<T> {
    /// Takes the oldest entry.
    pub fn steal(&self) -> Steal<T> {
        self.0.lock().pop_front().map_or(Steal::Empty, Steal::Success)
    }
    /// Takes about half of the entries into `to` and one of them out again.
    pub fn steal_batch_and_pop(&self, to: &Worker<T>) -> Steal<T> {
        let mut batch: VecDeque<T> = {
            let mut queue = self.0.lock();
            let half = queue.len().div_ceil(2);
            queue.drain(..half).collect()
        };
        let Some(first) = batch.pop_front() else { return Steal::Empty };
        to.queue.lock().extend(batch);
        Steal::Success(first)
    }
    /// Whether there is nothing at this moment.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
    /// How many entries there are at this moment.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl<T> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A typed atomic: a modelled word that holds the number of a value in a table of all values it ever had.
///
/// The table's lock is std's, which a model does not see, so it orders nothing; it is never held across a modelled step.
pub struct Atomic<T> {
    number: AtomicUsize,
    values: std::sync::Mutex<Vec<T>>,
}

impl<T: bytemuck::NoUninit> Atomic<T> {
    /// An atomic that holds `value`.
    pub fn new(value: T) -> Self {
        Self { number: AtomicUsize::new(0), values: std::sync::Mutex::new(vec![value]) }
    }
    fn number_of(&self, value: T) -> usize {
        let mut values = self.values.lock().unwrap_or_else(|poison| poison.into_inner());
        let same = |known: &T| bytemuck::bytes_of(known) == bytemuck::bytes_of(&value);
        values.iter().position(same).unwrap_or_else(|| {
            values.push(value);
            values.len() - 1
        })
    }
    fn value_of(&self, number: usize) -> T {
        self.values.lock().unwrap_or_else(|poison| poison.into_inner())[number]
    }
    /// Reads the value.
    pub fn load(&self, order: Ordering) -> T {
        let number = self.number.load(order);
        self.value_of(number)
    }
    /// Writes the value.
    pub fn store(&self, value: T, order: Ordering) {
        let number = self.number_of(value);
        self.number.store(number, order);
    }
    /// Writes the value and returns the one before.
    pub fn swap(&self, value: T, order: Ordering) -> T {
        let number = self.number_of(value);
        let before = self.number.swap(number, order);
        self.value_of(before)
    }
    /// Writes `new` if the value is `current`; either way returns the value before.
    ///
    /// # Errors
    /// The value found, when it was not `current`.
    pub fn compare_exchange(&self, current: T, new: T, success: Ordering, failure: Ordering) -> Result<T, T> {
        let (from, to) = (self.number_of(current), self.number_of(new));
        match self.number.compare_exchange(from, to, success, failure) {
            Ok(number) => Ok(self.value_of(number)),
            Err(number) => Err(self.value_of(number)),
        }
    }
    /// As [`compare_exchange`](Self::compare_exchange): loom's word never fails for nothing.
    ///
    /// # Errors
    /// The value found, when it was not `current`.
    pub fn compare_exchange_weak(&self, current: T, new: T, success: Ordering, failure: Ordering) -> Result<T, T> {
        self.compare_exchange(current, new, success, failure)
    }
}

impl<T: bytemuck::NoUninit + std::fmt::Debug> std::fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Atomic").finish_non_exhaustive()
    }
}

/// In a model one way of letting others go first is as good as another.
pub fn rest() {
    thread::yield_now();
}
