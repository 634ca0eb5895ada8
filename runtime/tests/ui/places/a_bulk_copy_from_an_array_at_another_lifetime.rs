//! Bulk operations are as invariant as their slots.
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
type Slots<'a, 'b> = Gc<'a, [Field<'b, Node<'b>>]>;
fn bad<'gc>(cx: &'gc Cx, to: Slots<'gc, 'static>, from: Slots<'gc, 'gc>) {
    Gc::copy_from(to, cx, 0, from, 0..1)
}
fn main() {}
