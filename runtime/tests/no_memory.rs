//! The system refuses memory in the midst of moving everything: what cannot be moved stays where it is, and the heap is whole.
//!
//! In a process of its own, for the limit is the process's.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
use orinoco::{Bytes, Cx, Field, Gc, Heap, HeapConfig, Mutator, Root, Slot, Trace, Weak};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[derive(Trace)]
struct Node<'gc> {
    id: u64,
    next: Field<'gc, Node<'gc>>,
    weak: Field<'gc, Watch<'gc>>,
    ballast: Gc<'gc, [u64]>,
}

#[derive(Trace)]
struct Watch<'gc> {
    target: Weak<'gc, Node<'gc>>,
}

type Table<'gc> = [Slot<Option<Gc<'gc, Node<'gc>>>>];

const NODES: usize = 40_000;

fn build(m: &mut Mutator<()>) -> Root<Table<'static>> {
    let table = {
        let cx: &Cx = m;
        let empty: Gc<'_, Table<'_>> = cx.alloc_slice(NODES, |_| Slot::new(None));
        cx.root(empty)
    };
    for i in 0..NODES {
        {
            let cx: &Cx = m;
            let nodes = table.get(cx);
            let ballast = cx.alloc_slice(64, |_| i as u64);
            let node = cx.alloc(Node { id: i as u64, next: Field::null(), weak: Field::null(), ballast });
            node.next.set(cx, nodes[i / 2].get());
            node.weak.set(cx, nodes[i / 3].get().map(|target| cx.alloc(Watch { target: cx.weak(target) })));
            nodes[i].set(cx, Some(node));
        }
        m.safepoint();
    }
    table
}

/// A number that depends on every reference and every word.
fn checksum(cx: &Cx, table: &Root<Table<'static>>) -> u64 {
    let mut sum = 0u64;
    for (i, slot) in table.get(cx).iter().enumerate() {
        let node = slot.get().expect("no node is let go");
        assert_eq!(node.id, i as u64);
        let weak = node.weak.get().map_or(1, |w| w.target.upgrade(cx).expect("every node lives").id);
        let ballast = node.ballast.iter().fold(0u64, |sum, word| sum.wrapping_mul(31).wrapping_add(*word));
        sum = sum.wrapping_mul(31).wrapping_add(node.next.get().map_or(7, |n| n.id) ^ weak ^ ballast);
    }
    sum
}

/// Bytes that the system counts as the process's data.
fn data() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|l| l.strip_prefix("VmData:")).expect("it is listed");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") << 10
}

/// Has the allocator keep memory of its own: this test is about the heap's. What is freed in the middle, and not at the
/// end, stays with it; and that a large block was freed once lets it keep large ones.
fn provide_for_lists() -> Box<[u8]> {
    drop(std::hint::black_box(vec![1u8; 24 << 20]));
    let mut blocks: Vec<Box<[u8]>> = (0..600).map(|_| vec![1u8; 64 << 10].into_boxed_slice()).collect();
    blocks.pop().expect("there are some")
}

#[test]
fn objects_for_which_the_system_has_no_memory_stay_where_they_are() {
    let config = HeapConfig::new().helpers(0).limit(Bytes::mib(256)).nursery(Bytes::mib(1)).verify(true);
    let heap = Heap::new(config).unwrap();
    heap.enter((), |m| {
        let table = build(m);
        m.collect_compact();
        let before = checksum(m, &table);
        let last = provide_for_lists();
        let retained = heap.statistics().regions_retained;
        let unlimited = getrlimit(Resource::Data);
        setrlimit(Resource::Data, Rlimit { current: Some(data()), maximum: unlimited.maximum }).expect("a lower limit");
        m.collect_compact();
        let kept = heap.statistics().regions_retained - retained;
        assert!(kept > 20, "only {kept} regions could not be emptied");
        assert_eq!(checksum(m, &table), before);
        // The heap goes on under the limit, and moves again without it.
        for _ in 0..20 {
            let _ = m.try_alloc_slice(1000, |i| i as u64);
            m.safepoint();
        }
        m.collect_young();
        m.collect_compact();
        assert_eq!(checksum(m, &table), before);
        setrlimit(Resource::Data, unlimited).expect("the limit there was");
        let retained = heap.statistics().regions_retained;
        m.collect_compact();
        assert_eq!(heap.statistics().regions_retained, retained, "there is memory for all");
        assert_eq!(checksum(m, &table), before);
        drop(last);
    });
}
