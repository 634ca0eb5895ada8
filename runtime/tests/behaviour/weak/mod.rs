//! Weak references, ephemerons and finalization registries.
//!
//! What other collectors' suites ask of these, and where it is asked here:
//!
//! | a behaviour | its test |
//! | --- | --- |
//! | key dead, value dead; self-key, cycles through values | `ephemerons::the_value_of_a_dead_key_dies…`, `a_value_that_refers_to_its_own_key…` |
//! | chains, linear in their length, in both orders, across tables | `ephemerons::the_work_is_linear…`, `chains_are_followed_by_markers…` |
//! | a table's memory shrinks | `tables::a_table_gives_back…` |
//! | a target is kept to the end of the turn, while marking too | `turns::a_target_once_seen…`, `what_was_seen_while_marking…` |
//! | a young weak reference is cleared by a scavenge | `cells::a_weak_reference_to_a_young_object…` |
//! | weak references are cleared before any finalizer | `callbacks::weak_references_are_cleared…` |
//! | one callback for each object, after its death, never in the pause | `callbacks::one_callback_for_each_object…` |
//! | unregister at each moment; many; twice | `callbacks::unregister_holds_at_each_moment`, `…in_a_callback…`, `many_records…` |
//! | a dead registry calls nobody | `callbacks::a_registry_that_is_dead…` |
//! | a callback that throws loses no other | `callbacks::a_callback_that_throws…` |
//! | a collection, an allocation, a registration in a callback | `callbacks::a_callback_may_collect…`, `what_a_callback_allocates…`, `a_callback_may_register…` |
//! | nothing is resurrected | `registries::…`, by type: no callback can name its target |
//! | drop glue once, at any age, with the heap, on any thread | `drops` |
use crate::common::{Node, Rng, age, heap, litter, moving_heap, node, root_node, young_heap};
use orinoco::{Cx, FinalizationRegistry, Gc, Lock, Mutator, Root, Slot, Trace, Weak, WeakMap, WeakSet, safepoint};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

mod callbacks;
mod cells;
mod clearing;
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
