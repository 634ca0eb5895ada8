//! Weak references, ephemerons and finalization registries.
use crate::common::{Node, age, heap, litter, moving_heap, node, root_node, young_heap};
use orinoco::{Cx, FinalizationRegistry, Gc, Lock, Mutator, Root, Slot, Trace, Weak, WeakMap, WeakSet, safepoint};
use std::sync::atomic::{AtomicBool, Ordering};

mod callbacks;
mod cells;
mod ephemerons;
mod registries;
mod story;
mod tables;
mod threads;
mod turns;

type Map<'gc> = WeakMap<Node<'gc>, Gc<'gc, Node<'gc>>>;
type Registry<'gc> = FinalizationRegistry<Gc<'gc, Node<'gc>>>;
/// One way of collecting.
type Collect = fn(&mut Mutator<()>);

const EVERY_WAY: [Collect; 3] = [|m| m.collect_young(), |m| m.collect(), |m| m.collect_compact()];
