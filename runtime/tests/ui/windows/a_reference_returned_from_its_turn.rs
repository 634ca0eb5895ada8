//! A reference cannot leave the turn it was made in.
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
    let n = heap().enter((), |m| node(m, 1));
}
