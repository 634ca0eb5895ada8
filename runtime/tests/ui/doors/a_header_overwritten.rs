//! The header of an object is nobody's business.
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
fn ruin(object: ObjectRef) {
    object.header().store(0, std::sync::atomic::Ordering::Relaxed)
}
fn main() {}
