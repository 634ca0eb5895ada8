//! A round of churn: parts of the graph are dropped and rebuilt, nodes are replaced by fresh copies under everything
//! that refers to them, and all the while litter is made.
//!
//! ```text
//!   whole ──drop──▶ litter ──collect──▶ compare with what is left
//!     ▲                                          │
//!     └── compare ◀──collect── litter ◀──relink──┴── rebuild what died, replace some of what lived
//! ```

use fixedbitset::FixedBitSet;
use orinoco::{AllocError, Cx, Gc, Root};

use super::{
    cut::splitmix64,
    error::ReplayError,
    graph::Node,
    model::Reach,
    stage::{Lookup, Stage},
    team::{Step, Vm, steps},
};

/// Of a thousand nodes so many are dropped, and replaced, one by one.
const DROPPED: u64 = 20;
const REPLACED: u64 = 50;
/// And one run of neighbours is dropped, as long as this share of all nodes.
const RUN: u32 = 32;
/// Pieces of litter that a thread holds on to.
const HELD: usize = 512;

/// One round, numbered from 1.
pub struct Round<'r> {
    /// Makes the choices of one replay differ from another's.
    pub seed: u64,
    /// Which round it is.
    pub number: u64,
    /// What lives before and after the round.
    pub whole: &'r Reach,
    /// Bytes of litter that the threads make together, in each half of the round.
    pub litter: usize,
}

impl Round<'_> {
    /// Plays the round, from a directory of the whole graph to another.
    pub fn play(&self, stage: &mut Stage<'_>, lookup: Lookup) -> Result<Lookup, ReplayError> {
        let left = self.drop_parts(stage, lookup)?;
        self.make_litter(stage, 0)?;
        let lookup = stage.compare(&left)?;
        self.rebuild(stage, lookup, &left)?;
        self.make_litter(stage, 1)?;
        stage.compare(self.whole)
    }

    fn dice(&self, what: u64, which: u64) -> u64 {
        splitmix64(splitmix64(splitmix64(self.seed ^ self.number) ^ what) ^ which)
    }

    /// Lets go of some nodes; tells what is left.
    fn drop_parts(&self, stage: &mut Stage<'_>, lookup: Lookup) -> Result<Reach, ReplayError> {
        let nodes = stage.model.nodes();
        let mut dropped = FixedBitSet::with_capacity(nodes as usize);
        dropped.extend((1..nodes).filter(|n| self.dice(0, u64::from(*n)) % 1000 < DROPPED).map(|n| n as usize));
        let run = (self.dice(1, 0) % u64::from(nodes)) as u32;
        dropped.extend((run.max(1)..(run + nodes / RUN).min(nodes)).map(|n| n as usize));
        let left = stage.model.reach(&dropped);
        stage.each(|cx, vm, ordinal| {
            let directory = lookup.get(cx);
            if let Some(node) = directory.get(ordinal).filter(|_| !left.has(ordinal)) {
                vm.doomed.push(cx.weak(node));
            }
            if dropped.contains(ordinal as usize) {
                directory.set(cx, ordinal, None);
            }
            Ok(16)
        })?;
        stage.link(&lookup)?;
        Ok(left)
    }

    /// Builds again what died, and replaces some of what lived, the root always.
    fn rebuild(&self, stage: &mut Stage<'_>, lookup: Lookup, left: &Reach) -> Result<(), ReplayError> {
        let model = stage.model;
        stage.each(|cx, vm, ordinal| {
            let replaced = ordinal == 0 || self.dice(2, u64::from(ordinal)) % 1000 < REPLACED;
            if !self.whole.has(ordinal) || left.has(ordinal) && !replaced {
                return Ok(8);
            }
            let node = Node::alloc(cx, model, ordinal)?;
            let directory = lookup.get(cx);
            if let Some(old) = directory.get(ordinal) {
                vm.doomed.push(cx.weak(old));
            }
            directory.set(cx, ordinal, Some(node));
            Ok(Node::weight(model, ordinal))
        })?;
        stage.link(&lookup)?;
        stage.take_root(&lookup);
        Ok(())
    }

    /// Makes garbage on all threads: small and large, chained and cyclic, some of it living long enough to be copied
    /// and promoted, referring to the graph and writing over the graph's fields what stands there already.
    fn make_litter(&self, stage: &mut Stage<'_>, half: u64) -> Result<(), ReplayError> {
        let (threads, rhythm, root) = (stage.team.threads(), stage.rhythm, &stage.root);
        stage.team.all(|number, m| {
            let mut dice = Dice(self.dice(3 + half, number as u64));
            let mut left = self.litter / threads;
            steps(m, rhythm, |cx, vm| {
                if left == 0 {
                    return Ok(Step::Done);
                }
                let spent = one_piece(cx, vm, root, &mut dice)?;
                left = left.saturating_sub(spent);
                Ok(Step::Spent(spent))
            })?;
            m.collect_young();
            let (_, vm) = m.split();
            vm.litter.clear();
            vm.here = None;
            Ok(())
        })
    }
}

/// One piece of litter; tells its size.
fn one_piece<'gc>(
    cx: &'gc Cx,
    vm: &mut Vm<'gc>,
    root: &Root<Node<'static>>,
    dice: &mut Dice,
) -> Result<usize, AllocError> {
    let size = match dice.roll(1024) {
        0 => 160 << 10,
        1..16 => 4 << 10,
        _ => dice.roll(200),
    };
    let piece = Node::alloc_litter(cx, size, 3)?;
    let [next, other, graph] = Node::fields(piece) else { unreachable!("three were asked for") };
    let here = stroll(cx, vm.here.unwrap_or_else(|| root.get(cx)), dice);
    vm.here = here;
    graph.set(cx, here);
    if vm.litter.len() < HELD {
        vm.litter.push(piece);
    } else {
        let [a, b, out] = [(); 3].map(|()| dice.roll(HELD));
        next.set(cx, Some(vm.litter[a]));
        other.set(cx, Some(vm.litter[b]));
        // An older piece refers to a younger one: a cycle, and work for the write barrier.
        Node::fields(vm.litter[a])[1].set(cx, Some(piece));
        // What is let go refers to nothing, or a chain of all litter would hang on the last piece.
        let old = std::mem::replace(&mut vm.litter[out], piece);
        Node::fields(old).iter().for_each(|field| field.set(cx, None));
    }
    Ok(size + 96)
}

/// Goes one edge further, and on the way stores again what a field holds, as threads that share a graph do. Nobody
/// stores anything else meanwhile.
fn stroll<'gc>(cx: &'gc Cx, here: Gc<'gc, Node<'gc>>, dice: &mut Dice) -> Option<Gc<'gc, Node<'gc>>> {
    let fields = Node::fields(here);
    let field = fields.get(dice.roll(fields.len().max(1)))?;
    let to = field.get();
    match dice.roll(3) {
        0 => field.set(cx, to),
        1 => drop(field.compare_exchange(cx, to, to)),
        _ => {}
    }
    to
}

struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(1);
        (splitmix64(self.0) % sides as u64) as usize
    }
}
