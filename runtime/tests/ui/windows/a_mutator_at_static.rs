//! The mutator is lent for a turn, never for ever.
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
static mut KEEP: Option<&'static Mutator<()>> = None;
fn launder(m: &'static mut Mutator<()>) -> Gc<'static, Node<'static>> {
    let cx: &'static Cx = m;
    node(cx, 1)
}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        let g: Gc<'static, Node<'static>> = launder(m);
    });
}
