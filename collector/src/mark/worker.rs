//! One marker: grey to black, with the next objects already on their way into the cache.
//!
//! ```text
//!   edge ──▶ ring of prefetched targets ──oldest──▶ claim its mark bit ──won──▶ grey: pushed as a task
//!                                                                                  │ pop
//!   white = no bit · grey = bit set, task waiting · black = bit set, scanned ◀─────┘
//! ```
//!
//! The ring is the whole trick of marking a heap that is not in cache (Cher, Hosking and Vitek 2004): by the time a
//! target is looked at, its mark word and its header have arrived.
//!
//! G1  Whoever turns a bit from 0 to 1 pushes the object, or scans it, or knows that it has no references.
//! G3  Who scans an old object that refers to candidates records it for their batches (see `compact`).
//! G4  An entry of an ephemeron table whose key is white waits until the key is scanned (`worklist::waiting`).
//! G2  Young objects are followed only in a pause (`follow_young`): beside mutators they are left to the scavenger.
use crate::compact::candidates::Seen;
use crate::compact::records::Batches;
use crate::event::thread_time;
use crate::heap_core::Core;
use crate::object::header::{HashState, hash_state};
use crate::object::raw::{ObjectRef, PlacePtr, info_of, prefetch};
use crate::object::task::Task;
use crate::object::trace::{Deferred, Fix, Marker};
use crate::object::weak::{EntryRef, Ephemerons, Liveness, WeakVerdict, mark_entry, mark_slice};
use crate::planted::bug;
use crate::sync::{Arc, Ordering::Relaxed};
use crate::worklist::shared::Local;
use crate::zeal::delay;
use std::time::Duration;

/// Targets between being seen and being looked at.
const RING: usize = 16;

/// One thread's part in marking.
pub struct MarkWorker {
    core: Arc<Core>,
    grey: Local<Task>,
    ring: [Option<ObjectRef>; RING],
    next: usize,
    /// G2.
    follow_young: bool,
    concurrent: bool,
    /// Live objects with weak references that this worker met.
    weak: Vec<ObjectRef>,
    deferred: Vec<Deferred>,
    /// Candidates that the present task refers to.
    seen: Seen,
    /// G3; not handed over yet.
    hosts: Vec<(Batches, Task)>,
    /// Whether an object that was hashed may be a key that entries wait for.
    keys_wake: bool,
    woken: Vec<EntryRef>,
    visited: usize,
    /// Bytes of the objects in old regions that this worker turned grey; large ones are counted by region.
    bytes: usize,
    objects: usize,
    /// On its thread's processor, when it was made or last handed over.
    began: Duration,
}

/// Whether a bounded piece of marking ran dry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// No work was left anywhere that this worker could see.
    Dry,
    /// It was told to stop.
    Stopped,
}

impl Marker for MarkWorker {
    #[inline]
    fn edge(&mut self, target: ObjectRef) {
        let pool = &self.core.spaces.pool;
        let kind = pool.table.kind_at(target.addr());
        if kind.is_young() && !self.follow_young {
            return;
        }
        if kind.is_candidate() {
            self.seen.meet(&self.core.spaces, target.addr());
        }
        prefetch(pool.marks().word_of(pool.bit(target.addr())));
        prefetch(target.as_ptr());
        let oldest = self.ring[self.next].replace(target);
        self.next = (self.next + 1) % RING;
        if let Some(object) = oldest {
            self.look_at(object);
        }
    }
    fn is_concurrent(&self) -> bool {
        self.concurrent
    }
    fn defer(&mut self, at: *mut u8, again: Fix<Self>) {
        // G3, for whatever will turn out to be there.
        self.seen = Seen(Batches::ALL);
        self.deferred.push(Deferred { at: PlacePtr(at), again });
    }
}

impl Ephemerons for MarkWorker {
    fn wait(&mut self, key: ObjectRef, entry: EntryRef) -> bool {
        if !self.follow_young && self.core.spaces.pool.table.kind_at(key.addr()).is_young() {
            // G2: the entry is in its table's list of young ones, and the scavenger looks through that.
            return false;
        }
        let core = &self.core;
        core.waiting.wait(key, entry, || core.is_marked(key))
    }
    fn visited(&mut self, entries: usize) {
        self.visited += entries;
    }
}

impl Liveness for MarkWorker {
    fn resolve(&self, target: ObjectRef) -> Option<ObjectRef> {
        // A marker that leaves young objects alone knows nothing of them: those that the last scavenge left are alive.
        let unknown = !self.follow_young && self.core.spaces.pool.table.kind_at(target.addr()).is_young();
        (unknown || self.core.is_marked(target)).then_some(target)
    }
}

impl WeakVerdict for MarkWorker {
    fn is_watched(&self, object: ObjectRef) -> bool {
        let kind = self.core.spaces.pool.table.kind_at(object.addr());
        kind.is_young() || kind.is_candidate()
    }
}

impl MarkWorker {
    /// A marker beside mutators: G2, it leaves young objects alone.
    pub(crate) fn beside_mutators(core: Arc<Core>) -> Self {
        Self::new(core, true, false)
    }
    /// A marker in a stop, which may follow young objects too.
    pub(crate) fn in_stop(core: Arc<Core>, follow_young: bool) -> Self {
        Self::new(core, false, follow_young)
    }
    fn new(core: Arc<Core>, concurrent: bool, follow_young: bool) -> Self {
        let keys_wake = core.ephemerons.load(Relaxed);
        Self {
            core,
            keys_wake,
            woken: Vec::new(),
            visited: 0,
            grey: Local::new(),
            ring: [None; RING],
            next: 0,
            follow_young,
            concurrent,
            weak: Vec::new(),
            deferred: Vec::new(),
            seen: Seen::default(),
            hosts: Vec::new(),
            bytes: 0,
            objects: 0,
            began: thread_time(),
        }
    }
    #[inline]
    fn look_at(&mut self, object: ObjectRef) {
        if self.core.try_mark(object) {
            self.turn_grey(object);
        }
    }
    /// G1, for an object whose bit this worker set.
    #[inline]
    fn turn_grey(&mut self, object: ObjectRef) {
        if let Some(task) = self.see(object) {
            self.grey.push(&self.core.grey, task);
        }
    }
    /// Counts an object that is marked, and says what is to be scanned of it.
    #[inline]
    fn see(&mut self, object: ObjectRef) -> Option<Task> {
        let header = object.header_now();
        let info = info_of(header);
        let kind = self.core.spaces.pool.table.kind_at(object.addr());
        if kind.is_old() && !kind.is_large() {
            self.bytes += object.size_under(header);
        }
        self.objects += 1;
        (info.needs_visit() || self.may_wake(header)).then(|| Task::first(object, info))
    }
    /// Whether entries may wait for an object: keys are hashed before they are put into a table, and what is put there
    /// while marking goes on does not wait.
    #[inline]
    fn may_wake(&self, header: usize) -> bool {
        self.keys_wake && hash_state(header) != HashState::Unhashed
    }
    /// Shows what has waited for a key.
    #[cold]
    fn wake(&mut self, key: ObjectRef) {
        let mut woken = std::mem::take(&mut self.woken);
        self.core.waiting.take(key, &mut woken);
        woken.drain(..).for_each(|entry| mark_entry(entry, key, self));
        self.woken = woken;
    }
    /// A weak cell, or a slice of a table.
    fn scan_weak(&mut self, task: Task) {
        if task.is_first() {
            self.weak.push(task.object);
        }
        if let Some(next) = mark_slice(task.object, task.table_index(), self) {
            self.grey.push(&self.core.grey, Task::of_table(task.object, next));
        }
    }
    /// Looks at what waits in the ring; true if anything did.
    fn flush_ring(&mut self) -> bool {
        let mut any = false;
        for i in 0..RING {
            if let Some(object) = self.ring[i].take() {
                any = true;
                self.look_at(object);
            }
        }
        any
    }
    /// Marks until nothing is left to take, or `stop` says so; it is asked every `grain` tasks.
    pub(crate) fn drain(&mut self, grain: u32, mut stop: impl FnMut() -> bool) -> Drained {
        let core = self.core.clone();
        let mut until = grain;
        loop {
            while let Some(mut task) = self.grey.pop(&core.grey) {
                if task.is_unseen() {
                    match self.see(task.object) {
                        Some(seen) => task = seen,
                        None => continue,
                    }
                }
                let header = task.object.header_now();
                let info = info_of(header);
                if info.weak.is_some() {
                    self.scan_weak(task);
                } else {
                    if let Some(rest) = task.next() {
                        self.grey.push(&core.grey, rest);
                    }
                    self.seen = Seen::default();
                    task.mark(info, self);
                    if !self.seen.0.is_empty() {
                        self.record(task);
                    }
                }
                if self.may_wake(header) && task.is_first() {
                    self.wake(task.object);
                }
                until -= 1;
                if until == 0 {
                    until = grain;
                    delay(&core.settings.zeal);
                    if stop() {
                        self.flush_ring();
                        return Drained::Stopped;
                    }
                    self.grey.share_if_hungry(&core.grey);
                }
            }
            if !self.flush_ring() {
                return Drained::Dry;
            }
        }
    }
    /// G3.
    #[cold]
    fn record(&mut self, host: Task) {
        let old = self.core.spaces.pool.table.kind_at(host.object.addr()).is_old();
        if old && self.core.candidates.are_any() && !bug::marker_forgets_hosts() {
            self.hosts.push((self.seen.0, host));
        }
    }
    /// As [`drain`](Self::drain); `stop` is told how many bytes this worker has marked since it last handed over.
    pub(crate) fn drain_to(&mut self, grain: u32, stop: impl Fn(usize) -> bool) -> Drained {
        loop {
            let drained = self.drain(grain, || true);
            if drained == Drained::Dry || stop(self.bytes) {
                return drained;
            }
        }
    }
    /// Leaves everything that others need; the worker holds nothing afterwards.
    pub(crate) fn hand_over(&mut self) -> Marked {
        let spent = thread_time().saturating_sub(std::mem::replace(&mut self.began, thread_time()));
        self.core.marking_time.fetch_add(u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.flush_ring();
        self.grey.publish(&self.core.grey);
        self.core.weak_found.lock().append(&mut self.weak);
        self.core.deferred.lock().append(&mut self.deferred);
        self.core.candidates.records.hand_over(&mut self.hosts);
        self.core.entries_visited.fetch_add(std::mem::take(&mut self.visited), Relaxed);
        Marked { bytes: std::mem::take(&mut self.bytes), objects: std::mem::take(&mut self.objects) }
    }
    /// Live objects with weak references met since the last call.
    pub(crate) fn take_weak(&mut self) -> Vec<ObjectRef> {
        std::mem::take(&mut self.weak)
    }
}

/// How much was marked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marked {
    pub bytes: usize,
    pub objects: usize,
}

impl std::ops::AddAssign for Marked {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.objects += other.objects;
    }
}
