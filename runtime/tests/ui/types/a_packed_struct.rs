//! A marker cannot borrow an unaligned field.
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
#[derive(Trace)]
#[repr(packed)]
struct Bad<'gc> {
    b: u8,
    n: Gc<'gc, Node<'gc>>,
}
fn main() {}
