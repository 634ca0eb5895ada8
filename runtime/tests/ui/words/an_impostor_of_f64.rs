//! A type that is merely called `f64` is none.
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
mod fake {
    #[derive(Clone, Copy, orinoco::Trace)]
    pub struct f64(pub u64);
    impl f64 {
        pub fn from_bits(x: u64) -> Self {
            f64(x)
        }
    }
}
use fake::f64;
#[derive(Clone, Copy, Trace, Word)]
enum V<'gc> {
    F(f64),
    N(Gc<'gc, Node<'gc>>),
}
fn main() {}
