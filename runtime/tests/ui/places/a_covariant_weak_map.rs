//! And a map.
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
fn bad<'s, 'long: 'short, 'short>(s: &'s WeakMap<str, Gc<'long, str>>) -> &'s WeakMap<str, Gc<'short, str>> {
    s
}
fn main() {}
