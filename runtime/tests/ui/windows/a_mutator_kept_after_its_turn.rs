//! A mutator cannot be owned, so it can be neither forgotten nor boxed nor kept.
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

fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    let mut keep: Option<&mut Mutator<()>> = None;
    heap().enter((), |m| {
        keep = Some(m);
    });
}
