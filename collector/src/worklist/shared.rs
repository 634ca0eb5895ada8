//! The worklist: segments that anyone may take, and each worker's own two that nobody else sees.
//!
//! ```text
//!                 push ▶ ┌──────┐ full                    ┌──────────┐
//!   one worker           │ hot  │ ───▶ publish ─────────▶ │ Worklist │   a stack of segments under a lock
//!                  pop ◀ ├──────┤                         └──────────┘
//!                        │ cold │ ◀─── steal, when both are dry ──┘
//!                        └──────┘
//! ```
//!
//! W1  An entry is in exactly one segment, and a segment in one worker's hands or in the shared stack.
//! W2  An entry leaves by `pop` and in no other way: a view that is dropped publishes what it holds.
//! W3  `waiting` is the length of the shared stack, written under its lock; read without, it is a hint.
//!
//! A worker's hint is never behind its own push (one word, one history), so a worker that pushed and then finds the
//! list empty knows that somebody took the entry: that is what [`Termination`](super::termination) leans on.
//! The lock is taken once in [`CAPACITY`](super::segment::CAPACITY) entries.

use crate::planted::bug;
use crate::sync::Ordering::Relaxed;
use crate::sync::{AtomicUsize, CachePadded, Mutex, MutexGuard};
use crate::worklist::segment::Segment;

/// Work that any worker may take.
#[derive(Debug)]
pub struct Worklist<T> {
    stack: Mutex<Stack<T>>,
    /// How many segments wait in `stack` (W3). On a line of its own: idle workers look at it all the time.
    waiting: CachePadded<AtomicUsize>,
}

#[derive(Debug)]
struct Stack<T> {
    /// Segments with entries.
    waiting: Vec<Segment<T>>,
    /// Segments without, kept for their memory.
    spare: Vec<Segment<T>>,
}

/// Spare segments that a worklist keeps; what a burst of work left beyond that is freed.
const SPARES: usize = 64;

impl<T> Default for Worklist<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Worklist<T> {
    /// A list without work.
    pub fn new() -> Self {
        Self {
            stack: Mutex::new(Stack { waiting: Vec::new(), spare: Vec::new() }),
            waiting: CachePadded::new(AtomicUsize::new(0)),
        }
    }
    /// Whether there was nothing to take a moment ago.
    #[inline]
    pub fn is_empty_hint(&self) -> bool {
        self.len_hint() == 0
    }
    /// How many segments there were to take a moment ago.
    #[inline]
    pub fn len_hint(&self) -> usize {
        self.waiting.load(Relaxed)
    }
    /// Puts a segment where anyone may take it.
    pub fn publish(&self, segment: Segment<T>) {
        self.exchange(&mut { segment });
    }
    /// Takes a segment, if there is one.
    pub fn steal(&self) -> Option<Segment<T>> {
        if self.is_empty_hint() {
            return None;
        }
        let mut stack = self.stack.lock();
        let segment = stack.waiting.pop();
        self.unlock(stack);
        segment
    }

    /// Gives back the lock, and the length with it (W3).
    fn unlock(&self, stack: MutexGuard<'_, Stack<T>>) {
        let waiting = stack.waiting.len();
        if bug::worklist_hint_outside_the_lock() {
            drop(stack);
            self.waiting.store(waiting, Relaxed);
            return;
        }
        // Relaxed: it is a hint; under the lock, so that it ends as the length does.
        // Guarded by `worklist::every_entry_is_taken_once`.
        self.waiting.store(waiting, Relaxed);
    }
    /// Publishes `segment` and leaves an empty one, with memory if there is a spare.
    fn exchange(&self, segment: &mut Segment<T>) {
        if segment.is_empty() {
            return;
        }
        let mut stack = self.stack.lock();
        let empty = stack.spare.pop().unwrap_or_default();
        stack.waiting.push(std::mem::replace(segment, empty));
        self.unlock(stack);
    }
    /// Replaces `empty` by a segment with work, and keeps it as a spare; false if there is no work.
    fn refill(&self, empty: &mut Segment<T>) -> bool {
        debug_assert!(empty.is_empty(), "a segment with work is not given up");
        if self.is_empty_hint() {
            return false;
        }
        let mut stack = self.stack.lock();
        let Some(segment) = stack.waiting.pop() else { return false };
        let spare = std::mem::replace(empty, segment);
        if stack.spare.len() < SPARES {
            stack.spare.push(spare);
        }
        self.unlock(stack);
        true
    }
}

/// The two segments of one worker, for one who cannot keep a reference to the list beside them.
///
/// Whoever drops it publishes first: it has no list to publish to.
#[derive(Debug)]
pub struct Local<T> {
    hot: Segment<T>,
    cold: Segment<T>,
}

impl<T> Default for Local<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Local<T> {
    /// No work.
    pub const fn new() -> Self {
        Self { hot: Segment::new(), cold: Segment::new() }
    }
    /// Whether nothing is held here.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.hot.is_empty() && self.cold.is_empty()
    }
    /// How many entries are held here.
    #[inline]
    pub const fn len(&self) -> usize {
        self.hot.len() + self.cold.len()
    }
    /// Adds an entry; a full pair of segments gives one away to `list`.
    #[inline]
    pub fn push(&mut self, list: &Worklist<T>, entry: T) {
        if self.hot.is_full() {
            self.push_slow(list);
        }
        self.hot.push(entry);
    }
    #[cold]
    fn push_slow(&mut self, list: &Worklist<T>) {
        // The older one is given away: its entries are the roots of larger parts, and the newer are in the cache.
        std::mem::swap(&mut self.hot, &mut self.cold);
        list.exchange(&mut self.hot);
    }
    /// Takes an entry held here.
    #[inline]
    pub fn pop_local(&mut self) -> Option<T> {
        self.hot.pop().or_else(|| self.pop_cold())
    }
    #[cold]
    fn pop_cold(&mut self) -> Option<T> {
        std::mem::swap(&mut self.hot, &mut self.cold);
        self.hot.pop()
    }
    /// Takes an entry held here, or else a segment from `list`.
    #[inline]
    pub fn pop(&mut self, list: &Worklist<T>) -> Option<T> {
        self.pop_local().or_else(|| if list.refill(&mut self.hot) { self.hot.pop() } else { None })
    }
    /// Makes everything held here visible.
    pub fn publish(&mut self, list: &Worklist<T>) {
        list.exchange(&mut self.cold);
        if bug::publish_forgets_the_hot_segment() {
            return;
        }
        list.exchange(&mut self.hot);
    }
    /// Gives part of the work away if nobody else could take any: the older segment, or half of the only one.
    #[inline]
    pub fn share_if_hungry(&mut self, list: &Worklist<T>) {
        if list.is_empty_hint() && self.len() > 1 {
            self.share(list);
        }
    }
    #[cold]
    fn share(&mut self, list: &Worklist<T>) {
        if self.cold.is_empty() {
            list.publish(self.hot.split());
        } else if self.hot.is_empty() {
            list.publish(self.cold.split());
        } else {
            list.exchange(&mut self.cold);
        }
    }
    /// Forgets everything held here.
    pub fn clear(&mut self) {
        self.hot.clear();
        self.cold.clear();
    }
}

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        debug_assert!(self.is_empty() || std::thread::panicking(), "work is published before its holder goes");
    }
}

/// What one worker sees of a worklist: the shared part, and two segments of its own.
#[derive(Debug)]
pub struct View<'a, T> {
    list: &'a Worklist<T>,
    local: Local<T>,
}

impl<'a, T> View<'a, T> {
    /// A view that holds nothing.
    pub const fn new(list: &'a Worklist<T>) -> Self {
        Self { list, local: Local::new() }
    }
    /// The list.
    pub const fn list(&self) -> &'a Worklist<T> {
        self.list
    }
    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: T) {
        self.local.push(self.list, entry);
    }
    /// Takes an entry held here, or else one that waits for anyone.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        self.local.pop(self.list)
    }
    /// Takes an entry held here.
    #[inline]
    pub fn pop_local(&mut self) -> Option<T> {
        self.local.pop_local()
    }
    /// Makes everything held here visible.
    pub fn publish(&mut self) {
        self.local.publish(self.list);
    }
    /// Gives part of the work away if nobody else could take any.
    #[inline]
    pub fn share_if_hungry(&mut self) {
        self.local.share_if_hungry(self.list);
    }
    /// Whether nothing is held here.
    #[inline]
    pub const fn is_local_empty(&self) -> bool {
        self.local.is_empty()
    }
}

impl<T> Drop for View<'_, T> {
    fn drop(&mut self) {
        if bug::dropped_view_loses_its_work() {
            self.local.clear();
            return;
        }
        self.local.publish(self.list);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::worklist::segment::CAPACITY;

    #[test]
    fn what_is_pushed_stays_private_until_a_segment_is_given_away() {
        let list = Worklist::new();
        let mut view = View::new(&list);
        (0..2 * CAPACITY).for_each(|n| view.push(n));
        assert!(list.is_empty_hint());
        view.push(0);
        assert_eq!(list.len_hint(), 1);
    }

    #[test]
    fn every_entry_comes_out_exactly_once() {
        let list = Worklist::new();
        let mut view = View::new(&list);
        let n = 5 * CAPACITY + 7;
        (0..n).for_each(|entry| view.push(entry));
        let mut other = View::new(&list);
        let mut out: Vec<_> = std::iter::from_fn(|| other.pop()).collect();
        out.extend(std::iter::from_fn(|| view.pop()));
        out.sort_unstable();
        assert_eq!(out, (0..n).collect::<Vec<_>>());
    }

    #[test]
    fn a_dropped_view_loses_nothing() {
        let list = Worklist::new();
        let mut view = View::new(&list);
        (0..CAPACITY + 3).for_each(|n| view.push(n));
        drop(view);
        assert_eq!(list.len_hint(), 2);
        let mut view = View::new(&list);
        assert_eq!(std::iter::from_fn(|| view.pop()).count(), CAPACITY + 3);
        assert!(list.is_empty_hint());
    }

    #[test]
    fn a_worker_with_work_feeds_a_hungry_list() {
        let list = Worklist::new();
        let mut view = View::new(&list);
        view.push(1);
        view.share_if_hungry();
        assert!(list.is_empty_hint(), "one entry is nothing to share");
        view.push(2);
        view.push(3);
        view.share_if_hungry();
        assert_eq!(list.steal().map(|segment| segment.len()), Some(2));
        assert_eq!(view.pop(), Some(3));
        assert_eq!(view.pop(), None);
    }
}
