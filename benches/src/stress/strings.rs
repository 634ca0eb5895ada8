//! Ropes: trees whose leaves are strings, of the heap or in buffers of the system that go with their objects.

use anyhow::{Result, ensure};
use orinoco::{Cx, Gc, Root, Trace};

use super::dice::Dice;
use super::play::{Part, Plain, Play, Turn};

/// Ropes of a player.
const ROPES: usize = 16;

#[derive(Trace)]
enum Rope<'gc> {
    Text(Gc<'gc, str>),
    Bytes(Gc<'gc, [u8]>),
    /// Outside of the heap; its drop glue frees it.
    Outside(#[trace(skip)] Box<[u8]>),
    Both(Gc<'gc, Rope<'gc>>, Gc<'gc, Rope<'gc>>),
}

/// What players of strings share: nothing.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|_, _| Ok(Box::new(Ropes(Vec::new())))))
}

struct Ropes(Vec<(Root<Rope<'static>>, u64)>);

/// The letters of a leaf, whose seed they follow from.
fn letters(dice: &mut Dice) -> String {
    // Now and then one that is large for the heap.
    let length = if dice.once_in(400) { 150_000 } else { dice.below(120) };
    let first = dice.next();
    (0..length).map(|at| char::from(b'a' + ((first >> (at % 59)) as u8 & 15))).collect()
}

fn build<'gc>(cx: &'gc Cx, dice: &mut Dice, depth: u32) -> Result<Gc<'gc, Rope<'gc>>> {
    let rope = match dice.below(6) {
        0 => Rope::Text(cx.try_alloc_str(&letters(dice))?),
        1 => Rope::Bytes(cx.try_alloc_copy(letters(dice).as_bytes())?),
        2 => Rope::Outside(letters(dice).into_bytes().into()),
        _ if depth == 0 => Rope::Text(cx.try_alloc_str(&letters(dice))?),
        _ => Rope::Both(build(cx, dice, depth - 1)?, build(cx, dice, depth - 1)?),
    };
    Ok(cx.try_alloc(rope)?)
}

fn compare(rope: Gc<'_, Rope<'_>>, dice: &mut Dice, depth: u32) -> Result<usize> {
    let kind = dice.below(6);
    let found: &[u8] = match (Gc::get(rope), kind) {
        (Rope::Text(text), 0) => text.as_bytes(),
        (Rope::Bytes(bytes), 1) => bytes,
        (Rope::Outside(bytes), 2) => bytes,
        (Rope::Text(text), 3..) if depth == 0 => text.as_bytes(),
        (Rope::Both(left, right), 3..) if depth > 0 => {
            return Ok(compare(*left, dice, depth - 1)? + compare(*right, dice, depth - 1)?);
        }
        _ => anyhow::bail!("a part of a rope has become another at depth {depth}"),
    };
    let wanted = letters(dice);
    ensure!(found == wanted.as_bytes(), "a string of {} bytes is not the one that was written", wanted.len());
    Ok(1)
}

impl Play for Ropes {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        const DEPTH: u32 = 5;
        for _ in 0..10 {
            let seed = turn.dice.next();
            let rope = m.root(build(m, &mut Dice::new(seed), DEPTH)?);
            if self.0.len() < ROPES {
                self.0.push((rope, seed));
            } else {
                self.0[turn.dice.below(ROPES)] = (rope, seed);
            }
            m.safepoint();
            let (rope, seed) = &self.0[turn.dice.below(self.0.len())];
            turn.line.checked(compare(rope.get(m), &mut Dice::new(*seed), DEPTH)?);
        }
        Ok(())
    }
}
