//! So is binding it again.
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
fn launder<'gc>(cx: &'gc Cx, k: __private::Erased<Gc<'static, Node<'static>>>) -> Gc<'gc, Node<'gc>> {
    __private::rebind(cx, k)
}
fn main() {}
