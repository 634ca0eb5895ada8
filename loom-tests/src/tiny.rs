//! A heap of a few objects with two slots each, for models of marking: the objects are toys, and what is done to them is
//! the code that ships.

use crate::Shared;
use orinoco::model::world::registry::Occupant;
use orinoco_collector::model::jobs::Marking;
use orinoco_collector::model::mark_bitmap::MarkBitmap;
use orinoco_collector::model::shade::{be_born, follow, hand_over, publish, shade};
use orinoco_collector::model::sync::{Arc, AtomicPtr, AtomicUsize, Ordering::Relaxed};
use orinoco_collector::model::worklist::shared::{Local, Worklist};
use std::ptr::without_provenance_mut;

/// An object's number.
pub type Object = usize;

/// What a slot holds.
fn word(target: Option<Object>) -> *mut u8 {
    without_provenance_mut(target.map_or(0, |object| object + 1))
}

fn target(word: *mut u8) -> Option<Object> {
    word.addr().checked_sub(1)
}

/// Old objects, their mark bits, and the list of the grey ones.
pub struct Tiny {
    slots: Vec<[AtomicPtr<u8>; 2]>,
    marks: Vec<AtomicUsize>,
    /// Objects to scan.
    pub grey: Worklist<Object>,
}

/// A mutator's part in marking, in plain memory: its own while it runs, the leader's in a stop.
#[derive(Default)]
pub struct Part {
    /// Whether it shades.
    pub marking: bool,
    /// What it has shaded.
    pub shaded: Vec<Object>,
}

/// A mutator of a tiny heap.
pub struct Toy(pub Shared<Part>);

impl Toy {
    /// One that joins while marking is on, or not.
    pub fn new(marking: bool) -> Self {
        Self(Shared::new(Part { marking, shaded: Vec::new() }))
    }
}

impl Occupant for Toy {
    fn asked(&self) {}
    fn released(&self) {}
}

impl Tiny {
    /// Objects whose slots hold what is listed for them.
    pub fn new(objects: &[[Option<Object>; 2]]) -> Arc<Self> {
        Arc::new(Self {
            slots: objects.iter().map(|slots| slots.map(|target| AtomicPtr::new(word(target)))).collect(),
            marks: vec![AtomicUsize::new(0)],
            grey: Worklist::new(),
        })
    }
    /// The mark bits; an object's is its number.
    pub fn marks(&self) -> MarkBitmap<'_> {
        MarkBitmap::new(&self.marks)
    }
    /// Reads a slot.
    pub fn load(&self, host: Object, slot: usize) -> Option<Object> {
        target(follow(&self.slots[host][slot]))
    }
    /// Stores without a barrier: no reference.
    pub fn clear(&self, host: Object, slot: usize) {
        self.slots[host][slot].store(word(None), Relaxed);
    }
    /// Writes a slot of an object that nobody else knows.
    pub fn initialise(&self, host: Object, slot: usize, to: Object) {
        self.slots[host][slot].store(word(Some(to)), Relaxed);
    }
    /// Stores with the barrier.
    pub fn store(&self, part: &mut Part, host: Object, slot: usize, to: Object) {
        publish(&self.slots[host][slot], word(Some(to)));
        if part.marking {
            self.shade(host, to, &mut part.shaded);
        }
    }
    fn shade(&self, host: Object, to: Object, shaded: &mut Vec<Object>) {
        shade(self.marks(), to, || self.marks().is_marked(host), || shaded.push(to));
    }
    /// An object is born old while marking, complete and unknown.
    pub fn be_born(&self, part: &mut Part, object: Object) {
        be_born(self.marks(), object, || {
            for slot in 0..2 {
                if let Some(to) = self.load(object, slot) {
                    self.shade(object, to, &mut part.shaded);
                }
            }
        });
    }
    /// In a stop: takes over what a mutator has shaded.
    pub fn take(&self, part: &Shared<Part>) {
        hand_over(part.update(|part| std::mem::take(&mut part.shaded)), &self.grey);
    }
    /// In a stop: shows a root.
    pub fn show_root(&self, root: Object) {
        if self.marks().try_mark(root) {
            hand_over([root], &self.grey);
        }
    }
    /// Scans one object.
    pub fn scan(&self, object: Object, local: &mut Local<Object>) {
        for slot in 0..2 {
            if let Some(to) = self.load(object, slot)
                && self.marks().try_mark(to)
            {
                local.push(&self.grey, to);
            }
        }
    }
    /// With nobody beside: everything that can be reached from `root` is marked.
    pub fn assert_marked_from(&self, root: Object) {
        let (mut seen, mut todo) = (vec![false; self.slots.len()], vec![root]);
        while let Some(object) = todo.pop() {
            if !std::mem::replace(&mut seen[object], true) {
                assert!(self.marks().is_marked(object), "object {object} can be reached and was not marked");
                todo.extend((0..2).filter_map(|slot| self.load(object, slot)));
            }
        }
    }
}

/// A marker of a tiny heap.
pub struct TinyMarker {
    heap: Arc<Tiny>,
    local: Local<Object>,
}

impl TinyMarker {
    /// One that holds nothing.
    pub fn new(heap: &Arc<Tiny>) -> Self {
        Self { heap: heap.clone(), local: Local::new() }
    }
    /// Scans until nothing is left to take.
    pub fn drain(&mut self) {
        let dry = self.mark_until(|| false);
        assert!(dry && self.local.is_empty());
    }
}

impl Marking for TinyMarker {
    fn mark_until(&mut self, mut told: impl FnMut() -> bool) -> bool {
        while let Some(object) = self.local.pop(&self.heap.grey) {
            self.heap.scan(object, &mut self.local);
            if told() {
                return false;
            }
        }
        true
    }
    fn hand_over(&mut self) -> usize {
        self.local.publish(&self.heap.grey);
        0
    }
}
