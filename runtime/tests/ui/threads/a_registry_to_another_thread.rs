//! A thread that runs another heap could register that heap's object with it.
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
        let registry: &FinalizationRegistry<u64> = Gc::get(FinalizationRegistry::new(m));
        std::thread::scope(|s| {
            s.spawn(|| heap().enter((), |other| registry.register(other, node(other, 1), 5)));
        });
    });
}
