//! Every order that a protocol leans on, by name, and every mistake that can be planted.
//!
//! ```text
//!   ord::forward_publish()     Release   ──armed──▶  Relaxed
//!   ord::slot_exchange()       AcqRel    ──armed──▶  Relaxed, Acquire or Release
//!   bug::unpark_ignores_ask()  false     ──armed──▶  true
//! ```
//!
//! In a build that ships both are constants and nothing is left of them. In a build for models (`--cfg loom`, or
//! `--cfg gc_mutants` for real threads) one mutant can be armed while the program runs, so that one build serves all.
//! `loom-tests/tests/mutants.rs` holds, for each site, the model that must die of it and the words it must say, and weakens
//! every order in every way there is.
//!
//! A new site is one line in the table below, with its doc comment, and one line in that file.

use crate::sync::Ordering;

#[cfg(any(loom, gc_mutants))]
mod armed {
    use super::{Mutant, Site};
    // std's on purpose: the harness writes it before a model runs, and no model should see it.
    use std::sync::atomic::{AtomicUsize, Ordering, Ordering::Relaxed};

    /// A site's number, and in the bits above it which order stands there instead.
    static ARMED: AtomicUsize = AtomicUsize::new(usize::MAX);
    const BITS: u32 = 16;

    pub(super) fn arm(mutant: Option<Mutant>) {
        let weak = |to| match to {
            Some(Ordering::Acquire) => 1,
            Some(Ordering::Release) => 2,
            _ => 0,
        };
        let word = mutant.map_or(usize::MAX, |m| m.site as usize | weak(m.to) << BITS);
        ARMED.store(word, Relaxed);
    }
    pub(super) fn is(site: Site) -> bool {
        weakened(site).is_some()
    }
    /// The order that stands at a site instead of its own, if it is armed.
    pub(super) fn weakened(site: Site) -> Option<Ordering> {
        let word = ARMED.load(Relaxed);
        if word & ((1 << BITS) - 1) != site as usize {
            return None;
        }
        Some(match word >> BITS {
            1 => Ordering::Acquire,
            2 => Ordering::Release,
            _ => Ordering::Relaxed,
        })
    }
}

macro_rules! table {
    (
        orders { $($(#[doc = $order_doc:literal])+ $order:ident = $strong:ident;)* }
        bugs { $($(#[doc = $bug_doc:literal])+ $bug:ident;)* }
    ) => {
        /// A place where a mistake can be planted.
        #[allow(non_camel_case_types, reason = "a site is spelled as the function that stands at it")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Site {
            $($(#[doc = $order_doc])+ $order,)*
            $($(#[doc = $bug_doc])+ $bug,)*
        }

        /// All of them.
        pub const SITES: &[Site] = &[$(Site::$order,)* $(Site::$bug,)*];

        /// Those of them that are orders, as they are written.
        pub const ORDERS: &[(Site, Ordering)] = &[$((Site::$order, Ordering::$strong),)*];

        /// The orders.
        pub mod ord {
            #[allow(unused_imports, reason = "the sites are named only where one can be armed")]
            use super::{Ordering, Site};
            $(
                $(#[doc = $order_doc])+
                #[inline(always)]
                pub fn $order() -> Ordering {
                    #[cfg(any(loom, gc_mutants))]
                    if let Some(weakened) = super::armed::weakened(Site::$order) {
                        return weakened;
                    }
                    Ordering::$strong
                }
            )*
        }

        /// The mistakes; each is false in a build that ships.
        pub mod bug {
            $(
                $(#[doc = $bug_doc])+
                #[inline(always)]
                pub fn $bug() -> bool {
                    #[cfg(any(loom, gc_mutants))]
                    {
                        super::armed::is(super::Site::$bug)
                    }
                    #[cfg(not(any(loom, gc_mutants)))]
                    {
                        false
                    }
                }
            )*
        }
    };
}

table! {
    orders {
        /// Whoever reads a published table sees its content.
        published_read = Acquire;
        /// A new version's content is published with it, and the old one is freed after its last writer.
        published_replace = AcqRel;
        /// Whoever finds an object forwarded reads its copy.
        forward_probe = Acquire;
        /// The finished copy is published by the address that leads to it.
        forward_publish = Release;
        /// The loser of a copy race reads the winner's copy.
        forward_lost = Acquire;
        /// Who follows a slot finds the object behind it written.
        slot_publish = Release;
        /// Who follows a slot finds the object behind it written.
        slot_follow = Acquire;
        /// Who exchanges a reference publishes one and follows the other.
        slot_exchange = AcqRel;
        /// Who takes a lock sees what its last holder did.
        lock_take = Acquire;
        /// Who takes a lock sees what its last holder did.
        lock_give = Release;
        /// A marker sees what a lock's last holder did.
        lock_look = Acquire;
        /// A marker has read what a lock guards before its next holder writes.
        lock_looked = Release;
        /// An idle worker's effects are visible to whoever sees the phase over.
        termination_offer = AcqRel;
        /// Who sees the phase over sees what was done in it.
        termination_over = Acquire;
        /// A guest sees what the leader prepared.
        gate_open = Release;
        /// A guest sees what the leader prepared.
        gate_enter = Acquire;
        /// The leader sees what its guests did.
        gate_leave = Release;
        /// The leader sees what its guests did.
        gate_empty = Acquire;
        /// A sweep that lowers a chunk's flag sees the roots that were dropped before it was raised.
        root_touched = Release;
        /// A sweep that lowers a chunk's flag sees the roots that were dropped before it was raised.
        root_swept = Acquire;
        /// The leader of a stop sees what a mutator did before it parked.
        park = Release;
        /// The leader of a stop sees what a mutator did before it parked.
        ask = Acquire;
        /// A mutator that resumes sees what the stop did.
        release = Release;
        /// A mutator that resumes sees what the stop did.
        unpark = Acquire;
    }
    bugs {
        /// A stop begins while a helper still marks.
        marker_ignores_stop;
        /// A store into an old object does not remember that its target is young.
        barrier_forgets_young;
        /// A store into an old object does not shade its target while marking.
        barrier_forgets_shade;
        /// A store shades its target only if its host looks black.
        barrier_looks_at_its_host;
        /// An old lock that was taken is not in the remembered set.
        lock_is_not_listed;
        /// An object that is born black does not show its references.
        birth_forgets_its_references;
        /// What a mutator has shaded is dropped when the mutator hands it over.
        shaded_are_not_handed_over;
        /// The stop that begins marking leaves one mutator's barrier off.
        turning_on_misses_a_mutator;
        /// The stop that ends marking leaves one mutator's barrier on.
        turning_off_misses_a_mutator;
        /// A store into an old object does not remember that its target is to be moved.
        barrier_forgets_candidates;
        /// A marker does not record who refers to what is to be moved.
        marker_forgets_hosts;
        /// A scavenge does not record that what it promotes refers to what is to be moved.
        promotion_forgets_hosts;
        /// What was recorded is dropped when it is handed over.
        hosts_are_not_handed_over;
        /// A host is visited where it stood before it was moved itself.
        stale_hosts_are_visited;
        /// Gaps of a region that is to be emptied are handed out.
        candidates_gaps_are_handed_out;
        /// Objects that must not move are looked at when others are copying already.
        pins_come_late;
        /// Sweeping begins, and then what refers into dead objects is dropped.
        sweep_begins_before_the_purge;
        /// Looks which region is next to be swept, and then takes the next one off the list.
        sweep_claim_is_a_look;
        /// A marker looks at what a held lock guards.
        marker_looks_into_held_locks;
        /// A marker lists an entry of a table under its key, and does not look at the key again.
        entry_waits_unchecked;
        /// Who reaches a key does not show what waits for it.
        reached_key_wakes_nobody;
        /// What is put into a table while marking goes on is not shaded.
        table_is_filled_unshaded;
        /// Follows a weak reference to what marking has found dead, as long as the reference is not cleared.
        weak_look_ignores_marks;
        /// Sweeping begins after the first slice of clearing.
        sweep_begins_before_clearing_ends;
        /// An old table that something young is put into is not remembered.
        table_forgets_young;
        /// A weak container that is promoted while marking goes on is not listed for its end.
        black_table_is_forgotten;
        /// What a turn has seen through weak references is no root.
        turn_keeps_nothing;
        /// A marker leaves the gate before it has handed over what it holds.
        marker_leaves_with_its_work;
        /// Installs a forwarding address with a plain store: the last worker wins, and so did the first.
        forward_without_claim;
        /// Retains an object with a plain store: two workers scan it at once.
        retain_without_claim;
        /// The loser of a copy race leaves its copy in its buffer: a walker finds an object that is none.
        loser_keeps_its_space;
        /// Marks by loading, or-ing and storing: a neighbour's bit is lost, or one object is pushed twice.
        mark_without_claim;
        /// Clears part of a word by loading, masking and storing: a mark set meanwhile is lost.
        clear_without_claim;
        /// An idle worker takes work before it counts as active: the phase ends while it holds some.
        termination_take_before_reenter;
        /// A helper enters a phase that is over.
        termination_revive;
        /// Publishing gives away the older segment and keeps the newer.
        publish_forgets_the_hot_segment;
        /// A view takes its work with it when it goes.
        dropped_view_loses_its_work;
        /// Writes the length of the shared stack after giving back its lock: it may say 0 for ever.
        worklist_hint_outside_the_lock;
        /// A stop moves a root by a plain store: one that was dropped meanwhile is back.
        root_is_moved_by_a_store;
        /// Who drops a root raises the flag, and then drops it: a sweep between the two sees neither.
        root_raises_its_flag_first;
        /// Looks whether the gate is open, and then enters: it may have closed between.
        gate_enter_unchecked;
        /// A stopped mutator works in a phase without going through its gate: the stop may end meanwhile.
        hand_works_outside_the_gate;
        /// The last guest says that it has left, and then leaves.
        gate_notify_before_leaving;
        /// Looks whether a stop is asked for, and then resumes: one may have been asked for between.
        unpark_without_claim;
        /// Resumes through a stop.
        unpark_ignores_ask;
        /// A mutator attaches, and may run, while a leader waits for its stragglers.
        attach_in_a_stop;
        /// A mutator copies the heap's phase before it is registered: a stop changes it and does not see the copy.
        attach_copies_the_phase_early;
        /// A mutator leaves while a leader waits for its stragglers, and goes on with what it copied of the phase.
        detach_in_a_stop;
        /// A leader asks before those whom the last stop kept waiting have gone on.
        stop_overtakes_the_waking;
        /// A promoted object that still refers to a survivor leaves no entry in the remembered set.
        promotion_forgets_its_young;
        /// A remembered place that still refers to a survivor is dropped from the list, and keeps its bit.
        remembered_place_is_dropped;
        /// A bulk store into an old array does not remember that its targets are young.
        range_forgets_young;
        /// A bulk store into an old array does not shade its targets while marking.
        range_forgets_shade;
        /// A weak cell goes on to hold its target after that has died.
        weak_keeps_the_dead;
        /// Who asks where a live object is now is told where it was.
        forwarding_is_stale;
        /// The first chunk of root slots is not shown to a scavenge.
        roots_skip_a_chunk;
        /// Live locals of `keep!` are not shown to a scavenge.
        frames_are_skipped;
        /// The rest of a retired buffer is not filled.
        lab_tail_is_lost;
        /// The rest of an overflow region is not filled.
        overflow_tail_is_lost;
        /// The sweep begins to look one word late: an object at a region's start is swept though it is black.
        sweep_looks_one_late;
        /// The sweep leaves the mark bits of a region's first words.
        sweep_leaves_marks;
        /// The last slice of a long array is never visited.
        slice_ends_early;
        /// A map does not show the value of a key that is alive.
        ephemeron_value_is_skipped;
        /// A registry does not show what it holds for the living.
        registry_forgets_held;
        /// A young object that died stays on the list of those with drop glue.
        dead_are_buried_twice;
        /// What is promoted while marking goes on stays white.
        promoted_stays_white;
        /// When marking ends, the gaps of regions that are not swept yet can still be handed out.
        unswept_gaps_are_reused;
        /// Entries of the remembered set whose host has died stay.
        purge_keeps_the_dead;
        /// An object that moves for the first time leaves its identity hash behind.
        hash_is_left_behind;
        /// A large old object is freed though it is black.
        large_is_freed_black;
        /// Objects that stay where they are, because there is no room, are not scanned.
        retained_are_not_scanned;
    }
}

/// One mistake: a site, and for an order the one that stands there instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Where.
    pub site: Site,
    /// For an order, what it is weakened to.
    pub to: Option<Ordering>,
}

/// Every mistake there is: each order weakened in every way, each bug.
pub fn mutants() -> Vec<Mutant> {
    SITES.iter().flat_map(|site| site.mutants()).collect()
}

/// Plants a mistake, or none. Called before a model runs, never while it does.
#[cfg(any(loom, gc_mutants))]
pub fn arm(mutant: Option<Mutant>) {
    armed::arm(mutant);
}

impl Site {
    /// What can be done to it; the worst first.
    pub fn mutants(self) -> Vec<Mutant> {
        let strong = ORDERS.iter().find(|order| order.0 == self).map(|order| order.1);
        let weaker: &[Option<Ordering>] = match strong {
            None => &[None],
            Some(Ordering::AcqRel) => &[Some(Ordering::Relaxed), Some(Ordering::Acquire), Some(Ordering::Release)],
            Some(_) => &[Some(Ordering::Relaxed)],
        };
        weaker.iter().map(|&to| Mutant { site: self, to }).collect()
    }
}

impl Mutant {
    /// The mutant spelled `site`, or `site:Acquire` where an order has several.
    pub fn by_name(name: &str) -> Option<Self> {
        let whole = |mutant: &Mutant| format!("{:?}", mutant.site) == name;
        let all = mutants();
        all.iter().find(|mutant| whole(mutant) || mutant.to_string() == name).copied()
    }
}

impl std::fmt::Display for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to {
            Some(order) => write!(f, "{:?}:{order:?}", self.site),
            None => write!(f, "{:?}", self.site),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_nothing_armed_an_order_is_the_one_written() {
        assert_eq!(ord::forward_publish(), Ordering::Release);
        assert!(!bug::forward_without_claim());
    }

    #[test]
    fn every_mutant_is_found_by_its_name() {
        for mutant in mutants() {
            assert_eq!(Mutant::by_name(&mutant.to_string()), Some(mutant));
        }
        assert_eq!(Mutant::by_name("no_such_site"), None);
    }

    #[test]
    fn an_order_in_both_directions_is_weakened_in_three_ways() {
        let ways: Vec<_> = Site::slot_exchange.mutants().into_iter().filter_map(|mutant| mutant.to).collect();
        assert_eq!(ways, [Ordering::Relaxed, Ordering::Acquire, Ordering::Release]);
        assert_eq!(Mutant::by_name("slot_exchange").and_then(|mutant| mutant.to), Some(Ordering::Relaxed));
    }
}
