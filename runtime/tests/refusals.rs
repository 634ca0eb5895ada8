//! What the operating system refuses is an error too, and the heap is usable afterwards. Each test makes its own process,
//! under a limit of its own, and is that process when it finds itself named in the environment.
#![cfg(target_os = "linux")]
use orinoco::{AllocError, Bytes, Cx, Field, Gc, Heap, HeapConfig, HeapError, Trace};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::Command;

const CHILD: &str = "ORINOCO_REFUSALS";

/// Runs `body` in a process of its own, by running this test's file again for this test alone.
fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var(CHILD).is_ok_and(|name| name == test) {
        body();
        // Threads of the harness may want more than is left.
        std::process::exit(0);
    }
    let out = Command::new(std::env::current_exe().expect("this file has a name"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .output()
        .expect("a process can be made");
    assert!(
        out.status.success(),
        "{}\n{}\n{}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// Bytes that the process has mapped (`VmSize`) or may write (`VmData`).
fn mapped(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("the kernel tells");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// From now on the process gets `more` bytes, and what it gives back.
fn allow(resource: Resource, what: &str, more: Bytes) {
    let limit = Rlimit { current: Some(mapped(what) + more.get() as u64), maximum: getrlimit(resource).maximum };
    setrlimit(resource, limit).expect("a limit can be lowered");
}
fn allow_again(resource: Resource) {
    let maximum = getrlimit(resource).maximum;
    setrlimit(resource, Rlimit { current: maximum, maximum }).expect("a limit can be raised to its maximum");
}

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    number: u64,
}
type List = Option<Gc<'static, Node<'static>>>;

fn grow<'gc>(cx: &'gc Cx, list: &mut Option<Gc<'gc, Node<'gc>>>, n: u64) -> Result<(), AllocError> {
    for number in 0..n {
        *list = Some(cx.try_alloc(Node { next: Field::new(*list), number })?);
    }
    Ok(())
}
fn is_whole(list: Option<Gc<'_, Node<'_>>>, n: u64) -> bool {
    std::iter::successors(list, |node| node.next.get()).map(|node| node.number).eq((0..n).rev())
}
fn config() -> HeapConfig {
    HeapConfig::new().limit(Bytes::mib(256)).nursery(Bytes::mib(1)).helpers(1)
}

#[test]
fn an_address_space_too_small_for_the_heap_is_an_error_and_the_default_limit_fits_it() {
    alone("an_address_space_too_small_for_the_heap_is_an_error_and_the_default_limit_fits_it", || {
        allow(Resource::As, "VmSize", Bytes::mib(512));
        match Heap::new(config().limit(Bytes::gib(64))) {
            Err(HeapError::Reservation { wanted, .. }) => assert!(wanted > Bytes::gib(64)),
            other => panic!("{other:?}"),
        }
        let heap = Heap::new(HeapConfig::new().helpers(0)).expect("the default limit fits the address space");
        let limit = heap.settings().limit;
        assert!(limit <= Bytes::mib(128) && limit >= Bytes::mib(64), "{limit}");
        heap.enter(None, |m: &mut orinoco::Mutator<List>| {
            m.attempt(|cx, list| grow(cx, list, 1_000_000)).expect("24 MB fit");
            m.collect();
            assert!(is_whole(*m.split().1, 1_000_000));
        });
    });
}

#[test]
fn memory_refused_below_the_limit_is_an_error_and_the_heap_goes_on_once_something_is_let_go() {
    alone("memory_refused_below_the_limit_is_an_error_and_the_heap_goes_on_once_something_is_let_go", || {
        let heap = Heap::new(config().verify(true)).expect("nothing is limited yet");
        heap.enter(None, |m: &mut orinoco::Mutator<List>| {
            grow(m.split().0, &mut None, 1000).expect("the first region is there");
            allow(Resource::Data, "VmData", Bytes::mib(24));
            for _ in 0..3 {
                let mut made = 0;
                let refused = loop {
                    let (cx, list) = m.split();
                    match grow(cx, list, 1000) {
                        Ok(()) => made += 1,
                        Err(refused) => break refused,
                    }
                    m.safepoint();
                };
                assert_eq!(refused, AllocError::OutOfMemory, "after {made} thousand");
                assert!(made > 100, "{made}");
                m.collect();
                *m.split().1 = None;
                m.attempt(|cx, list| grow(cx, list, 10_000)).expect("everything was let go");
                assert!(is_whole(*m.split().1, 10_000));
                *m.split().1 = None;
                m.collect();
                assert_eq!(m.verify().objects, 0);
            }
            assert!(m.try_alloc_slice(128 << 20, |_| 0u8).is_err());
            allow_again(Resource::Data);
            m.attempt(|cx, list| grow(cx, list, 2_000_000)).expect("the system gives again");
        });
    });
}

#[test]
fn what_a_collection_itself_is_refused_stays_where_it_is() {
    alone("what_a_collection_itself_is_refused_stays_where_it_is", || {
        for compact in [false, true] {
            let heap = Heap::new(config().helpers(0)).expect("nothing is limited yet");
            heap.enter(None, |m: &mut orinoco::Mutator<List>| {
                let (cx, list) = m.split();
                grow(cx, list, 300_000).expect("7 MB fit");
                // Not a byte more: neither for copies, nor for the lists that a pause keeps, but for the reserve.
                allow(Resource::Data, "VmData", Bytes::new(0));
                assert_eq!(cx.try_alloc_slice(16 << 20, |_| 0u8).err(), Some(AllocError::OutOfMemory));
                for _ in 0..3 {
                    m.collect_young();
                    if compact {
                        m.collect_compact();
                    } else {
                        m.collect();
                    }
                    assert!(is_whole(*m.split().1, 300_000));
                }
                *m.split().1 = None;
                m.collect();
                let (cx, list) = m.split();
                grow(cx, list, 100_000).expect("what was freed is there");
                allow_again(Resource::Data);
                m.verify();
                m.collect();
                m.attempt(|cx, list| grow(cx, list, 1_000_000)).expect("the system gives again");
            });
        }
    });
}
