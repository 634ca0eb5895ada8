//! Walks the stopped heap and doubts everything.
//!
//! V1  Every region that holds small objects is a gapless row of objects and fillers, to its end.
//! V2  Everything reachable is an object of a region in use, and not in what was just emptied.
//! V3  An old object that refers to a young one is covered by the remembered set, weak references included; and what a weak
//!     reference of a reachable object leads to is an object.
//! V4  Outside marking and sweeping no old region has a mark bit.
//! V5  When marking ends, every reachable old object is marked, through ephemerons too.
//! V6  From then on, an old object that refers to a candidate is recorded for its batch, or covered by the remembered set.
//! V7  While clearing goes on, nothing is marked any more (in `mark::cycle`).
//!
//! A violation panics; in a pause that ends the process, with the message that says where.
use crate::compact::records::{Batches, Hosts};
use crate::crash::suspect;
use crate::heap_core::Core;
use crate::mutator_local::Remembered;
use crate::object::forward::{FORWARDED, RETAINED};
use crate::object::header::INFO_MASK;
use crate::object::raw::{ObjectRef, object_at};
use crate::object::task::Task;
use crate::object::trace::{EdgeList, list_edges};
use crate::object::weak::{self, WeakEdge};
use crate::roots::Roots;
use crate::sync::Ordering::Relaxed;
use crate::units::{LARGE_BYTES, REGION_BYTES, WORD};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What a walk counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Objects reachable from the roots, through ephemerons whose keys are reachable and what registries hold as well.
    pub objects: usize,
    /// Their bytes, headers included.
    pub bytes: usize,
}

/// Checks V1 to V4 and counts what is reachable. All buffers are retired.
pub(crate) fn verify(core: &Core, roots: &dyn Roots, when: &str) -> Census {
    let held = core.spaces.old.gaps.hold();
    walk_regions(core, when, held.is_empty());
    core.spaces.old.gaps.go_on(held);
    let cover = Cover::of(core);
    let records = Recorded::of(core);
    let mut seen = Seen::new(core);
    let mut work: Vec<ObjectRef> = Vec::new();
    roots.list(&mut EdgeList { found: &mut |o| work.push(o) });
    for root in &work {
        check_object(core, *root, "a root", when);
    }
    let mut census = Census::default();
    let mut through = Through::default();
    while let Some(object) = work.pop() {
        if !seen.insert(core, object) {
            continue;
        }
        through.reached(object, &mut work);
        census.objects += 1;
        census.bytes += object.size();
        let host_is_old = core.spaces.pool.table.kind_at(object.addr()).is_old();
        let mut young = None;
        let mut candidate = None;
        list_edges(object, &mut |target| {
            check_object(core, target, (object.info().name)(), when);
            if core.spaces.pool.table.kind_at(target.addr()).is_young() {
                young = Some(target);
            } else if records.misses(core, object, target) {
                candidate = Some(target);
            }
            work.push(target);
        });
        let mut watched = None;
        through.show(core, object, &seen, &mut |target, live| {
            check_object(core, target, (object.info().name)(), when);
            if core.spaces.pool.table.kind_at(target.addr()).is_young() || records.misses(core, object, target) {
                watched = Some(target);
            }
            work.extend(live.then_some(target));
        });
        if let Some(target) = watched.filter(|_| host_is_old && !cover.weak.contains(&object)) {
            panic!(
                "{when}: V3, V6: old {object:?} ({}) refers weakly to {target:?} ({}) and nothing remembers it",
                (object.info().name)(),
                (target.info().name)(),
            );
        }
        if let Some(target) = candidate.filter(|_| host_is_old && !cover.covers(object)) {
            panic!(
                "{when}: V6: old {object:?} ({}) refers to {target:?} ({}), which is to be moved, and nothing records it",
                (object.info().name)(),
                (target.info().name)(),
            );
        }
        if let Some(target) = young.filter(|_| host_is_old) {
            suspect(target.addr(), object.addr());
            assert!(
                cover.covers(object),
                "{when}: V3: old {object:?} ({}) refers to young {target:?} ({}) and nothing remembers it",
                (object.info().name)(),
                (target.info().name)(),
            );
        }
    }
    census
}

/// In the stop that ends a concurrent cycle: an independent trace finds no reachable old object without its mark.
pub(crate) fn verify_marks(core: &Core, roots: &dyn Roots) {
    let mut seen = Seen::new(core);
    let mut work: Vec<(ObjectRef, Option<ObjectRef>)> = Vec::new();
    roots.list(&mut EdgeList { found: &mut |o| work.push((o, None)) });
    let mut through = Through::default();
    let mut woken = Vec::new();
    while let Some((object, host)) = work.pop() {
        if !seen.insert(core, object) {
            continue;
        }
        through.reached(object, &mut woken);
        work.extend(woken.drain(..).map(|value| (value, Some(object))));
        let old = core.spaces.pool.table.kind_at(object.addr()).is_old();
        suspect(object.addr(), host.map_or(0, |host| host.addr()));
        assert!(
            !old || core.is_marked(object),
            "V5: {object:?} ({}) is reachable from {} and not marked",
            (object.info().name)(),
            host.map_or("a root", |h| (h.info().name)()),
        );
        list_edges(object, &mut |target| work.push((target, Some(object))));
        through.show(core, object, &seen, &mut |target, live| work.extend(live.then_some((target, Some(object)))));
    }
}

/// What can be reached through the ephemerons met so far, once their keys are.
#[derive(Default)]
struct Through(HashMap<ObjectRef, Vec<ObjectRef>>);

impl Through {
    /// An object is reached: so are the values that it is the key of.
    fn reached(&mut self, object: ObjectRef, work: &mut Vec<ObjectRef>) {
        if let Some(mut values) = self.0.remove(&object) {
            work.append(&mut values);
        }
    }
    /// Shows what an object refers to weakly, and whether that is reached thereby.
    fn show(&mut self, core: &Core, object: ObjectRef, seen: &Seen, found: &mut dyn FnMut(ObjectRef, bool)) {
        if object.info().weak.is_none() {
            return;
        }
        weak::list(object, &mut |edge| match edge {
            WeakEdge::Weak(target) => found(target, false),
            WeakEdge::Strong(target) => found(target, true),
            WeakEdge::Ephemeron { key, value } => {
                let live = seen.has(core, key);
                found(value, live);
                if !live {
                    self.0.entry(key).or_default().push(value);
                }
            }
        });
    }
}

fn check_object(core: &Core, object: ObjectRef, from: &str, when: &str) {
    let pool = &core.spaces.pool;
    suspect(object.addr(), 0);
    assert!(pool.contains(object.addr()), "{when}: V2: {from} refers to {object:?}, which is outside the heap");
    let kind = pool.table.kind_at(object.addr());
    assert!(
        (kind.is_young() || kind.is_old()) && !kind.is_from(),
        "{when}: V2: {from} refers to {object:?} in a region that is {kind:?}"
    );
    let header = object.header().load(Relaxed);
    assert!(
        header & (FORWARDED | RETAINED) == 0 && header & INFO_MASK != 0 && header != 0xDBDB_DBDB_DBDB_DBDB,
        "{when}: V2: {from} refers to {object:?} in {kind:?}, whose header is {header:#x}"
    );
    assert!(!object.is_filler(), "{when}: V2: {from} refers to {object:?}, which is a filler");
    if !kind.is_large() {
        // A word above: where a stored hash goes.
        assert!(
            object.size() <= LARGE_BYTES + WORD,
            "{when}: V2: {object:?} of {} bytes is not among the large",
            object.size()
        );
    }
}

fn walk_regions(core: &Core, when: &str, swept: bool) {
    let pool = &core.spaces.pool;
    let quiet = !core.is_marking() && swept;
    for region in core.spaces.walkable() {
        let start = pool.start(region.index);
        let mut at = 0;
        while at < region.bytes {
            let object = object_at(start.wrapping_add(at));
            let header = object.header().load(Relaxed);
            suspect(object.addr(), 0);
            assert!(
                header & (FORWARDED | RETAINED) == 0 && header & INFO_MASK != 0 && header != 0xDBDB_DBDB_DBDB_DBDB,
                "{when}: V1: at {at:#x} of region {} ({:?}) stands {header:#x}, no header",
                region.index,
                pool.table.kind(region.index),
            );
            at += object.size();
        }
        assert_eq!(at, region.bytes, "{when}: V1: region {} ends inside an object", region.index);
        if quiet {
            let first = pool.bit(start.addr());
            let marked = pool.marks().next_marked(first, first + REGION_BYTES / WORD);
            assert_eq!(marked, None, "{when}: V4: region {} has a mark bit", region.index);
        }
    }
}

/// Which objects a trace has met: a bit a word of the regions that were ever opened.
struct Seen(Vec<u64>);

impl Seen {
    fn new(core: &Core) -> Self {
        Self(vec![0; core.spaces.pool.table.opened() * (REGION_BYTES / WORD / 64)])
    }
    fn has(&self, core: &Core, object: ObjectRef) -> bool {
        let bit = core.spaces.pool.bit(object.addr());
        self.0[bit / 64] & 1 << (bit % 64) != 0
    }
    fn insert(&mut self, core: &Core, object: ObjectRef) -> bool {
        let bit = core.spaces.pool.bit(object.addr());
        let (word, mask) = (&mut self.0[bit / 64], 1 << (bit % 64));
        let new = *word & mask == 0;
        *word |= mask;
        new
    }
}

/// Who is recorded for which batch, as a question about objects; none while marking has not come to all of them.
#[derive(Default)]
struct Recorded(HashMap<usize, HashSet<ObjectRef>>);

impl Recorded {
    fn of(core: &Core) -> Self {
        let table = &core.spaces.pool.table;
        let batches = if core.is_marking() { 0 } else { Batches::MOST };
        let batch_of = |task: Task| table.batch(table.index(task.object.addr()));
        let standing = |list: &Hosts<Task>| {
            (0..list.len()).filter_map(|at| list.standing(at, batch_of)).map(|task| task.object).collect()
        };
        let hosts = |batch| core.candidates.records.look(batch, |list| (batch, standing(list)));
        Self((0..batches).map_while(hosts).collect())
    }
    /// Whether `target` is a candidate and `host` is not recorded for its batch.
    fn misses(&self, core: &Core, host: ObjectRef, target: ObjectRef) -> bool {
        let table = &core.spaces.pool.table;
        let batch = core.candidates.batch_of(&core.spaces, table.index(target.addr()));
        batch.and_then(|batch| self.0.get(&batch)).is_some_and(|hosts| !hosts.contains(&host))
    }
}

/// The remembered set, as questions about objects.
struct Cover {
    places: BTreeSet<usize>,
    objects: HashSet<ObjectRef>,
    weak: HashSet<ObjectRef>,
}

impl Cover {
    fn of(core: &Core) -> Self {
        let mut cover = Self { places: BTreeSet::new(), objects: HashSet::new(), weak: HashSet::new() };
        for entry in core.remembered.lock().iter() {
            match entry {
                Remembered::Place(place, _) => drop(cover.places.insert(place.0.addr())),
                Remembered::Object(task) => drop(cover.objects.insert(task.object)),
                Remembered::Weak(object) => drop(cover.weak.insert(*object)),
            }
        }
        cover
    }
    fn covers(&self, object: ObjectRef) -> bool {
        let range = object.addr()..object.addr() + object.size();
        self.objects.contains(&object) || self.places.range(range).next().is_some()
    }
}
