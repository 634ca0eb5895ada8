//! A visitor that does not wait for locks may only look at a stopped world.
#![forbid(unsafe_code)]
#![allow(dead_code, unused)]
use orinoco::*;
use orinoco_collector::object::trace::EdgeList;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    v: u64,
}
fn node<'gc>(cx: &'gc Cx, v: u64) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node { next: Field::null(), v })
}
#[derive(Trace)]
struct Bag<'gc> {
    v: Lock<Vec<Gc<'gc, Node<'gc>>>>,
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        let bag = m.alloc(Bag { v: Lock::new(vec![]) });
        let _guard = bag.v.lock(m);
        bag.mark(&mut EdgeList { found: &mut |target| println!("{target:?}") });
    });
}
