//! An enum has one encoding.
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
#[word(low_tag, nan_box)]
enum V {
    A,
    B,
}
#[derive(Clone, Copy, Trace, Word)]
#[word(high_tag)]
enum W {
    A,
    B,
}
fn main() {}
