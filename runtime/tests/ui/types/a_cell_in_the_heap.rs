//! Other threads would read it while one writes.
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
struct Bad<'gc> {
    c: std::cell::Cell<Option<Gc<'gc, Node<'gc>>>>,
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        m.alloc(Bad { c: std::cell::Cell::new(None) });
    });
}
