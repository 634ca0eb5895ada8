//! The rule that a thread runs at most one mutator that is not parked.
//!
//! It is what makes references of two heaps unable to meet: at most one heap's `Gc`s are live on a thread, and they cannot
//! leave it.
use orinoco_collector::sync::thread_local;
use std::cell::Cell;

thread_local! { static ACTIVE: Cell<bool> = const { Cell::new(false) }; }

/// This thread runs a mutator for as long as this exists.
pub(crate) struct Active(());

impl Active {
    /// # Panics
    /// When the thread runs one already.
    pub(crate) fn claim() -> Self {
        assert!(!ACTIVE.with(|active| active.replace(true)), "this thread already runs a mutator; park it first");
        Self(())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.with(|active| active.set(false));
    }
}

/// Whether this thread runs a mutator.
pub(crate) fn is_active() -> bool {
    ACTIVE.with(Cell::get)
}

/// Runs nothing on this thread for as long as this exists, though its mutator exists: it is parked.
pub(crate) struct Inactive(());

impl Inactive {
    pub(crate) fn begin() -> Self {
        ACTIVE.with(|active| active.set(false));
        Self(())
    }
}

impl Drop for Inactive {
    fn drop(&mut self) {
        ACTIVE.with(|active| active.set(true));
    }
}
