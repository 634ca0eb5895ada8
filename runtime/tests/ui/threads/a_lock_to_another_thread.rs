//! Nor a lock, not even one around plain data.
#![forbid(unsafe_code)]
#![allow(dead_code, unused)]
use orinoco::*;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    v: u64,
}
fn node<'gc>(cx: &'gc Cx, v: u64) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node { next: Field::null(), v })
}

fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        let lock = Gc::get(m.alloc(Lock::new(5u64)));
        std::thread::scope(|s| {
            s.spawn(|| heap().enter((), |other| *lock.lock(other) += 1));
        });
    });
}
