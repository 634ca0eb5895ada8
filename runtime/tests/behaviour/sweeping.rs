//! What has died in old regions becomes room again: in gaps between the living, or as whole regions given back; and regions
//! with few living are emptied.
use crate::common::{age, config, litter};
use orinoco::{Bytes, Cx, Gc, Heap, HeapConfig, Mutator, Root, Slot, Zeal};

/// Where the environment asks for zeal it is not for here: tens of megabytes that move at every safepoint take minutes, and have no
/// gaps to speak of.
fn roomy() -> HeapConfig {
    config().zeal(Zeal::OFF)
}

fn heap() -> Heap {
    Heap::new(roomy()).expect("the configuration is in range")
}

type Table<'gc> = [Slot<Option<Gc<'gc, [u64]>>>];

/// `n` old arrays of 64 words, each with its number in every word.
fn old_arrays(m: &mut Mutator<()>, n: usize) -> Root<Table<'static>> {
    let table = {
        let cx: &Cx = m;
        let empty: Gc<'_, Table<'_>> = cx.alloc_slice(n, |_| Slot::new(None));
        cx.root(empty)
    };
    for i in 0..n {
        {
            let cx: &Cx = m;
            table.get(cx)[i].set(cx, Some(cx.alloc_slice(64, |_| i as u64)));
        }
        m.safepoint();
    }
    age(m);
    table
}

/// Lets go of all but each `nth`.
fn thin_out(cx: &Cx, table: &Root<Table<'static>>, nth: usize) {
    table.get(cx).iter().enumerate().filter(|(i, _)| i % nth != 0).for_each(|(_, slot)| slot.set(cx, None));
}

fn assert_whole(cx: &Cx, table: &Root<Table<'static>>, nth: usize) {
    for (i, slot) in table.get(cx).iter().enumerate() {
        let array = slot.get();
        assert_eq!(array.is_some(), i % nth == 0);
        assert!(array.is_none_or(|a| a.len() == 64 && a.iter().all(|w| *w == i as u64)), "array {i} has changed");
    }
}

#[test]
fn swept_memory_is_used_again_and_what_lives_beside_it_is_untouched() {
    let heap = heap();
    heap.enter((), |m| {
        let mut kept = Vec::new();
        let mut most = 0;
        for round in 0..8 {
            let table = old_arrays(m, 4000);
            thin_out(m, &table, 16);
            m.collect();
            kept.push(table);
            kept.iter().for_each(|table| assert_whole(m, table, 16));
            let committed = heap.statistics().committed.get();
            if round == 1 {
                most = committed;
            }
        }
        // Six more rounds of two megabytes each came into the gaps of the first two, but for what lives.
        let grown = heap.statistics().committed.get() - most;
        assert!(grown < 6 << 20, "{} more", Bytes::new(grown));
    });
}

#[test]
fn a_region_in_which_nothing_lives_is_given_back() {
    let heap = heap();
    heap.enter((), |m| {
        let table = old_arrays(m, 20_000);
        m.collect();
        let full = heap.statistics();
        drop(table);
        m.collect();
        let empty = heap.statistics();
        assert!(full.old_used.get() > 10 << 20 && empty.old_used.get() < 1 << 20, "{full:?}, {empty:?}");
        assert!(empty.committed.get() + (9 << 20) < full.committed.get(), "{} are in use", empty.committed);
    });
}

/// What the last marking found dead comes before more memory, region by region.
#[test]
fn promotion_sweeps_before_it_asks_for_more_memory() {
    // No clock and no guess decides what is promoted: everything is, in the scavenge that finds it alive.
    let zeal = Zeal { promote: true, ..Zeal::OFF };
    let config = HeapConfig::new().helpers(0).limit(Bytes::mib(256)).nursery(Bytes::mib(1)).initial_old(Bytes::mib(1));
    let heap = Heap::new(config.compaction(orinoco::Compaction::Off).zeal(zeal)).unwrap();
    heap.enter((), |m| {
        let table = old_arrays(m, 60_000);
        // A cycle that had begun by now would not see what is about to die.
        m.collect();
        thin_out(m, &table, 50);
        m.begin_collection();
        while heap.statistics().regions_unswept == 0 {
            litter(m, 300_000);
            m.safepoint();
        }
        let before = heap.statistics();
        let more = old_arrays(m, 10_000);
        let after = heap.statistics();
        assert!(after.bytes_promoted - before.bytes_promoted > 5 << 20, "{after:?}");
        let grown = after.committed.get().saturating_sub(before.committed.get());
        assert!(grown <= 1 << 20, "five megabytes were promoted, and the heap grew by {}", Bytes::new(grown));
        assert_whole(m, &table, 50);
        assert_whole(m, &more, 1);
    });
}

#[test]
fn a_collection_that_begins_in_the_midst_of_a_sweep_ends_it_first() {
    // Without helpers a sweep goes on a few regions at a time.
    let config = HeapConfig::new().helpers(0).verify(true).limit(Bytes::mib(256)).nursery(Bytes::mib(1));
    // Nor are there more than a few, once they are compacted.
    let heap = Heap::new(config.initial_old(Bytes::mib(1)).compaction(orinoco::Compaction::Off)).unwrap();
    heap.enter((), |m| {
        let table = old_arrays(m, 40_000);
        thin_out(m, &table, 8);
        m.begin_collection();
        let mut met = 0;
        for _ in 0..3 {
            while heap.statistics().regions_unswept == 0 {
                litter(m, 300_000);
                m.safepoint();
            }
            met += 1;
            m.collect();
            assert_eq!(heap.statistics().regions_unswept, 0);
            assert_whole(m, &table, 8);
            m.begin_collection();
        }
        assert_eq!(met, 3);
    });
}

/// Collects beside the program until what was chosen is emptied; three times, for the first cycle may have begun before.
fn compact_beside(heap: &Heap, m: &mut Mutator<()>) {
    for _ in 0..3 {
        // No cycle begins before the last one is swept; each stop has the helper go on with that.
        while heap.statistics().regions_unswept > 0 {
            m.collect_young();
        }
        let ended = heap.statistics().full_collections;
        m.begin_collection();
        for round in 0.. {
            let s = heap.statistics();
            if s.full_collections > ended && s.candidates == 0 && s.regions_unswept == 0 {
                break;
            }
            assert!(round < 10_000, "a cycle does not end: {s:?}");
            litter(m, 100_000);
            m.safepoint();
        }
    }
}

/// Bytes of regions that are no nursery.
fn footprint(heap: &Heap) -> usize {
    let s = heap.statistics();
    s.committed.get() - (1 << 20).max(s.young_used.get())
}

#[test]
fn a_compacting_collection_leaves_little_more_than_what_lives() {
    let heap = heap();
    heap.enter((), |m| {
        let table = old_arrays(m, 40_000);
        thin_out(m, &table, 10);
        m.collect_compact();
        let live = heap.statistics().old_used.get();
        assert!(live > 2 << 20 && live < 4 << 20, "{live} bytes live");
        assert!(footprint(&heap) <= live * 11 / 10 + (256 << 10), "{} for {live}", footprint(&heap));
        assert_whole(m, &table, 10);
    });
}

#[test]
fn a_fragmented_heap_is_compacted_beside_the_program_and_an_unfragmented_one_is_left_alone() {
    for (nth, emptied) in [(12, true), (1, false)] {
        let heap = heap();
        heap.enter((), |m| {
            let table = old_arrays(m, 40_000);
            thin_out(m, &table, nth);
            let before = footprint(&heap);
            compact_beside(&heap, m);
            let s = heap.statistics();
            assert_eq!(s.regions_emptied > 0, emptied, "{s:?}");
            if emptied {
                let live = 40_000 / nth * 528 + 8 * 40_000;
                assert!(footprint(&heap) < live * 3 / 2, "{} before, {} now, {live} live", before, footprint(&heap));
            }
            assert_whole(m, &table, nth);
        });
    }
}

/// Whole collections gave up what marking had chosen for compaction: a heap in which little lived, all over the place,
/// was as good as full for whoever needed regions of its own.
#[test]
fn who_is_refused_beside_gaps_is_served_when_they_are_closed() {
    let heap = Heap::new(roomy().limit(Bytes::mib(32))).unwrap();
    heap.enter((), |m| {
        let table = old_arrays(m, 40_000);
        thin_out(m, &table, 12);
        m.collect();
        assert_eq!(m.try_alloc_slice(2 << 20, |_| 1u64).err(), Some(orinoco::AllocError::LimitReached));
        let sum = m.attempt(|cx, ()| cx.try_alloc_slice(2 << 20, |_| 1u64).map(|all| all.len()));
        assert_eq!(sum.ok(), Some(2 << 20), "{:?}", heap.statistics());
        assert_whole(m, &table, 12);
    });
}

/// Whoever collected when it thought fit gave up, each time, what the last cycle had chosen to empty: under sixteen mutators 20 MiB
/// came to lie in 500 MiB of regions, and the heap refused them more.
#[test]
fn a_heap_that_is_collected_when_asked_is_compacted_too() {
    let heap = heap();
    heap.enter((), |m| {
        let table = old_arrays(m, 40_000);
        thin_out(m, &table, 12);
        // The first one finds the dead, the second knows of the gaps when it begins, the third empties.
        (0..3).for_each(|_| m.collect());
        let live = 40_000 / 12 * 528 + 8 * 40_000;
        assert!(footprint(&heap) < live * 3 / 2, "{} for {live} that live", footprint(&heap));
        let s = heap.statistics();
        assert!(s.compactions > 0 && s.regions_emptied > 0 && s.bytes_promoted > 0, "{s:?}");
        assert_whole(m, &table, 12);
    });
}

/// A cycle that was due because of gaps began anew, and chose anew, before what the last one had chosen was emptied.
#[test]
fn what_was_chosen_is_emptied_before_the_next_cycle_begins() {
    let heap = heap();
    heap.enter((), |m| {
        let table = old_arrays(m, 40_000);
        thin_out(m, &table, 12);
        (0..2).for_each(|_| m.collect());
        let (chosen, cycles) = (heap.statistics().candidates, heap.statistics().full_collections);
        assert!(chosen > 20, "{chosen}");
        heap.pressure(orinoco::Pressure::Moderate);
        while heap.statistics().full_collections == cycles {
            litter(m, 10_000);
            m.safepoint();
        }
        assert!(heap.statistics().regions_emptied >= chosen / 2, "{:?}", heap.statistics());
    });
}

/// The time to copy in was used up by roots and remembered places before the first copy was made: of many survivors' regions
/// each scavenge made old ones, for the little that lived in them.
#[test]
fn survivors_that_were_to_be_expected_are_copied_however_long_it_takes() {
    let config = HeapConfig::new().helpers(0).limit(Bytes::mib(64)).nursery(Bytes::mib(1));
    let heap = Heap::new(config.pause_target(std::time::Duration::from_micros(100))).unwrap();
    heap.enter((), |m| {
        for _ in 0..20 {
            let _kept: Vec<Root<[u64]>> = {
                let cx: &Cx = m;
                (0..2_000u64).map(|i| cx.root(cx.alloc_slice(15, |_| i))).collect()
            };
            m.collect_young();
        }
        let s = heap.statistics();
        assert!(s.bytes_copied + s.bytes_promoted > 20 * 200_000, "{s:?}");
        assert_eq!(s.regions_retained, 0, "{s:?}");
    });
}

#[test]
fn compaction_can_be_switched_off() {
    let heap = Heap::new(roomy().compaction(orinoco::Compaction::Off)).unwrap();
    heap.enter((), |m| {
        let table = old_arrays(m, 20_000);
        thin_out(m, &table, 12);
        compact_beside(&heap, m);
        assert_eq!(heap.statistics().regions_emptied, 0);
        assert_whole(m, &table, 12);
    });
}

#[test]
fn a_pinned_object_keeps_its_region_and_no_other_is_kept() {
    let heap = heap();
    heap.enter((), |m| {
        let table = old_arrays(m, 40_000);
        thin_out(m, &table, 12);
        let (pin, at) = {
            let array = table.get(m)[12_000].get().expect("it is one that stays");
            (m.pin(array), Gc::addr(array))
        };
        compact_beside(&heap, m);
        assert!(heap.statistics().regions_emptied > 20);
        assert_eq!(Gc::addr(pin.get(m)), at);
        assert_whole(m, &table, 12);
    });
}

#[test]
fn a_large_object_never_moves_and_its_memory_is_free_again_when_it_is_dead() {
    let heap = heap();
    heap.enter((), |m| {
        let large = {
            let (bytes, slots): (Gc<'_, [u8]>, Gc<'_, Table<'_>>) =
                (m.alloc_slice(1 << 20, |i| i as u8), m.alloc_slice(1 << 17, |_| Slot::new(None)));
            (m.root(bytes), m.root(slots))
        };
        let at = (Gc::addr(large.0.get(m)), Gc::addr(large.1.get(m)));
        age(m);
        m.collect();
        m.collect_compact();
        assert_eq!((Gc::addr(large.0.get(m)), Gc::addr(large.1.get(m))), at);
        assert!(large.0.get(m).iter().enumerate().all(|(i, b)| *b == i as u8));
        let s = heap.statistics();
        assert!(s.large_used >= Bytes::mib(2) && s.large_used < Bytes::mib(3), "{}", s.large_used);
        drop(large);
        m.collect();
        let t = heap.statistics();
        assert_eq!(t.large_used.get(), 0);
        assert!(t.committed.get() + (2 << 20) <= s.committed.get());
    });
}
