//! Where tracing begins: what a stopped world shows the collector.
use crate::mark::worker::MarkWorker;
use crate::mutator_local::MutatorLocal;
use crate::object::raw::ObjectRef;
use crate::object::trace::EdgeList;
use crate::scavenge::worker::ScavengeWorker;

/// The roots and mutators of a stopped world; the runtime implements it.
pub trait Roots {
    /// Shows every root to a marker.
    fn mark(&self, v: &mut MarkWorker);
    /// Shows every root to a mover; with `young_only`, roots known to refer to nothing young may be left out.
    fn relocate(&self, v: &mut ScavengeWorker, young_only: bool);
    /// Shows every root to a list.
    fn list(&self, v: &mut EdgeList<'_>);
    /// Lists the objects that must stay where they are; each is a root too.
    fn pinned(&self, f: &mut dyn FnMut(ObjectRef));
    /// Shows every mutator's part.
    fn locals(&self, f: &mut dyn FnMut(&MutatorLocal));
}
