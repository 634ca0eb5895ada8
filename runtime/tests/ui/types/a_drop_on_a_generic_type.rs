//! A type parameter may be a reference, and a bound may reach through it.
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
trait Speak {
    fn speak(&self);
}
impl Speak for Gc<'_, Node<'_>> {
    fn speak(&self) {
        println!("{}", self.v)
    }
}
#[derive(Trace)]
struct Wrap<T: Speak>(T);
impl<T: Speak> Drop for Wrap<T> {
    fn drop(&mut self) {
        self.0.speak()
    }
}
fn main() {}
