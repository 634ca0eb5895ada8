//! Not at any other either.
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
fn f<'z, 'gc>(cx: &'gc Cx, v: Field<'z, Node<'z>>) -> Gc<'gc, Node<'z>> {
    cx.alloc(Node { next: v, v: 1 })
}
fn main() {}
