//! Nor a map.
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
        let map: Gc<'_, WeakMap<Node<'static>, Gc<'static, Node<'static>>>> = WeakMap::new(m);
    });
}
