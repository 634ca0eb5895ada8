#![expect(unsafe_code, reason = "the context refers to its heap's collector by address")]
//! `Cx`: one mutator's shared side. Nothing can move while it is borrowed.
//!
//! | field | written by | read by |
//! | --- | --- | --- |
//! | `local` | its mutator, and the collector while this mutator is stopped | the same |
//! | `poll` | whoever wants this mutator at a safepoint; cleared by the leader, and by the mutator in a poll | its mutator |
//! | `asked_at` | the leader of a stop | its mutator, after the stop |
//! | `running_since`, `watched` | its mutator, when it takes the heap or waits for a lock | a leader that waits for it |
//! | `frames`, `roots`, `kept`, `free_roots`, `refused` | its mutator, or who lets go of it | the leader, in a stop |
//!
//! C1  The collector outlives the context: whoever keeps a member keeps its heap.
//! C2  What is not atomic is touched by the thread that runs the mutator; by the leader, in a stop; or, when nobody runs
//!     it, by who lets go of it under the heap's `pause` lock, which a leader holds for the length of a stop.
use crate::mutator::frame::{Frame, RootOps};
use crate::mutator::kept::KeptAlive;
use crate::mutator::root_table::{RootPlace, RootTable};
use crate::mutator::watched::Watched;
use orinoco_collector::collector::Collector;
use orinoco_collector::error::AllocError;
use orinoco_collector::mutator_local::MutatorLocal;
use orinoco_collector::object::raw::ObjectRef;
use orinoco_collector::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Instant;

/// Shared access to a mutator: to allocate, to read, to write. Nothing can move while a `&Cx` is borrowed.
///
/// A [`Mutator`](crate::Mutator) derefs to it, so `m.alloc(..)` works and `m` goes where `&Cx` is expected.
#[repr(C)]
pub struct Cx {
    /// First, so that the allocation buffer is at the context's own address.
    pub(crate) local: MutatorLocal,
    pub(crate) poll: AtomicBool,
    /// When the current stop was asked for, in nanoseconds of the heap's clock.
    pub(crate) asked_at: AtomicU64,
    /// When this mutator last took the heap, on the same clock.
    pub(crate) running_since: AtomicU64,
    /// What the watchdog tells of this mutator.
    pub(crate) watched: Watched,
    /// Zero of the heap's clock.
    pub(crate) born: Instant,
    pub(crate) heap_id: usize,
    /// Different for each mutator of the process, and never 0: who holds a lock.
    pub(crate) id: u32,
    collector: NonNull<Collector>,
    root_table: NonNull<RootTable>,
    pub(crate) frames: Cell<*const Frame>,
    pub(crate) roots: Cell<*mut u8>,
    pub(crate) root_ops: &'static RootOps,
    /// What this turn has seen through weak references.
    pub(crate) kept: KeptAlive,
    pub(crate) free_roots: RefCell<Vec<RootPlace>>,
    /// Why the last allocation was refused.
    pub(crate) refused: Cell<AllocError>,
    _thread: PhantomData<*mut ()>,
}

impl Cx {
    /// A context of the heap that `collector` and `root_table` belong to.
    ///
    /// # Safety
    /// C1 will hold, and `roots` is what `root_ops` was made for.
    pub(crate) unsafe fn new(
        collector: &Collector,
        root_table: &RootTable,
        heap_id: usize,
        born: Instant,
        roots: *mut u8,
        root_ops: &'static RootOps,
    ) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let next = |id: u32| Some(id.checked_add(1).unwrap_or(1));
        let id = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(1);
        Self {
            local: collector.new_local(),
            poll: AtomicBool::new(collector.safepoint_wanted() || collector.settings().polls_always()),
            asked_at: AtomicU64::new(0),
            running_since: AtomicU64::new(0),
            watched: Watched::default(),
            born,
            heap_id,
            id,
            collector: NonNull::from(collector),
            root_table: NonNull::from(root_table),
            frames: Cell::new(std::ptr::null()),
            roots: Cell::new(roots),
            root_ops,
            kept: KeptAlive::default(),
            free_roots: RefCell::new(Vec::new()),
            refused: Cell::new(AllocError::LimitReached),
            _thread: PhantomData,
        }
    }
    #[inline(always)]
    pub(crate) fn collector(&self) -> &Collector {
        // SAFETY: C1.
        unsafe { self.collector.as_ref() }
    }
    #[inline(always)]
    pub(crate) fn root_table(&self) -> &RootTable {
        // SAFETY: C1, the table lies beside the collector.
        unsafe { self.root_table.as_ref() }
    }
    /// Whether a collection is wanted: get to a safepoint soon. One load of a byte.
    #[inline(always)]
    pub fn should_yield(&self) -> bool {
        self.poll.load(Ordering::Relaxed)
    }
    /// While marking, makes sure that what the program just got hold of counts as reached.
    #[inline(always)]
    pub(crate) fn shade(&self, target: ObjectRef) {
        if self.local.marking.get() {
            self.collector().shade(&self.local, target);
        }
    }
    /// While marking: whether the target of a weak reference was found dead and is about to be cleared from it.
    #[inline(always)]
    pub(crate) fn is_found_dead(&self, target: ObjectRef) -> bool {
        self.local.marking.get() && self.collector().is_found_dead(target)
    }
    /// Asks for a safepoint if the collector would like one.
    #[inline]
    pub(crate) fn pass_on_wish(&self) {
        if self.collector().safepoint_wanted() {
            self.poll.store(true, Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for Cx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx").field("mutator", &self.id).field("heap", &self.heap_id).finish_non_exhaustive()
    }
}
