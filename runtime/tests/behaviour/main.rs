//! What the library does, seen by an embedder who writes safe code only; one module for each room of the API.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;

mod arrays;
mod asynchronous;
mod attached;
mod drops;
mod dynamic;
mod external;
mod graph;
mod identity;
mod limits;
mod locks;
mod moving;
mod observers;
mod policy;
mod roots;
mod shapes;
mod sizes;
mod slots;
mod sweeping;
mod threads;
mod weak;
mod words;
mod zeal;
