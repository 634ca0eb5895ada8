//! `splay`: a splay tree whose nodes carry payloads of 127 objects (Octane's benchmark).
//!
//! 8000 nodes; an operation inserts one with a new random key and removes the one with the greatest smaller key.
//! Splaying writes pointers between old nodes all the time; the payloads are plain young trees that either die
//! with their node or are promoted with it. Keys are integers of 28 bits. The checksum walks the tree in order.

use orinoco::{Cx, Field, Gc, Mutator, Opaque, Trace};

use super::Profile;
use super::part::Part;

/// See [`Profile`].
pub const PROFILE: Profile = Profile {
    default_size: 200.0,
    unit: "thousand operations per thread",
    largest: 1e9,
    smallest_share: 0.0,
    even_steps: true,
    live_bytes: |_, threads| 8000.0 * (31.0 * 24.0 + 32.0 * (24.0 + 56.0 + 56.0) + 40.0) * threads,
};

const NODES: u32 = 8000;
const PAYLOAD_DEPTH: u32 = 5;

#[derive(Trace)]
struct Node<'gc> {
    key: u32,
    value: Option<Gc<'gc, Opaque>>,
    left: Field<'gc, Node<'gc>>,
    right: Field<'gc, Node<'gc>>,
}

/// An inner node of a payload: below it are pairs or, on the last level, leaves.
#[derive(Trace)]
struct Pair<'gc> {
    left: Gc<'gc, Opaque>,
    right: Gc<'gc, Opaque>,
}

#[derive(Trace)]
struct Leaf<'gc> {
    array: Gc<'gc, [i32]>,
    string: Gc<'gc, str>,
}

type Link<'gc> = Option<Gc<'gc, Node<'gc>>>;

/// The tree, and the way down to where a walk is.
#[derive(Trace, Default)]
#[trace(root)]
pub struct Roots<'gc> {
    root: Link<'gc>,
    path: Vec<Gc<'gc, Node<'gc>>>,
}

type M = Mutator<Roots<'static>>;

/// One thread's run, with a tree of its own.
pub fn mutate(m: &mut M, part: &mut Part) {
    let mut keys = Keys(49_734_321 + part.index);
    let mut text = String::new();
    part.building(|_| {
        for _ in 0..NODES {
            let (cx, roots) = m.split();
            insert_new(cx, &mut roots.root, &mut keys, &mut text);
            m.safepoint();
        }
    });

    let operations = (part.size * 1e3) as u64;
    part.gaps.start();
    for _ in 0..operations {
        let (cx, roots) = m.split();
        let root = &mut roots.root;
        let key = insert_new(cx, root, &mut keys, &mut text);
        let doomed = greatest_below(cx, root, key).map_or(key, |node| node.key);
        remove(cx, root, doomed);
        m.safepoint();
        part.gaps.mark();
    }
    part.operations = operations;
    part.checksum = u64::from(walk(m));
}

/// Octane's hash, as a generator.
struct Keys(u32);

impl Keys {
    fn next(&mut self) -> u32 {
        let mut x = self.0;
        x = x.wrapping_add(0x7ed5_5d16).wrapping_add(x << 12);
        x = (x ^ 0xc761_c23c) ^ (x >> 19);
        x = x.wrapping_add(0x1656_67b1).wrapping_add(x << 5);
        x = x.wrapping_add(0xd3a2_646c) ^ (x << 9);
        x = x.wrapping_add(0xfd70_46c5).wrapping_add(x << 3);
        x = (x ^ 0xb55a_4f09) ^ (x >> 16);
        self.0 = x;
        x & 0x0fff_ffff
    }
}

fn payload<'gc>(cx: &'gc Cx, depth: u32, tag: u32, text: &mut String) -> Gc<'gc, Opaque> {
    if depth == 0 {
        let array = cx.alloc_slice(10, |i| if i == 0 { (tag & 7) as i32 } else { i as i32 });
        text.clear();
        text.push_str("String for key ");
        text.push_str(itoa::Buffer::new().format(tag));
        text.push_str(" in leaf node");
        return Gc::erase(cx.alloc(Leaf { array, string: cx.alloc_str(text) }));
    }
    let left = payload(cx, depth - 1, tag, text);
    let right = payload(cx, depth - 1, tag, text);
    Gc::erase(cx.alloc(Pair { left, right }))
}

fn insert_new<'gc>(cx: &'gc Cx, root: &mut Link<'gc>, keys: &mut Keys, text: &mut String) -> u32 {
    let key = loop {
        let key = keys.next();
        splay(cx, root, key);
        if root.is_none_or(|node| node.key != key) {
            break key;
        }
    };
    let value = payload(cx, PAYLOAD_DEPTH, key, text);
    insert(cx, root, key, value);
    key
}

fn insert<'gc>(cx: &'gc Cx, root: &mut Link<'gc>, key: u32, value: Gc<'gc, Opaque>) {
    let node = cx.alloc(Node { key, value: Some(value), left: Field::null(), right: Field::null() });
    splay(cx, root, key);
    if let Some(top) = *root {
        if key > top.key {
            node.left.set(cx, Some(top));
            node.right.set(cx, top.right.get());
            top.right.clear();
        } else {
            node.right.set(cx, Some(top));
            node.left.set(cx, top.left.get());
            top.left.clear();
        }
    }
    *root = Some(node);
}

fn remove<'gc>(cx: &'gc Cx, root: &mut Link<'gc>, key: u32) {
    splay(cx, root, key);
    let top = root.filter(|top| top.key == key).expect("the key is in the tree");
    let right = top.right.get();
    *root = top.left.get();
    if root.is_none() {
        *root = right;
    } else {
        splay(cx, root, key);
        root.expect("it was there before").right.set(cx, right);
    }
}

/// The node with the greatest key below `key`.
fn greatest_below<'gc>(cx: &'gc Cx, root: &mut Link<'gc>, key: u32) -> Link<'gc> {
    splay(cx, root, key);
    let top = (*root)?;
    if top.key < key {
        return Some(top);
    }
    let mut node = top.left.get()?;
    while let Some(right) = node.right.get() {
        node = right;
    }
    Some(node)
}

/// Brings the node with this key, or one of its neighbours, to the root.
fn splay<'gc>(cx: &'gc Cx, root: &mut Link<'gc>, key: u32) {
    let Some(mut current) = *root else { return };
    // Everything greater than the key gathers at its left edge, everything smaller at its right edge.
    let middle = cx.alloc(Node { key: 0, value: None, left: Field::null(), right: Field::null() });
    let (mut smaller, mut greater) = (middle, middle);
    loop {
        if key < current.key {
            let Some(mut left) = current.left.get() else { break };
            if key < left.key {
                current.left.set(cx, left.right.get());
                left.right.set(cx, Some(current));
                current = left;
                match current.left.get() {
                    Some(next) => left = next,
                    None => break,
                }
            }
            greater.left.set(cx, Some(current));
            greater = current;
            current = left;
        } else if key > current.key {
            let Some(mut right) = current.right.get() else { break };
            if key > right.key {
                current.right.set(cx, right.left.get());
                right.left.set(cx, Some(current));
                current = right;
                match current.right.get() {
                    Some(next) => right = next,
                    None => break,
                }
            }
            smaller.right.set(cx, Some(current));
            smaller = current;
            current = right;
        } else {
            break;
        }
    }
    smaller.right.set(cx, current.left.get());
    greater.left.set(cx, current.right.get());
    current.left.set(cx, middle.right.get());
    current.right.set(cx, middle.left.get());
    *root = Some(current);
}

/// Folds all nodes in the order of their keys, with a safepoint at each.
fn walk(m: &mut M) -> u32 {
    let (mut hash, mut count) = (0u32, 0u32);
    {
        let (_, roots) = m.split();
        descend(&mut roots.path, roots.root);
    }
    loop {
        let (_, roots) = m.split();
        let Some(node) = roots.path.pop() else { return hash.wrapping_add(count) };
        descend(&mut roots.path, node.right.get());
        let leaf = first_leaf(node.value.expect("every node in the tree has a payload"));
        hash = hash.wrapping_mul(31).wrapping_add(node.key);
        hash = hash.wrapping_mul(31).wrapping_add(leaf.array[0] as u32).wrapping_add(leaf.string.len() as u32);
        count += 1;
        m.safepoint();
    }
}

fn descend<'gc>(path: &mut Vec<Gc<'gc, Node<'gc>>>, mut link: Link<'gc>) {
    while let Some(node) = link {
        path.push(node);
        link = node.left.get();
    }
}

fn first_leaf<'gc>(mut payload: Gc<'gc, Opaque>) -> Gc<'gc, Leaf<'gc>> {
    while let Some(pair) = payload.downcast::<Pair<'static>>() {
        payload = pair.left;
    }
    payload.downcast::<Leaf<'static>>().expect("a payload ends in leaves")
}
