//! What the workers of a scavenge found and did, to be put together at its end.
use crate::compact::records::Batches;
use crate::mutator_local::Remembered;
use crate::object::raw::ObjectRef;
use crate::object::task::Task;

/// What a worker found and did.
#[derive(Default)]
pub(crate) struct Findings {
    /// Old places that still refer to something young.
    pub remembered: Vec<Remembered>,
    /// Live objects with weak references that moved.
    pub weak: Vec<ObjectRef>,
    /// Old objects that refer weakly to something young.
    pub weak_old: Vec<ObjectRef>,
    /// Objects for which there was no room, not scanned yet.
    pub retained: Vec<ObjectRef>,
    /// The regions that hold retained objects; with repetitions.
    pub retained_in: Vec<usize>,
    /// Old objects shaded.
    pub shaded: Vec<ObjectRef>,
    /// Old objects that refer to candidates.
    pub hosts: Vec<(Batches, Task)>,
    /// Bytes copied within the young generation.
    pub copied: usize,
    /// Bytes copied to the old generation.
    pub promoted: usize,
    /// Objects copied or promoted.
    pub objects: usize,
}

impl Findings {
    /// Both findings together.
    pub(crate) fn and(mut self, mut other: Self) -> Self {
        self.remembered.append(&mut other.remembered);
        self.weak.append(&mut other.weak);
        self.weak_old.append(&mut other.weak_old);
        self.retained.append(&mut other.retained);
        self.retained_in.append(&mut other.retained_in);
        self.shaded.append(&mut other.shaded);
        self.hosts.append(&mut other.hosts);
        self.copied += other.copied;
        self.promoted += other.promoted;
        self.objects += other.objects;
        self
    }
}
