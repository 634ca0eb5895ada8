//! A lock is not held across a safepoint.
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
#[derive(Trace)]
struct Bag<'gc> {
    v: Lock<Vec<Gc<'gc, Node<'gc>>>>,
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        let b = m.alloc(Bag { v: Lock::new(vec![]) });
        let g = b.v.lock(m);
        m.safepoint();
        drop(g);
    });
}
