//! The rules leave this: a program that builds, and runs.
#![forbid(unsafe_code)]
use orinoco::*;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    v: u64,
}
fn node<'gc>(cx: &'gc Cx, v: u64) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node { next: Field::null(), v })
}

/// A constant parameter is no reference: the type may have a `Drop`.
#[derive(Trace)]
struct Buffer<const N: usize>([u8; N]);
impl<const N: usize> Drop for Buffer<N> {
    fn drop(&mut self) {
        assert_eq!(self.0.len(), N);
    }
}

/// Nor is a skipped one.
#[derive(Trace)]
struct Native<#[trace(skip)] F: Fn() -> u64> {
    #[trace(skip)]
    f: F,
}
impl<F: Fn() -> u64> Drop for Native<F> {
    fn drop(&mut self) {
        assert_eq!((self.f)(), 7);
    }
}

/// A lock without references may be anywhere.
#[derive(Trace)]
struct Counters(Vec<Lock<u64>>);

fn main() {
    let heap = Heap::new(HeapConfig::new()).unwrap();
    heap.enter((), |m| {
        let a = node(m, 1);
        let b = m.alloc(Counters(vec![Lock::new(1), Lock::new(2)]));
        m.alloc(Buffer([0; 3]));
        m.alloc(Native { f: || 7 });
        let (r, (a, b)) = keep!(m; a, b => { m.collect(); 5 });
        *b.0[1].lock(m) += 1;
        assert_eq!(a.v + r + *b.0[1].lock(m), 9);
        assert!(a.next.get().is_none());
        let shared = m.alloc_str("shared");
        let text: &str = Gc::get(shared);
        std::thread::scope(|s| s.spawn(|| assert_eq!(text, "shared")).join().unwrap());
    });
}
