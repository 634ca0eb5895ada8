//! Nor can a field refer to it.
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
struct Vm {
    #[trace(skip)]
    rc: std::rc::Rc<u32>,
}
#[derive(Trace)]
struct Bad<'gc> {
    vm: Gc<'gc, Vm>,
}
fn main() {}
