#![expect(unsafe_code, reason = "the operations by which weak containers are looked at")]
//! Objects that refer to others without keeping them alive: what a collection does with them, and when.
//!
//! ```text
//!   marking:     reached ─▶ mark_slice, mark_slice …        an entry whose key is not reached waits (`worklist::waiting`)
//!                key reached ─▶ mark_entry                  of each entry that waits for it
//!   scavenging:  found, or remembered ─▶ move_step ─▶ move_entry …                alone, when copying has run dry
//!   at the end:  finish, finish …                           the dead are forgotten, the moved found
//! ```
//!
//! The ordinary `mark` and `relocate` of such an object show nothing. Cells have `finish` only.
//!
//! W1  The operations in a descriptor are those of the type that it describes.
//! W2  What moves or finishes runs in a stopped world, one container at a time; what marks may run beside mutators.
use crate::mark::worker::MarkWorker;
use crate::object::raw::ObjectRef;
use crate::scavenge::worker::ScavengeWorker;

/// Who is alive, asked when tracing has ended.
pub trait Liveness {
    /// Where `target` is now, or `None` if it is dead.
    fn resolve(&self, target: ObjectRef) -> Option<ObjectRef>;
}

/// What `WeakOps::finish` may ask.
pub trait WeakVerdict: Liveness {
    /// Whether an old object that refers to it has to be remembered after this collection: it is young, or in a region
    /// that is to be emptied.
    fn is_watched(&self, object: ObjectRef) -> bool;
}

/// An entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef {
    /// The table, where it is in this phase.
    pub table: ObjectRef,
    /// The entry's number, which it keeps for as long as anybody may wait.
    pub number: u32,
}

/// A visitor that ephemerons may be shown to.
pub trait Ephemerons {
    /// Whether the key is reached, so that the entry's value is to be shown now. Otherwise the entry waits: `mark_entry` or
    /// `move_entry` is called when the key is reached. Never, for a marker that leaves a young key to the scavenger.
    #[must_use]
    fn wait(&mut self, key: ObjectRef, entry: EntryRef) -> bool;
    /// Counts entries looked at.
    fn visited(&mut self, entries: usize);
}

/// What ended when `WeakOps::finish` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Marking: all entries are to be looked at, a slice of them at a time. Young keys may be unknown, and count as alive.
    /// Nothing has moved.
    Marked,
    /// A scavenge of the young generation: only what holds something young can have changed.
    Listed,
    /// A scavenge of everything.
    Moved,
}

/// What a container says when it has settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// It still refers to something that is to be watched: the next young collection looks at it again.
    pub young: bool,
    /// It has something to say to the program, and is not in the list of those yet.
    pub ready: bool,
    /// Where the next slice of its entries begins: it has not settled yet.
    pub next: Option<usize>,
}

/// An edge as the verifier sees it.
#[derive(Clone, Copy, Debug)]
pub enum WeakEdge {
    /// Refers to an object and keeps nothing.
    Weak(ObjectRef),
    /// Keeps an object.
    Strong(ObjectRef),
    /// Keeps a value while the key lives.
    Ephemeron {
        /// The key.
        key: ObjectRef,
        /// The value.
        value: ObjectRef,
    },
}

/// What the collector does with an object that refers to others weakly.
pub struct WeakOps {
    /// The rest, if the object is a table: entries, of which some keep others alive.
    pub table: Option<TableOps>,
    /// Forgets the dead, finds the moved: after marking among the slice of entries that begins at a number.
    pub finish: unsafe fn(ObjectRef, Settle, usize, &dyn WeakVerdict) -> Settled,
    /// Shows everything to the verifier.
    pub list: unsafe fn(ObjectRef, &mut dyn FnMut(WeakEdge)),
}

/// What the collector does with a table.
pub struct TableOps {
    /// Shows the slice of entries that begins at a number; where the next one begins, if there is one.
    pub mark_slice: unsafe fn(ObjectRef, usize, &mut MarkWorker) -> Option<usize>,
    /// Shows the value of the entry of this number, if this is its key.
    pub mark_entry: unsafe fn(ObjectRef, u32, ObjectRef, &mut MarkWorker),
    /// Moves what the entries keep, of all entries or of those that hold something young.
    pub move_step: unsafe fn(ObjectRef, bool, &mut ScavengeWorker),
    /// Moves the value of the entry of this number.
    pub move_entry: unsafe fn(ObjectRef, u32, &mut ScavengeWorker),
    /// Calls the program, on the mutator that is passed with its type forgotten, with one thing that there is to say.
    pub call: Option<unsafe fn(ObjectRef, *mut ()) -> bool>,
}

fn ops(object: ObjectRef) -> &'static WeakOps {
    object.info().weak.expect("only objects with weak references are listed as such")
}

fn table(object: ObjectRef) -> &'static TableOps {
    ops(object).table.as_ref().expect("only tables are asked for entries")
}

/// Whether it has entries, and settles in slices.
pub(crate) fn is_table(object: ObjectRef) -> bool {
    ops(object).table.is_some()
}
/// See [`TableOps::mark_slice`]; nothing for a cell.
pub(crate) fn mark_slice(object: ObjectRef, from: usize, v: &mut MarkWorker) -> Option<usize> {
    let table = ops(object).table.as_ref()?;
    // SAFETY: W1.
    unsafe { (table.mark_slice)(object, from, v) }
}
/// See [`TableOps::mark_entry`].
pub(crate) fn mark_entry(entry: EntryRef, key: ObjectRef, v: &mut MarkWorker) {
    // SAFETY: W1.
    unsafe { (table(entry.table).mark_entry)(entry.table, entry.number, key, v) }
}
/// See [`TableOps::move_step`]; nothing for a cell.
pub(crate) fn move_step(object: ObjectRef, whole: bool, v: &mut ScavengeWorker) {
    if let Some(table) = &ops(object).table {
        // SAFETY: W1, W2.
        unsafe { (table.move_step)(object, whole, v) }
    }
}
/// See [`TableOps::move_entry`].
pub(crate) fn move_entry(entry: EntryRef, v: &mut ScavengeWorker) {
    // SAFETY: W1, W2.
    unsafe { (table(entry.table).move_entry)(entry.table, entry.number, v) }
}
/// See [`WeakOps::finish`].
pub(crate) fn finish(object: ObjectRef, settle: Settle, from: usize, verdict: &dyn WeakVerdict) -> Settled {
    // SAFETY: W1, W2.
    unsafe { (ops(object).finish)(object, settle, from, verdict) }
}
/// See [`WeakOps::list`].
pub(crate) fn list(object: ObjectRef, found: &mut dyn FnMut(WeakEdge)) {
    // SAFETY: W1.
    unsafe { (ops(object).list)(object, found) }
}
/// See [`TableOps::call`]: false if there was nothing to say.
///
/// # Safety
/// `object` lives in the window that has just begun, and `mutator` is the running mutator as the container's type
/// understands it; nothing else that is borrowed from it is live.
pub unsafe fn call(object: ObjectRef, mutator: *mut ()) -> bool {
    // SAFETY: W1, and the caller's promise.
    table(object).call.is_some_and(|call| unsafe { call(object, mutator) })
}
