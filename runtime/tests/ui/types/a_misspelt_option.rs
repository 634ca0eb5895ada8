//! An option that is not known is an error, for a misspelt `skip` must not pass for none.
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
#[derive(Trace)]
struct Bad {
    #[trace(skp)]
    c: u32,
}
#[derive(Trace)]
#[trace(skip)]
struct Worse {
    c: u32,
}
#[derive(Trace)]
struct Worst {
    #[trace(root)]
    c: u32,
}
#[derive(Trace)]
struct Lifetime<#[trace(skip)] 'gc> {
    c: Gc<'gc, u32>,
}
#[derive(Trace)]
struct Twice {
    #[trace(skip, skip)]
    c: u32,
}
#[derive(Trace)]
enum Variant {
    #[trace(skip)]
    A(u32),
}
fn main() {}
