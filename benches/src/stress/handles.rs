//! Storms of handles: many thousands alive at once, made, moved, copied and dropped, also by threads that never made one.

use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use orinoco::{Root, Trace};

use super::play::{Part, Plain, Play, Turn};

/// Handles of a player.
const HANDLES: usize = 20_000;
/// Handles in the box that players share.
const BOXED: usize = 4000;

#[derive(Trace)]
struct Cell {
    number: u64,
}

type Handle = (Root<Cell>, u64);

/// What players of handles share: a box into which each puts and from which each takes.
///
/// # Errors
/// None.
pub fn open(_: &mut Plain) -> Result<Part> {
    let lost: Arc<Mutex<Vec<Handle>>> = Arc::default();
    Ok(Box::new(move |_, _| Ok(Box::new(Handles { own: Vec::new(), lost: lost.clone(), next: 0 }))))
}

struct Handles {
    own: Vec<Handle>,
    lost: Arc<Mutex<Vec<Handle>>>,
    next: u64,
}

fn check(m: &mut Plain, (root, number): &Handle) -> Result<()> {
    let found = root.get(m).number;
    ensure!(found == *number, "a handle of {number} leads to {found}");
    Ok(())
}

impl Play for Handles {
    fn turn(&mut self, m: &mut Plain, turn: &mut Turn<'_>) -> Result<()> {
        for _ in 0..500 {
            let number = self.next;
            self.next += 1;
            let cell = m.try_alloc(Cell { number })?;
            self.own.push((m.root(cell), number));
            let at = turn.dice.below(self.own.len());
            check(m, &self.own[at])?;
            match turn.dice.below(6) {
                0 => {
                    let copy = self.own[at].0.clone_in(m);
                    let number = self.own[at].1;
                    self.own.push((copy, number));
                }
                1 => {
                    let to = turn.dice.below(self.own.len());
                    self.own[to].0.set(m, self.own[at].0.get(m));
                    self.own[to].1 = self.own[at].1;
                }
                _ => {}
            }
            if number.is_multiple_of(32) {
                m.safepoint();
            }
        }
        {
            let mut lost = self.lost.lock().expect("nobody panics with this lock");
            let many = lost.len().saturating_sub(BOXED / 2);
            lost.drain(..many);
            let few = self.own.len().min(100);
            lost.extend(self.own.drain(..few));
        }
        let taken = self.lost.lock().expect("nobody panics with this lock").pop();
        if let Some(handle) = taken {
            check(m, &handle)?;
        }
        turn.line.checked(501);
        if self.own.len() > HANDLES {
            // All at once, in an order that leaves holes everywhere.
            self.own.retain(|_| turn.dice.once_in(4));
        }
        Ok(())
    }
}
