//! Describing objects is a promise.
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
struct Liar;
impl HeapType for Liar {
    type On<'a> = Liar;
}
fn main() {}
