//! The heap aligns objects to eight bytes.
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
#[repr(align(16))]
struct Wide(u64);
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        m.alloc(Wide(1));
    });
}
