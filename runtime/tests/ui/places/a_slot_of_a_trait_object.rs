//! So could a reference with a vtable.
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
trait Show {}
dyn_trait!(Show);
#[derive(Trace)]
struct Bad<'gc> {
    s: Slot<GcDyn<'gc, dyn Show + 'gc>>,
}
fn main() {}
