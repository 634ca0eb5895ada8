//! Roots are dropped when their mutator is gone.
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
#[trace(root)]
struct Vm<'gc> {
    n: Option<Gc<'gc, Node<'gc>>>,
}
impl Drop for Vm<'_> {
    fn drop(&mut self) {
        println!("{}", self.n.is_some())
    }
}
fn main() {}
