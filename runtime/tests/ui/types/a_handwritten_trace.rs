//! Showing references is a promise.
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
struct Liar<'gc>(Gc<'gc, Node<'gc>>);
impl<'gc> Trace for Liar<'gc> {
    fn mark<V: __private::Marker>(&self, _: &mut V) {}
    fn relocate<V: __private::Mover>(&mut self, _: &mut V) {}
}
fn main() {}
