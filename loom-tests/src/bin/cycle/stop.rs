//! What happens in a stop.

use crate::model::{Age, Mistake, Name, Object, Set, State, each, only};

/// What a stop is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// The young generation.
    Young,
    /// The young generation, and marking begins.
    Start,
    /// The young generation, and marking ends, if what is left of it fits.
    Finish,
}

impl Stop {
    /// All stand still: does it, and lets them go.
    pub fn happen(self, state: &mut State, mistake: Mistake, promoted: Option<Name>, too_much: bool) {
        // The marker is home; what it held is where everyone finds it.
        let held = std::mem::take(&mut state.held);
        if mistake != Mistake::MarkerTakesWorkHome {
            state.grey |= held;
        }
        for mutator in &mut state.mutators {
            let shaded = std::mem::take(&mut mutator.shaded);
            if mistake != Mistake::ShadedIsLost {
                state.grey |= shaded;
            }
        }
        match self {
            Self::Young => state.scavenges -= 1,
            Self::Start => {
                state.cycles -= 1;
                state.marking = true;
                state.objects.iter_mut().for_each(|object| object.scans = 0);
                let missed = usize::from(mistake == Mistake::BarrierMissesAMutator);
                state.mutators.iter_mut().skip(missed).for_each(|mutator| mutator.shading = true);
            }
            Self::Finish => {}
        }
        let roots_too = self != Self::Finish || mistake != Mistake::NoRootsAtTheEnd;
        scavenge(state, mistake, promoted, roots_too);
        if self == Self::Finish {
            if too_much {
                state.returns -= 1;
                if mistake == Mistake::SweepBeforeTheEnd {
                    sweep(state);
                }
            } else {
                drain(state, mistake);
                sweep(state);
            }
        }
        state.mutators.iter_mut().for_each(|mutator| mutator.parked = false);
    }
}

/// Frees the young that cannot be reached, promotes one object that can, and shades for marking.
fn scavenge(state: &mut State, mistake: Mistake, promoted: Option<Name>, roots_too: bool) {
    let registers: Vec<Name> = state.mutators.iter().flat_map(|mutator| mutator.registers).flatten().collect();
    let remembered = state.objects.iter().filter(|object| object.remembered).filter_map(|object| object.field);
    let live = young_from(state, registers.iter().copied().chain(remembered.collect::<Vec<_>>()));
    for (name, object) in state.objects.iter_mut().enumerate() {
        if object.age == Age::Young && live & only(name as Name) == 0 {
            *object = Object::default();
        }
    }
    let promoted = promoted.filter(|name| live & only(*name) != 0);
    if state.marking {
        if roots_too {
            registers.iter().for_each(|root| shade(state, *root, mistake));
        }
        if mistake != Mistake::ScavengeDoesNotShade {
            let unseen = if mistake == Mistake::PromotedUnseen { promoted } else { None };
            let targets: Vec<Name> = each(live)
                .filter(|name| Some(*name) != unseen)
                .filter_map(|name| state.objects[usize::from(name)].field)
                .collect();
            targets.into_iter().for_each(|target| shade(state, target, mistake));
        }
    }
    if let Some(name) = promoted {
        let object = &mut state.objects[usize::from(name)];
        object.age = Age::Old;
        // Black: it was looked at just now.
        object.marked = state.marking && mistake != Mistake::PromotedWhite;
        object.remembered = mistake != Mistake::PromotedIsForgotten;
    }
    for name in 0..state.objects.len() {
        let young =
            state.objects[name].field.is_some_and(|target| state.objects[usize::from(target)].age == Age::Young);
        let object = &mut state.objects[name];
        object.remembered &= young && object.age == Age::Old;
    }
}

/// The young objects that can be reached from `roots` through young objects.
fn young_from(state: &State, roots: impl Iterator<Item = Name>) -> Set {
    let (mut live, mut todo) = (0, roots.collect::<Vec<_>>());
    while let Some(name) = todo.pop() {
        let object = &state.objects[usize::from(name)];
        if object.age == Age::Young && live & only(name) == 0 {
            live |= only(name);
            todo.extend(object.field);
        }
    }
    live
}

fn shade(state: &mut State, name: Name, mistake: Mistake) {
    if state.claim(name, mistake) {
        state.grey |= only(name);
    }
}

/// Marks what is left.
fn drain(state: &mut State, mistake: Mistake) {
    while let Some(name) = each(state.grey).next() {
        state.grey &= !only(name);
        let object = &mut state.objects[usize::from(name)];
        object.scans = (object.scans + 1).min(2);
        if object.scans == 2 {
            return;
        }
        if let Some(target) = object.field {
            shade(state, target, mistake);
        }
    }
}

/// Frees the old that are white; marking is over.
fn sweep(state: &mut State) {
    for object in &mut state.objects {
        if object.age == Age::Old && !object.marked {
            *object = Object::default();
            state.freed = true;
        }
        object.marked = false;
    }
    state.marking = false;
    state.grey = 0;
    state.mutators.iter_mut().for_each(|mutator| mutator.shading = false);
}
