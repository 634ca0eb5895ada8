//! Hundreds of types in one heap: each has a descriptor, a size and a shape of its own, and so has its array type.
//!
//! ```text
//!   Beast<A, B>    A: 16 lengths of what comes before the reference, B: 16 lengths of what comes after      512 descriptors
//! ```
//!
//! More would be no harder for the heap and much harder for the compiler: each is visited by code of its own.

use anyhow::{Result, ensure};
use orinoco::{Cx, Gc, Opaque, Root, Trace};

use super::play::{Part, Plain, Play, Turn};

/// Beasts of a player.
const BEASTS: usize = 3000;

/// An object whose type is one of many.
#[derive(Trace)]
struct Beast<'gc, const A: usize, const B: usize> {
    before: [u64; A],
    prey: Option<Any<'gc>>,
    after: [u16; B],
    seal: u64,
}

type Any<'gc> = Gc<'gc, Opaque>;

/// How to make one, and how to look at one.
#[derive(Clone, Copy)]
struct Kind {
    make: for<'gc> fn(&'gc Cx, u64, Option<Any<'gc>>, bool) -> Result<Any<'gc>>,
    look: for<'gc> fn(Any<'gc>, u64, bool) -> Result<Option<Any<'gc>>>,
}

impl<const A: usize, const B: usize> Beast<'static, A, B> {
    const KIND: Kind = Kind { make: make::<A, B>, look: look::<A, B> };
}

fn beast<'gc, const A: usize, const B: usize>(seal: u64, prey: Option<Any<'gc>>) -> Beast<'gc, A, B> {
    Beast { before: [seal; A], prey, after: [seal as u16; B], seal }
}

fn make<'gc, const A: usize, const B: usize>(
    cx: &'gc Cx,
    seal: u64,
    prey: Option<Any<'gc>>,
    pack: bool,
) -> Result<Any<'gc>> {
    Ok(if pack {
        Gc::erase(cx.try_alloc_slice(1 + seal as usize % 3, |_| beast::<A, B>(seal, prey))?)
    } else {
        Gc::erase(cx.try_alloc(beast::<A, B>(seal, prey))?)
    })
}

fn look<'gc, const A: usize, const B: usize>(found: Any<'gc>, seal: u64, pack: bool) -> Result<Option<Any<'gc>>> {
    let wrong = || anyhow::anyhow!("a beast of kind {A}, {B} has become a {}", found.type_name());
    let all: &[Beast<'gc, A, B>] = if pack {
        Gc::get(found.downcast::<[Beast<'static, A, B>]>().ok_or_else(wrong)?)
    } else {
        std::slice::from_ref(Gc::get(found.downcast::<Beast<'static, A, B>>().ok_or_else(wrong)?))
    };
    let sound = |b: &Beast<'gc, A, B>| b.before == [seal; A] && b.after == [seal as u16; B] && b.seal == seal;
    ensure!(all.iter().all(sound), "a beast of kind {A}, {B} was overwritten");
    Ok(all.last().and_then(|b| b.prey))
}

macro_rules! kinds {
    ($($a:literal)*) => { [$(kinds!(@row $a)),*] };
    (@row $a:literal) => { kinds!(@cells $a; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    (@cells $a:literal; $($b:literal)*) => { [$(Beast::<$a, $b>::KIND),*] };
}

/// All of them.
static KINDS: [[Kind; 16]; 16] = kinds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

/// What players of the zoo share: nothing.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    Ok(Box::new(|_, _| Ok(Box::new(Zoo(Vec::new())))))
}

struct Zoo(Vec<Kept>);

struct Kept {
    beast: Root<Opaque>,
    kind: &'static Kind,
    seal: u64,
    pack: bool,
    /// What it preys on: the seal of an object that nothing else may keep.
    prey: Option<(&'static Kind, u64)>,
}

impl Play for Zoo {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for round in 0..150 {
            let dice = &mut *turn.dice;
            let mut kind = || &KINDS[dice.below(16)][dice.below(16)];
            let (kind, other) = (kind(), kind());
            let (seal, pack) = (dice.next(), dice.once_in(3));
            let prey = dice.once_in(2).then(|| (other, dice.next()));
            let caught = prey.map(|(kind, seal)| (kind.make)(m, seal, None, false)).transpose()?;
            let beast = m.root((kind.make)(m, seal, caught, pack)?);
            let kept = Kept { beast, kind, seal, pack, prey };
            if self.0.len() < BEASTS {
                self.0.push(kept);
            } else {
                self.0[dice.below(BEASTS)] = kept;
            }
            if round % 10 == 0 {
                m.safepoint();
            }
            let kept = &self.0[turn.dice.below(self.0.len())];
            let found = (kept.kind.look)(kept.beast.get(m), kept.seal, kept.pack)?;
            ensure!(found.is_some() == kept.prey.is_some(), "a beast has lost its prey, or found some");
            if let (Some(found), Some((kind, seal))) = (found, kept.prey) {
                (kind.look)(found, seal, false)?;
            }
        }
        turn.line.checked(150);
        Ok(())
    }
}
