//! A parked mutator is borrowed by its parked section, so no other can be put in its place.
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
    let (a, b) = (heap(), heap());
    a.enter((), |m| {
        m.park(|| b.enter((), |other| std::mem::swap(m, other)));
    });
}
