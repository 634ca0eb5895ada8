//! Locks in the native world's shape, over those of a checker: loom's in one world, shuttle's in the other.
//!
//! Both have std's shape, with poison, and waits that take the guard and give it back. Time does not pass in either.

#[cfg(loom)]
use loom::sync as checker;
#[cfg(shuttle)]
use shuttle::sync as checker;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// A lock without poison.
#[derive(Debug, Default)]
pub struct Mutex<T>(checker::Mutex<T>);

/// A held [`Mutex`].
#[derive(Debug)]
pub struct MutexGuard<'a, T>(Option<checker::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    /// An unlocked mutex around `value`.
    pub fn new(value: T) -> Self {
        Self(checker::Mutex::new(value))
    }
    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(|poison| poison.into_inner())))
    }
    /// The lock, if nobody has it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }
    /// The value, out of its lock.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(|poison| poison.into_inner())
    }
    /// The value, through the only reference to its lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_ref().expect("a guard is whole except inside a wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("a guard is whole except inside a wait")
    }
}

/// A condition variable whose waits borrow the guard.
#[derive(Debug, Default)]
pub struct Condvar(checker::Condvar);

impl Condvar {
    /// A condition variable with nobody waiting.
    pub fn new() -> Self {
        Self(checker::Condvar::new())
    }
    /// Gives up the lock until notified. The condition is the caller's to look at again.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let whole = guard.0.take().expect("a guard is whole except inside a wait");
        guard.0 = Some(self.0.wait(whole).unwrap_or_else(|poison| poison.into_inner()));
    }
    /// As [`wait`](Self::wait): no time passes, and the answer is always that none ran out.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _limit: Duration) -> bool {
        self.wait(guard);
        false
    }
    /// Wakes one waiter, if there is any.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }
    /// Wakes every waiter.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
