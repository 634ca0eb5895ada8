//! The graph on the heap, and what is done to all of it at once: building, linking, comparing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use orinoco::{AllocError, Cx, Gc, Heap, Root};

use super::{
    error::ReplayError,
    graph::{Directory, Node},
    model::{Model, Reach},
    team::{Step, Team, Vm, steps},
    verify::{Findings, Walk},
};

/// An owned directory, which threads share.
pub type Lookup = Root<Directory<'static>>;

/// A graph that stands on a heap, kept by its root alone.
pub struct Stage<'a> {
    pub model: &'a Model,
    pub team: Team,
    /// Bytes of work between two polls.
    pub rhythm: usize,
    pub root: Root<Node<'static>>,
    walks: u32,
    /// What all comparisons found together.
    pub findings: Findings,
    /// How many objects were expected to die, and looked for.
    pub deaths: u64,
}

impl<'a> Stage<'a> {
    /// Builds the whole graph, what is unreachable in it too, and lets go of all but the root. Everything unreachable
    /// is doomed.
    pub fn build(
        heap: &Heap,
        model: &'a Model,
        reach: &Reach,
        threads: usize,
        rhythm: usize,
    ) -> Result<Stage<'a>, ReplayError> {
        let mut team = Team::new(heap, threads);
        let lookup = new_lookup(&mut team, model, rhythm)?;
        each(&mut team, rhythm, model.nodes(), |cx, vm, ordinal| {
            let node = Node::alloc(cx, model, ordinal)?;
            lookup.get(cx).set(cx, ordinal, Some(node));
            if !reach.has(ordinal) {
                vm.doomed.push(cx.weak(node));
            }
            Ok(Node::weight(model, ordinal))
        })?;
        link(&mut team, rhythm, model, &lookup)?;
        let root = team.one(|m| {
            let (cx, _) = m.split();
            cx.root(lookup.get(cx).get(0).expect("the root is built"))
        });
        Ok(Stage { model, team, rhythm, root, walks: 0, findings: Findings::default(), deaths: 0 })
    }

    /// Does something to each ordinal, on the thread whose part it is in. It tells how many bytes of work that was.
    pub fn each(
        &mut self,
        work: impl for<'gc> Fn(&'gc Cx, &mut Vm<'gc>, u32) -> Result<usize, AllocError> + Sync,
    ) -> Result<(), ReplayError> {
        each(&mut self.team, self.rhythm, self.model.nodes(), work)
    }

    /// Makes every node that the directory names agree with the directory.
    pub fn link(&mut self, lookup: &Lookup) -> Result<(), ReplayError> {
        link(&mut self.team, self.rhythm, self.model, lookup)
    }

    /// Makes the directory's root the root.
    pub fn take_root(&mut self, lookup: &Lookup) {
        let root = &self.root;
        self.team.one(|m| {
            let (cx, _) = m.split();
            root.set(cx, lookup.get(cx).get(0).expect("the directory names the root"));
        });
    }

    /// Collects everything, compares the heap with the model, and sees that the doomed are dead. Gives a directory of
    /// what is there.
    pub fn compare(&mut self, expected: &Reach) -> Result<Lookup, ReplayError> {
        self.team.one(|m| m.collect());
        self.bury()?;
        let directory = new_lookup(&mut self.team, self.model, self.rhythm)?;
        self.walks += 1;
        let walk = Walk {
            model: self.model,
            expected,
            root: &self.root,
            directory: &directory,
            number: self.walks,
            rhythm: self.rhythm,
        };
        let found = self.team.one(|m| walk.run(m))?;
        self.findings.follow(found);
        Ok(directory)
    }

    /// Sees that the doomed are dead.
    fn bury(&mut self) -> Result<(), ReplayError> {
        let [dead, alive] = [AtomicU64::new(0), AtomicU64::new(0)];
        let rhythm = self.rhythm;
        self.team.all(|_, m| {
            steps(m, rhythm, |cx, vm| {
                let Some(cell) = vm.doomed.pop() else { return Ok(Step::Done) };
                let count = if cell.peek(cx).is_none() { &dead } else { &alive };
                count.fetch_add(1, Relaxed);
                Ok(Step::Spent(16))
            })
        })?;
        let [dead, alive] = [dead, alive].map(AtomicU64::into_inner);
        self.deaths += dead;
        if alive > 0 {
            self.findings.disagree(|| format!("{alive} objects that nothing keeps survive a full collection"));
            self.findings.disagreements += alive - 1;
        }
        Ok(())
    }
}

fn new_lookup(team: &mut Team, model: &Model, rhythm: usize) -> Result<Lookup, ReplayError> {
    team.one(|m| {
        let mut lookup: Option<Lookup> = None;
        let mut piece = 0;
        steps(m, rhythm, |cx, _| {
            let Some(lookup) = &lookup else {
                lookup = Some(cx.root(Directory::alloc(cx, model.nodes())?));
                return Ok(Step::Spent(64));
            };
            if lookup.get(cx).complete(cx, piece)? {
                return Ok(Step::Done);
            }
            piece += 1;
            Ok(Step::Spent(8 * super::graph::PIECE))
        })?;
        Ok(lookup.expect("the first step makes it"))
    })
}

fn each(
    team: &mut Team,
    rhythm: usize,
    nodes: u32,
    work: impl for<'gc> Fn(&'gc Cx, &mut Vm<'gc>, u32) -> Result<usize, AllocError> + Sync,
) -> Result<(), ReplayError> {
    let threads = team.threads();
    team.all(|number, m| {
        let mut part = Team::part(threads, number, nodes);
        steps(m, rhythm, |cx, vm| {
            // The ordinal is done with only when its work succeeds: the step may be taken again.
            let Some(ordinal) = part.clone().next() else { return Ok(Step::Done) };
            let spent = work(cx, vm, ordinal)?;
            part.next();
            Ok(Step::Spent(spent))
        })
    })
}

fn link(team: &mut Team, rhythm: usize, model: &Model, lookup: &Lookup) -> Result<(), ReplayError> {
    each(team, rhythm, model.nodes(), |cx, _, ordinal| {
        let directory = lookup.get(cx);
        let Some(node) = directory.get(ordinal) else { return Ok(1) };
        Node::link(node, cx, model, directory)?;
        Ok(16 + 8 * Gc::get(node).strong.map_or(0, |fields| fields.len()))
    })
}
