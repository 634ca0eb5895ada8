//! A list that two threads push to without a lock. References stay on their threads; a `Root` goes from one to the other.
#![forbid(unsafe_code)]
use orinoco::{Cx, Field, Gc, Heap, HeapConfig, HeapError, Root, Trace};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Trace)]
struct List<'gc> {
    head: Field<'gc, Cell<'gc>>,
}

#[derive(Trace)]
struct Cell<'gc> {
    next: Field<'gc, Cell<'gc>>,
    value: u64,
    hits: AtomicU64,
}

/// There is no ABA problem: within a window no cell is freed and reused.
fn push<'gc>(cx: &'gc Cx, list: Gc<'gc, List<'gc>>, value: u64) {
    let mut head = list.head.get();
    let cell = cx.alloc(Cell { next: Field::new(head), value, hits: AtomicU64::new(0) });
    while let Err(now) = list.head.compare_exchange(cx, head, Some(cell)) {
        head = now;
        cell.next.set(cx, head);
    }
}

fn cells<'gc>(list: Gc<'gc, List<'gc>>) -> impl Iterator<Item = Gc<'gc, Cell<'gc>>> {
    std::iter::successors(list.head.get(), |cell| cell.next.get())
}

fn main() -> Result<(), HeapError> {
    const THREADS: u64 = 2;
    const EACH: u64 = 20_000;
    let heap = Heap::new(HeapConfig::new())?;
    let list: Root<List<'static>> = heap.enter((), |m| m.root(m.alloc(List { head: Field::null() })));

    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (heap, list) = (&heap, &list);
            scope.spawn(move || {
                heap.enter((), |m| {
                    for i in 0..EACH {
                        push(m, list.get(m), thread * EACH + i);
                        if i % 64 == 0 {
                            cells(list.get(m)).take(10).for_each(|cell| _ = cell.hits.fetch_add(1, Relaxed));
                        }
                        m.safepoint();
                    }
                });
            });
        }
    });

    heap.enter((), |m| {
        m.collect();
        let mut seen = vec![false; (THREADS * EACH) as usize];
        for cell in cells(list.get(m)) {
            assert!(!std::mem::replace(&mut seen[cell.value as usize], true), "{} is there twice", cell.value);
        }
        assert!(seen.iter().all(|seen| *seen));
    });
    println!("{} cells, each there once, after {} scavenges", THREADS * EACH, heap.statistics().scavenges);
    Ok(())
}
