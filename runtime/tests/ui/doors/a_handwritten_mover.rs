//! Whoever answers where an object is now could answer with another object.
#![forbid(unsafe_code)]
#![allow(dead_code, unused)]
use orinoco::*;
use orinoco_collector::object::raw::ObjectRef;

#[derive(Trace)]
struct Node<'gc> {
    next: Field<'gc, Node<'gc>>,
    v: u64,
}
fn node<'gc>(cx: &'gc Cx, v: u64) -> Gc<'gc, Node<'gc>> {
    cx.alloc(Node { next: Field::null(), v })
}
struct Liar(Option<ObjectRef>);
impl __private::Marker for Liar {
    fn edge(&mut self, target: ObjectRef) {
        self.0 = Some(target)
    }
    fn is_concurrent(&self) -> bool {
        false
    }
    fn defer(&mut self, _: *mut u8, _: unsafe fn(*mut u8, &mut Self)) {}
}
impl __private::Mover for Liar {
    fn forward(&mut self, target: ObjectRef) -> ObjectRef {
        self.0.unwrap_or(target)
    }
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        let (mut n, mut liar) = (node(m, 1), Liar(None));
        m.alloc_str("not a node").mark(&mut liar);
        n.relocate(&mut liar);
        println!("{}", n.v);
    });
}
