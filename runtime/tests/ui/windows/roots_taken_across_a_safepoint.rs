//! What is taken out of the roots cannot outlive the window.
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
#[derive(Trace, Default)]
#[trace(root)]
struct Vm<'gc> {
    s: Vec<Gc<'gc, Node<'gc>>>,
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter(Vm { s: vec![] }, |m| {
        let t = std::mem::take(m.split().1);
        m.safepoint();
        println!("{}", t.s.len());
    });
}
