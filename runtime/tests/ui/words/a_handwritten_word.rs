//! Encoding is a promise.
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
#[derive(Clone, Copy)]
struct Liar<'gc>(Gc<'gc, Node<'gc>>);
impl Word for Liar<'_> {
    const MAY_POINT: bool = false;
    fn to_word(self) -> *mut u8 {
        todo!()
    }
    unsafe fn from_word(_: *mut u8) -> Self {
        todo!()
    }
    fn target(_: *mut u8) -> *mut u8 {
        todo!()
    }
    fn retarget(_: *mut u8, _: *mut u8) -> *mut u8 {
        todo!()
    }
}
fn main() {}
