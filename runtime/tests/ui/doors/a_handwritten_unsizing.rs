//! So is making a trait object.
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
trait Show {}
impl<'x> __private::RebindDyn for dyn Show + 'x {
    type At<'a> = dyn Show + 'a;
}
impl<'gc, T> __private::UnsizeFrom<'gc, T> for dyn Show + 'gc {
    fn view(_: &'gc T) -> &'gc Self {
        todo!()
    }
}
fn main() {}
