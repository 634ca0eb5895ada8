//! It could be seen half written.
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
#[derive(Clone, Copy, Trace)]
enum V<'gc> {
    N(Gc<'gc, Node<'gc>>),
    I(i64),
}
#[derive(Trace)]
struct Bad<'gc> {
    s: Slot<V<'gc>>,
}
fn main() {}
