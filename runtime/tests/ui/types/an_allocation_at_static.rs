//! An object is born at the lifetime of its window. Otherwise it could be filled through one view and read through another.
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
    heap().enter((), |m| {
        let leaked: Gc<'static, Node<'static>> = {
            let cx: &Cx = m;
            let a: Gc<'_, Node<'static>> = cx.alloc(Node { next: Field::null(), v: 1 });
            let b: Gc<'_, Node<'_>> = cx.root(a).get(cx);
            b.next.set(cx, Some(node(cx, 7)));
            a.next.get().unwrap()
        };
        m.collect();
        println!("{}", leaked.v);
    });
}
