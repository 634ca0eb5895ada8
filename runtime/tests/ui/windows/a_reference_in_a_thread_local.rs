//! Nor in a thread-local.
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
thread_local! { static T: std::cell::Cell<Option<Gc<'static, Node<'static>>>> = const { std::cell::Cell::new(None) }; }
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        T.set(Some(node(m, 1)));
    });
}
