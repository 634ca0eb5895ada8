//! A mutator goes to another thread only if its roots may.
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
struct Vm {
    #[trace(skip)]
    rc: std::rc::Rc<u32>,
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    let mut a = heap().attach(Vm { rc: Default::default() });
    std::thread::spawn(move || a.run(|m| ()));
}
