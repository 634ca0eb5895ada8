//! In a task the rules are the same.
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
async fn f(m: &mut Mutator<()>) -> u64 {
    let n = node(m, 1);
    m.safepoint();
    std::future::ready(()).await;
    n.v
}
fn main() {}
