//! The snapshot's nodes as objects of the heap, and the directory through which they find each other.
//!
//! ```text
//!              ┌─▶ payload   [u8; self_size], a pattern made from the ordinal
//!   Node ──────┼─▶ strong    one field a strong edge, in the file's order
//!   (ordinal)  ├─▶ weak      one field a weak edge ──▶ weak cell ┄┄▶ Node
//!              └─▶ table     WeakMap: key ┄┄▶ values, one field a value
//! ```
//!
//! A node is kept by nothing but other nodes: the directory is dropped after each use.
//!
//! Invariants:
//! - G1: during linking, fields of a node are written by one thread, the one whose part holds its ordinal.
//! - G2: a node's lists have the lengths of the model's lists from the beginning; linking only fills them.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use orinoco::{AllocError, Cx, Field, Gc, Slot, Trace, Weak, WeakMap};

use super::model::Model;

/// Fields that keep nodes.
pub type Links<'gc> = [Field<'gc, Node<'gc>>];
/// Fields that know nodes.
pub type WeakLinks<'gc> = [Slot<Option<Weak<'gc, Node<'gc>>>>];
/// The entries of a table.
pub type Table<'gc> = WeakMap<Node<'gc>, Gc<'gc, Links<'gc>>>;

/// The ordinal of what stands for no node of the snapshot.
pub const LITTER: u32 = u32::MAX;

/// A node of the graph.
#[derive(Trace)]
pub struct Node<'gc> {
    /// Which node of the snapshot this is; identity that survives moving.
    pub ordinal: u32,
    /// The last walk that came here. Written by whoever walks, with nobody else walking.
    seen: AtomicU32,
    /// The node's own bytes.
    pub payload: Option<Gc<'gc, [u8]>>,
    /// What it keeps.
    pub strong: Option<Gc<'gc, Links<'gc>>>,
    /// What it knows.
    pub weak: Option<Gc<'gc, WeakLinks<'gc>>>,
    /// What it keeps for the sake of others, if it is a table.
    pub table: Option<Gc<'gc, Table<'gc>>>,
}

/// The byte at `at` in the payload of a node: neighbours differ, and so do nodes.
pub fn pattern(ordinal: u32, at: usize) -> u8 {
    (ordinal.wrapping_mul(0x9E37_79B9) >> 24) as u8 ^ (at as u8).wrapping_mul(31)
}

fn links<'gc>(cx: &'gc Cx, count: usize) -> Result<Option<Gc<'gc, Links<'gc>>>, AllocError> {
    (count > 0).then(|| cx.try_alloc_slice(count, |_| Field::null())).transpose()
}

impl<'gc> Node<'gc> {
    /// Allocates a node of the model with every field empty.
    pub fn alloc(cx: &'gc Cx, model: &Model, ordinal: u32) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
        let weak = model.weak(ordinal).len();
        let weak = (weak > 0).then(|| cx.try_alloc_slice(weak, |_| Slot::new(None))).transpose()?;
        let table = model.entries_of(ordinal).next().map(|_| Table::new(cx));
        Node::alloc_with(cx, ordinal, model.size(ordinal), model.strong(ordinal).len(), weak, table)
    }

    /// Allocates a node that stands for nothing.
    pub fn alloc_litter(cx: &'gc Cx, size: usize, fields: usize) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
        Node::alloc_with(cx, LITTER, size, fields, None, None)
    }

    fn alloc_with(
        cx: &'gc Cx,
        ordinal: u32,
        size: usize,
        fields: usize,
        weak: Option<Gc<'gc, WeakLinks<'gc>>>,
        table: Option<Gc<'gc, Table<'gc>>>,
    ) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
        let payload = (size > 0).then(|| cx.try_alloc_slice(size, |at| pattern(ordinal, at))).transpose()?;
        let strong = links(cx, fields)?;
        cx.try_alloc(Node { ordinal, seen: AtomicU32::new(0), payload, strong, weak, table })
    }

    /// About the bytes that a node of the model takes.
    pub fn weight(model: &Model, ordinal: u32) -> usize {
        96 + model.size(ordinal) + 8 * model.strong(ordinal).len() + 40 * model.weak(ordinal).len()
    }

    /// A node of the model with somebody else's bytes.
    #[cfg(test)]
    pub fn forge(
        cx: &'gc Cx,
        model: &Model,
        ordinal: u32,
        payload: Option<Gc<'gc, [u8]>>,
    ) -> Result<Gc<'gc, Node<'gc>>, AllocError> {
        let strong = links(cx, model.strong(ordinal).len())?;
        cx.try_alloc(Node { ordinal, seen: AtomicU32::new(0), payload, strong, weak: None, table: None })
    }

    /// Notes that the walk `walk` is here; true when it was not before.
    pub fn arrive(&self, walk: u32) -> bool {
        self.seen.swap(walk, Relaxed) != walk
    }

    /// Whether the walk `walk` has been here.
    pub fn was_seen(&self, walk: u32) -> bool {
        self.seen.load(Relaxed) == walk
    }

    /// The fields that keep nodes.
    pub fn fields(this: Gc<'gc, Node<'gc>>) -> &'gc Links<'gc> {
        this.strong.map_or(&[], Gc::get)
    }

    /// The fields that know nodes.
    pub fn weak_fields(this: Gc<'gc, Node<'gc>>) -> &'gc WeakLinks<'gc> {
        this.weak.map_or(&[], Gc::get)
    }

    /// Makes every field agree with the directory: whom it names is referred to, whom it does not name is let go.
    ///
    /// Two things are left for the collector to do: a weak field keeps its cell, and a table keeps its entry, when the
    /// node referred to, or the key, is not in the directory.
    pub fn link(
        this: Gc<'gc, Node<'gc>>,
        cx: &'gc Cx,
        model: &Model,
        directory: Gc<'gc, Directory<'gc>>,
    ) -> Result<(), AllocError> {
        for (field, to) in Node::fields(this).iter().zip(model.strong(this.ordinal)) {
            point(cx, field, directory.get(*to));
        }
        for (field, to) in Node::weak_fields(this).iter().zip(model.weak(this.ordinal)) {
            let now = field.get().and_then(|cell| cell.peek(cx));
            if let Some(to) = directory.get(*to).filter(|to| now.is_none_or(|now| !Gc::ptr_eq(now, *to))) {
                field.set(cx, Some(cx.weak(to)));
            }
        }
        let Some(table) = this.table else { return Ok(()) };
        for entry in model.entries_of(this.ordinal) {
            let Some(key) = directory.get(entry.key) else { continue };
            let values = match table.get(cx, key) {
                Some(values) => values,
                None => {
                    let values = cx.try_alloc_slice(entry.values.len(), |_| Field::null())?;
                    table.insert(cx, key, values);
                    values
                }
            };
            for (field, to) in values.iter().zip(&entry.values) {
                point(cx, field, directory.get(*to));
            }
        }
        Ok(())
    }
}

/// Stores only what changes anything: most fields of an old node agree already.
fn point<'gc>(cx: &Cx, field: &Field<'gc, Node<'gc>>, to: Option<Gc<'gc, Node<'gc>>>) {
    let agrees = match (field.get(), to) {
        (Some(now), Some(to)) => Gc::ptr_eq(now, to),
        (None, None) => true,
        _ => false,
    };
    if !agrees {
        field.set(cx, to);
    }
}

/// Where each ordinal's node is. It is as large as the graph has nodes, hence in pieces, which are allocated one by one.
#[derive(Trace)]
pub struct Directory<'gc> {
    pieces: Gc<'gc, [Field<'gc, Links<'gc>>]>,
}

/// Nodes to a piece: 32 KiB, an object like others.
pub const PIECE: usize = 4096;

impl<'gc> Directory<'gc> {
    /// Allocates a directory without its pieces.
    pub fn alloc(cx: &'gc Cx, nodes: u32) -> Result<Gc<'gc, Directory<'gc>>, AllocError> {
        let pieces = cx.try_alloc_slice((nodes as usize).div_ceil(PIECE), |_| Field::null())?;
        cx.try_alloc(Directory { pieces })
    }

    /// Adds the next piece that is missing; true when there is none.
    pub fn complete(&self, cx: &'gc Cx, piece: usize) -> Result<bool, AllocError> {
        let Some(field) = self.pieces.get(piece) else { return Ok(true) };
        field.set(cx, Some(cx.try_alloc_slice(PIECE, |_| Field::null())?));
        Ok(false)
    }

    /// The node of this ordinal.
    pub fn get(&self, ordinal: u32) -> Option<Gc<'gc, Node<'gc>>> {
        self.field(ordinal).get()
    }

    /// Puts a node in its place, or takes it out.
    pub fn set(&self, cx: &Cx, ordinal: u32, node: Option<Gc<'gc, Node<'gc>>>) {
        self.field(ordinal).set(cx, node);
    }

    fn field(&self, ordinal: u32) -> &Field<'gc, Node<'gc>> {
        let piece = self.pieces[ordinal as usize / PIECE].get().expect("the directory is complete");
        &Gc::get(piece)[ordinal as usize % PIECE]
    }
}
