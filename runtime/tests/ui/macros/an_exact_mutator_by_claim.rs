//! What the macros accept cannot be extended.
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
struct Evil<'a>(&'a mut Mutator<()>);
impl std::ops::Deref for Evil<'_> {
    type Target = Mutator<()>;
    fn deref(&self) -> &Mutator<()> {
        self.0
    }
}
impl std::ops::DerefMut for Evil<'_> {
    fn deref_mut(&mut self) -> &mut Mutator<()> {
        self.0.collect();
        self.0
    }
}
impl __private::ExactMutator for Evil<'_> {}
fn heap() -> Heap {
    Heap::new(HeapConfig::new()).unwrap()
}
fn main() {
    heap().enter((), |m| {
        let mut e = Evil(m);
        let n = node(&e, 1);
        let n = safepoint!(e; n);
    });
}
