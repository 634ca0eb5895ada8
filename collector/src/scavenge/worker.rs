//! One copier: where an object goes, its work, its tallies. Room for its copies is in `room`.
//!
//! ```text
//!   a reference into from-space:
//!     probe ─ forwarded ──────────────────────────▶ the copy
//!       └─ here ─▶ room in a buffer? ─yes▶ copy ─▶ claim ─won──▶ the copy, to be scanned
//!                        │                          └──lost─▶ give the room back, use the winner's
//!                        no
//!                        └▶ claim to retain: the object stays, its region becomes old (see `retained`)
//!   survived before, or no room among survivors ─▶ promoted
//! ```
//!
//! C1  A copy is scanned by whoever won it, or by whoever took the task from there.
//! C2  An old object that is found to refer to something young leaves a remembered entry behind (`host_is_old`).
//! C3  While copying goes on nobody scans a retained object: a losing copier may be reading it. Afterwards, who retained it does.
//! C5  What is pinned is retained before anybody copies.
//! C4  An old object that is found to refer to a candidate is recorded for its batch (see `compact`).
use crate::compact::candidates::Seen;
use crate::compact::records::scanned;
use crate::mutator_local::Remembered;
use crate::object::forward::{Claim, State, claim_copy, claim_retain, probe};
use crate::object::header::{HashState, hash_at, hash_state, with_hash_state};
use crate::object::raw::{ObjectRef, copy_object, info_of, prefetch, write_word};
use crate::object::task::Task;
use crate::object::trace::Mover;
use crate::object::weak::{Liveness, WeakVerdict};
use crate::planted::bug;
use crate::region::kind::Kind;
use crate::scavenge::findings::Findings;
use crate::scavenge::phase::ScavengePhase;
use crate::scavenge::room::Room;
use crate::scavenge::settle::Settling;
use crate::sync::{Arc, Ordering::Relaxed, Worker};
use crate::units::WORD;
use crate::worklist::termination::Outcome;
use crate::zeal::delay;

/// One thread's part in a scavenge.
pub struct ScavengeWorker {
    pub(super) phase: Arc<ScavengePhase>,
    deque: Worker<Task>,
    /// Work that nobody can steal; shared a half at a time when others may be hungry.
    pub(super) stack: Vec<Task>,
    /// Whether there can be others.
    shared: bool,
    room: Room,
    /// Whether something young was found since it was last cleared.
    young_seen: bool,
    /// Candidates found since it was last cleared.
    candidates_seen: Seen,
    /// Old objects found referenced whose mark words are being fetched.
    to_shade: Vec<ObjectRef>,
    pub(super) findings: Findings,
    /// What waits for whom; once the weak are being settled.
    pub(super) settling: Settling,
}

/// Objects whose mark words are fetched together.
const TO_SHADE: usize = 32;
/// Tasks a worker keeps to itself when others may be hungry; a depth-first walk of a tree has few at any moment.
const PRIVATE: usize = 4;

impl Mover for ScavengeWorker {
    #[inline]
    fn forward(&mut self, target: ObjectRef) -> ObjectRef {
        let kind = self.phase.core.spaces.pool.table.kind_at(target.addr());
        if kind.is_from() {
            return self.forward_from(target, kind);
        }
        if kind.is_old() {
            if kind.is_candidate() {
                self.candidates_seen.meet(&self.phase.core.spaces, target.addr());
            }
            if self.phase.plan.shading {
                self.shade(target);
            }
        } else {
            self.young_seen = true;
        }
        target
    }
}

impl Liveness for ScavengeWorker {
    fn resolve(&self, target: ObjectRef) -> Option<ObjectRef> {
        let kind = self.phase.core.spaces.pool.table.kind_at(target.addr());
        if !kind.is_from() {
            return Some(target);
        }
        if kind.is_large() {
            return self.phase.core.is_marked(target).then_some(target);
        }
        match probe(target.header()) {
            State::Forwarded(_) if bug::forwarding_is_stale() => Some(target),
            State::Forwarded(copy) => Some(target.sibling(copy)),
            State::Retained => Some(target),
            State::Here(_) => None,
        }
    }
}

impl WeakVerdict for ScavengeWorker {
    fn is_watched(&self, object: ObjectRef) -> bool {
        let kind = self.phase.core.spaces.pool.table.kind_at(object.addr());
        self.stays_young(object) || (kind.is_candidate() && !kind.is_from())
    }
}

impl ScavengeWorker {
    pub(crate) fn new(phase: Arc<ScavengePhase>, deque: Worker<Task>) -> Self {
        Self {
            shared: phase.is_shared(),
            room: Room::new(&phase.plan),
            phase,
            deque,
            stack: Vec::with_capacity(256),
            young_seen: false,
            candidates_seen: Seen::default(),
            to_shade: Vec::with_capacity(TO_SHADE),
            findings: Findings::default(),
            settling: Settling::default(),
        }
    }
    /// Works until the phase is over.
    pub(crate) fn run(&mut self) {
        let phase = self.phase.clone();
        loop {
            self.drain();
            delay(&phase.core.settings.zeal);
            let places = phase.claim_remembered();
            if !places.is_empty() {
                // Remembered places are strewn over the old generation: have a chunk of them fetched at once.
                places.iter().for_each(|place| self.fetch_remembered(*place));
                places.iter().for_each(|place| self.visit_remembered(*place));
                continue;
            }
            let hosts = phase.claim_hosts();
            if !hosts.is_empty() {
                hosts.clone().filter_map(|at| phase.host(at)).for_each(|host| prefetch(host.object.as_ptr()));
                hosts.filter_map(|at| phase.host(at)).for_each(|host| host.relocate(host.object.info(), self));
                continue;
            }
            let staying = phase.claim_staying();
            if !staying.is_empty() {
                staying.iter().for_each(|object| prefetch(object.as_ptr()));
                staying.iter().filter(|_| !bug::retained_are_not_scanned()).for_each(|object| self.found(*object));
                continue;
            }
            if let Some(task) = phase.steal(&self.deque) {
                self.stack.push(task);
                continue;
            }
            if phase.termination.offer() {
                return;
            }
            if phase.termination.idle_until(|| phase.has_work_hint()) == Outcome::Over {
                return;
            }
        }
    }
    /// Scans until this worker has no work left.
    pub(crate) fn drain(&mut self) {
        loop {
            while let Some(task) = self.stack.pop() {
                if self.stack.len() > PRIVATE && self.shared && self.deque.is_empty() {
                    self.share();
                }
                self.scan(task);
            }
            match self.deque.pop() {
                Some(task) => self.stack.push(task),
                None => return,
            }
        }
    }
    #[cold]
    fn share(&mut self) {
        // The oldest tasks lead to the largest parts of the graph: those are worth a thief's while.
        let half = self.stack.len() / 2;
        self.stack.drain(..half).for_each(|task| self.deque.push(task));
    }
    fn scan(&mut self, task: Task) {
        if let Some(rest) = task.next() {
            self.stack.push(rest);
        }
        let kind = self.phase.core.spaces.pool.table.kind_at(task.object.addr());
        // C2; what is retained (young, but in from-space) is about to be old.
        let host_is_old = kind.is_old() || kind.is_from();
        self.forget_seen();
        task.relocate(task.object.info(), self);
        scanned(host_is_old, self.young_seen, || self.findings.remembered.push(Remembered::Object(task)));
        let Seen(batches) = self.candidates_seen;
        if host_is_old && !batches.is_empty() && !bug::promotion_forgets_hosts() {
            self.findings.hosts.push((batches, task)); // C4
        }
    }
    #[inline(always)]
    fn forget_seen(&mut self) {
        self.young_seen = false;
        self.candidates_seen = Seen::default();
    }
    /// Whether what was looked at since [`forget_seen`](Self::forget_seen) has to stay remembered.
    fn saw_something(&self) -> bool {
        self.young_seen || !self.candidates_seen.0.is_empty()
    }
    fn fetch_remembered(&self, entry: Remembered) {
        match entry {
            Remembered::Place(place, _) => {
                let pool = &self.phase.core.spaces.pool;
                prefetch(place.0);
                prefetch(pool.remembered().word_of(pool.bit(place.0.addr())));
            }
            Remembered::Object(task) => prefetch(task.object.as_ptr()),
            Remembered::Weak(_) => {}
        }
    }
    fn visit_remembered(&mut self, entry: Remembered) {
        match entry {
            Remembered::Place(place, ops) => {
                self.forget_seen();
                ops.relocate_place(place, self);
                if self.saw_something() {
                    self.findings.remembered.extend((!bug::remembered_place_is_dropped()).then_some(entry));
                } else {
                    let pool = &self.phase.core.spaces.pool;
                    let bit = pool.bit(place.0.addr());
                    pool.remembered().clear_range(bit, bit + 1);
                }
            }
            Remembered::Object(task) => {
                self.forget_seen();
                task.relocate(task.object.info(), self);
                if self.saw_something() {
                    self.findings.remembered.push(entry);
                }
            }
            Remembered::Weak(object) => self.findings.weak_old.push(object),
        }
    }
    /// Shades an old object, a little later: its mark word is on its way into the cache meanwhile.
    #[inline]
    fn shade(&mut self, target: ObjectRef) {
        let pool = &self.phase.core.spaces.pool;
        prefetch(pool.marks().word_of(pool.bit(target.addr())));
        self.to_shade.push(target);
        if self.to_shade.len() == TO_SHADE {
            self.shade_waiting();
        }
    }
    fn shade_waiting(&mut self) {
        let core = &self.phase.core;
        self.findings.shaded.extend(self.to_shade.drain(..).filter(|target| core.try_mark(*target)));
    }
    #[inline]
    fn forward_from(&mut self, target: ObjectRef, kind: Kind) -> ObjectRef {
        if kind.is_large() {
            if self.phase.core.try_mark(target) {
                self.settling.note_reached(target, target.header_now());
                self.found(target);
            }
            return target;
        }
        match probe(target.header()) {
            State::Forwarded(copy) => {
                let copy = target.sibling(copy);
                self.young_seen |= self.lands_young(copy);
                copy
            }
            State::Retained => target,
            State::Here(header) => self.evacuate(target, header, kind),
        }
    }
    /// Whether an object is young when the scavenge has ended.
    pub(crate) fn stays_young(&self, object: ObjectRef) -> bool {
        let kind = self.phase.core.spaces.pool.table.kind_at(object.addr());
        // What is retained or large becomes old.
        kind.is_young() && !kind.is_from() && !kind.is_large()
    }
    fn lands_young(&self, copy: ObjectRef) -> bool {
        self.phase.core.spaces.pool.table.kind_at(copy.addr()).is_young()
    }
    fn evacuate(&mut self, from: ObjectRef, header: usize, kind: Kind) -> ObjectRef {
        let old_bytes = from.size_under(header);
        // An object whose hash was asked for takes it along, one word longer from its first move on.
        let grows = hash_state(header) == HashState::Hashed;
        let bytes = if grows { old_bytes + WORD } else { old_bytes };
        let promote = self.phase.plan.promote_all || kind.is_survivor() || kind.is_old();
        let Some((to, old)) = self.room.take(&self.phase, &self.findings, bytes, promote) else {
            return self.retain(from, header);
        };
        let new_header = if grows { with_hash_state(header, HashState::Stored) } else { header };
        let copy = copy_object(from, to, old_bytes, new_header);
        if grows && !bug::hash_is_left_behind() {
            let pool = &self.phase.core.spaces.pool;
            let birth = pool.table.with_region(pool.table.index(from.addr()), |r| r.births.load(Relaxed));
            write_word(to.wrapping_add(old_bytes), hash_at(pool.offset(from.addr()), birth) as usize);
        }
        match claim_copy(from.header(), header, copy.addr()) {
            Claim::Won => {
                self.findings.objects += 1;
                self.settling.note_reached(from, header);
                if old {
                    self.findings.promoted += bytes;
                    if self.phase.plan.shading && !bug::promoted_stays_white() {
                        // Black: this scavenge shows its references to the marker.
                        let _ = self.phase.core.try_mark(copy);
                    }
                } else {
                    self.findings.copied += bytes;
                    self.young_seen = true;
                }
                self.found(copy);
                copy
            }
            Claim::Lost(state) => {
                self.room.untake(bytes, old);
                match state {
                    State::Forwarded(copy) => {
                        let copy = from.sibling(copy);
                        self.young_seen |= self.lands_young(copy);
                        copy
                    }
                    State::Retained | State::Here(_) => from,
                }
            }
        }
    }
    /// An object was decided by this worker: its references are still to be visited.
    #[inline]
    pub(super) fn found(&mut self, object: ObjectRef) {
        let info = info_of(object.header_now());
        if info.has_edges {
            self.stack.push(Task::first(object, info));
        }
        if info.weak.is_some() {
            self.findings.weak.push(object);
            if self.phase.plan.shading && !self.stays_young(object) && !bug::black_table_is_forgotten() {
                // Black already: no marker will meet it.
                self.phase.core.weak_found.lock().push(object);
            }
        }
    }
    /// Before anybody copies: the object stays where it is.
    pub(crate) fn pin(&mut self, object: ObjectRef) {
        let kind = self.phase.core.spaces.pool.table.kind_at(object.addr());
        if !kind.is_from() || kind.is_large() {
            let _ = self.forward(object);
        } else if let State::Here(header) = probe(object.header())
            && claim_retain(object.header(), header) == Claim::Won
        {
            self.note_retained(object);
            self.found(object); // C3 has nothing against it: whoever comes later finds it retained.
        }
    }
    fn note_retained(&mut self, object: ObjectRef) {
        self.findings.objects += 1;
        let region = self.phase.core.spaces.pool.table.index(object.addr());
        if self.findings.retained_in.last() != Some(&region) {
            self.findings.retained_in.push(region);
        }
        // While marking it is black, as what is promoted; otherwise the bit says to `retained` that it lives.
        let _ = self.phase.core.try_mark(object);
    }
    fn retain(&mut self, object: ObjectRef, header: usize) -> ObjectRef {
        match claim_retain(object.header(), header) {
            Claim::Won => {
                self.note_retained(object);
                self.settling.note_reached(object, header);
                if self.phase.plan.copying {
                    self.findings.retained.push(object); // C3
                } else {
                    self.found(object);
                }
                object
            }
            Claim::Lost(State::Forwarded(copy)) => {
                let copy = object.sibling(copy);
                self.young_seen |= self.lands_young(copy);
                copy
            }
            Claim::Lost(_) => object,
        }
    }
    /// Whether this worker left objects where they are and unscanned.
    pub(crate) fn has_retained(&self) -> bool {
        !self.findings.retained.is_empty()
    }
    /// Ends the worker's part: what its buffers did not use goes back.
    pub(crate) fn finish(&mut self) -> Findings {
        self.shade_waiting();
        self.phase.core.entries_visited.fetch_add(self.settling.take_visits(), Relaxed);
        self.room.retire(&self.phase);
        std::mem::take(&mut self.findings)
    }
}
