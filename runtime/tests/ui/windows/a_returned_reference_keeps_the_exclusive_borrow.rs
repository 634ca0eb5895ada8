//! A function that returns a reference bound to `&mut Mutator` keeps the mutator borrowed: return the context as well.
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
fn make<'gc>(m: &'gc mut Mutator<()>) -> Gc<'gc, Node<'gc>> {
    m.safepoint();
    node(m, 1)
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        let a = make(m);
        let b = make(m);
        println!("{}", a.v);
    });
}
