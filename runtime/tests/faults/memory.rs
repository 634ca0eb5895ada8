//! Memory, address space and threads that the system does not give, and a limit that is reached.
use crate::common::{Rng, list, values};
use crate::{in_child, words};
use orinoco::{AllocError, Bytes, Faults, Field, Gc, Heap, HeapConfig, HeapError, Mutator, Root};
use rustix::process::{Resource, Rlimit, setrlimit};

type Kept = Vec<(Root<crate::common::Node<'static>>, u64)>;

/// A small, verified heap with these faults.
fn faulty(faults: &str) -> Result<Heap, HeapError> {
    let faults: Faults = faults.parse()?;
    Heap::new(HeapConfig::new().limit(Bytes::mib(8)).nursery(Bytes::kib(512)).helpers(1).verify(true).faults(faults))
}

/// Allocates lists and arrays until `enough` were refused or `most` were made, keeps a few, and looks at all of them.
fn work(m: &mut Mutator<()>, most: usize, enough: usize) -> Vec<AllocError> {
    let mut kept: Kept = Vec::new();
    let mut refused = Vec::new();
    let mut rng = Rng::new(most as u64);
    for _ in 0..most {
        let length = 1 + rng.below(300) as u64;
        let made = {
            let links = (0..length)
                .try_fold(None, |next, v| m.try_alloc(crate::common::Node { next: Field::new(next), v }).map(Some));
            let large = if rng.below(20) == 0 { m.try_alloc_slice(40_000, |i| i as u64).map(|_| ()) } else { Ok(()) };
            large.and(links).map(|head: Option<Gc<'_, _>>| m.root(head.expect("a list has a link")))
        };
        match made {
            Ok(root) => kept.push((root, length)),
            Err(error) => {
                refused.push(error);
                if refused.len() >= enough {
                    break;
                }
                kept.truncate(4);
                m.collect();
            }
        }
        if kept.len() > 40 {
            kept.swap_remove(rng.below(40));
        }
        m.safepoint();
    }
    for (root, length) in &kept {
        assert!(values(Some(root.get(m))).into_iter().eq((0..*length).rev()), "a list of {length} is broken");
    }
    drop(kept);
    m.collect();
    assert_eq!(m.verify().objects, 0);
    refused
}

#[test]
fn memory_refused_at_any_request_is_an_error_and_loses_nothing() {
    let mut refusals = 0;
    for k in (1..24).chain([30, 40, 60, 100]) {
        let heap = faulty(&format!("memory:{k}")).expect("memory for the heap itself is not refused");
        let refused = heap.enter((), |m| work(m, 300, 3));
        assert!(refused.iter().all(|e| matches!(e, AllocError::OutOfMemory | AllocError::LimitReached)), "{refused:?}");
        refusals += refused.len();
    }
    assert!(refusals > 5, "memory was refused, and only {refusals} allocations were");
}

#[test]
fn memory_refused_now_and_then_costs_refusals_only() {
    for n in [2, 3, 5] {
        let heap = faulty(&format!("memory-every:{n}")).expect("memory for the heap itself is not refused");
        heap.enter((), |m| {
            work(m, 400, 400);
            // Whatever was refused once is asked for again.
            let root = m.root(list(m, 100).expect("a list has a link"));
            m.collect();
            assert_eq!(values(Some(root.get(m))).len(), 100);
        });
    }
}

#[test]
fn a_limit_reached_anywhere_loses_nothing() {
    for mib in 2..8 {
        for nursery in [256, 512, 1024] {
            let config = HeapConfig::new().limit(Bytes::mib(mib)).nursery(Bytes::kib(nursery)).helpers(1).verify(true);
            let heap = Heap::new(config).expect("in range");
            heap.enter((), |m| {
                let mut kept = Vec::new();
                let refused = loop {
                    match m.try_alloc([kept.len() as u64; 60]) {
                        Ok(object) => kept.push(m.root(object)),
                        Err(error) => break error,
                    }
                    m.safepoint();
                };
                assert_eq!(refused, AllocError::LimitReached);
                assert!(kept.iter().enumerate().all(|(at, root)| root.get(m)[59] == at as u64));
                kept.drain(..).step_by(2).for_each(drop);
                m.collect();
                assert!(work(m, 20, 1).is_empty(), "with half of it free again, {mib} MiB have room");
            });
        }
    }
}

/// Address space in use, in bytes.
fn address_space() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("the system tells");
    statm.split_whitespace().next().and_then(|pages| pages.parse::<u64>().ok()).expect("a number of pages") * 4096
}

fn allow(more: u64) {
    let limit = Some(address_space() + more);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("a limit can be lowered");
}

#[test]
fn address_space_refused_is_a_typed_error() {
    let output = in_child("memory::address_space_refused_is_a_typed_error", || {
        allow(64 << 20);
        let error = Heap::new(HeapConfig::new().limit(Bytes::gib(1)).helpers(0)).expect_err("there is no room");
        assert!(matches!(error, HeapError::Reservation { .. }), "{error}");
        assert!(error.to_string().contains("lower the heap's limit"), "{error}");
        let small = HeapConfig::new().limit(Bytes::mib(1)).nursery(Bytes::kib(256)).helpers(0);
        Heap::new(small).expect("a smaller one fits").enter((), |m| m.collect());
    });
    assert!(output.status.success(), "{}", words(&output));
}

#[test]
fn helpers_refused_are_a_typed_error_and_none_are_needed() {
    let output = in_child("memory::helpers_refused_are_a_typed_error_and_none_are_needed", || {
        let config = HeapConfig::new().limit(Bytes::mib(1)).nursery(Bytes::kib(256));
        allow(300 << 20);
        let error = Heap::new(config.clone().helpers(250)).expect_err("there is no room for their stacks");
        assert!(matches!(error, HeapError::Helpers { wanted: 250, .. }), "{error}");
        assert!(error.to_string().contains("ask for fewer, or none"), "{error}");
        // Those that could be started go home by themselves, and take their stacks along.
        let began = std::time::Instant::now();
        let heap = loop {
            match Heap::new(config.clone().helpers(0)) {
                Err(_) if began.elapsed() < std::time::Duration::from_secs(30) => std::thread::yield_now(),
                made => break made.expect("without helpers it fits"),
            }
        };
        heap.enter((), |m| m.collect());
    });
    assert!(output.status.success(), "{}", words(&output));
}
