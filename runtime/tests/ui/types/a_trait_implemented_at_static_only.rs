//! A vtable outlives the window it was made in.
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
trait Sink<'gc> {
    fn put(&self, s: &'gc str);
}
dyn_trait!(Sink<'gc>);
#[derive(Trace)]
struct B;
impl Sink<'static> for B {
    fn put(&self, s: &'static str) {
        std::thread::spawn(move || println!("{s}"));
    }
}
fn g<'gc>(b: Gc<'gc, B>) -> GcDyn<'gc, dyn Sink<'gc> + 'gc> {
    Gc::unsize(b)
}
fn main() {}
