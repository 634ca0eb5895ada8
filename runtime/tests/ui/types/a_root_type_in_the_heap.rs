//! What is marked `root` stays out of the heap.
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
#[trace(root)]
struct Vm<'gc> {
    n: Option<Gc<'gc, Node<'gc>>>,
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        m.alloc(Vm { n: None });
    });
}
