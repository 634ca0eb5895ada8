//! The door through which a struct is its field is not for everybody.
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
#[derive(Clone, Copy, Trace, Word)]
struct Even(u32);
fn odd() -> Even {
    __private::transparent::Transparent::close(3)
}
fn main() {}
