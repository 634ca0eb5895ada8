//! What a cycle is made of, and what can happen next.
//!
//! ```text
//!   mutators    load · store, then its barrier · allocate · forget · park when asked
//!   marker      take a grey object · read its field · leave when a stop is asked for
//!   leader      ask ─▶ (all parked, no marker) ─▶ scavenge, begin or end marking ─▶ release
//! ```
//!
//! A stop is one step, for nothing else happens in it. Everything that runs beside something else is a step a word.

use crate::stop::Stop;
use stateright::{Model, Property};

/// Objects there is room for.
pub const OBJECTS: usize = 4;
/// Mutators.
pub const MUTATORS: usize = 2;
/// References that a mutator holds.
pub const REGISTERS: usize = 2;

/// An object's number.
pub type Name = u8;
/// A set of objects.
pub type Set = u8;

/// The set of one.
pub const fn only(name: Name) -> Set {
    1 << name
}

/// The objects of a set.
pub fn each(set: Set) -> impl Iterator<Item = Name> {
    (0..OBJECTS as Name).filter(move |name| set & only(*name) != 0)
}

/// Whether there is an object, and of which generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Age {
    /// No object.
    #[default]
    Free,
    /// In the nursery.
    Young,
    /// Promoted.
    Old,
}

/// An object with one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Object {
    pub age: Age,
    pub field: Option<Name>,
    pub marked: bool,
    /// In the remembered set.
    pub remembered: bool,
    /// How often it was scanned in this cycle.
    pub scans: u8,
}

/// A mutator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mutator {
    pub registers: [Option<Name>; REGISTERS],
    /// A store whose barrier is still to come: the host and what was stored.
    pub behind: Option<(Name, Name)>,
    /// Whether its barrier shades.
    pub shading: bool,
    /// What it has shaded and not handed over.
    pub shaded: Set,
    pub parked: bool,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub objects: [Object; OBJECTS],
    pub mutators: [Mutator; MUTATORS],
    pub marking: bool,
    /// On the shared list.
    pub grey: Set,
    /// Held by the marker.
    pub held: Set,
    /// Whose field the marker is about to read.
    pub scanning: Option<Name>,
    pub asked: Option<Stop>,
    /// What mutators may still do, and leaders.
    pub operations: u8,
    pub scavenges: u8,
    pub cycles: u8,
    pub returns: u8,
    /// An old object was freed.
    pub freed: bool,
    /// Something was shaded by a barrier.
    pub shaded_once: bool,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A mutator reads a register's field into a register.
    Load(usize, usize, usize),
    /// A mutator stores a register, or nothing, into a register's field.
    Store(usize, usize, Option<usize>),
    /// The barrier of that store.
    Barrier(usize),
    /// A mutator makes an object that refers to what its other register holds.
    Allocate(usize, usize),
    /// A mutator lets go of a register.
    Forget(usize, usize),
    /// A mutator stands still.
    Park(usize),
    /// A leader asks everyone to.
    Ask(Stop),
    /// All stand still: the stop, which may promote an object, and may find that too much is left to mark.
    Stopped(Option<Name>, bool),
    /// The marker takes a grey object.
    Take(Name),
    /// The marker reads its field.
    Scan,
}

/// What can be wrong with a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    None,
    /// A store into an old object does not shade.
    NoBarrier,
    /// The barrier is on in one mutator only.
    BarrierMissesAMutator,
    /// What a mutator shaded is dropped.
    ShadedIsLost,
    /// The stop that ends marking does not look at the roots.
    NoRootsAtTheEnd,
    /// A scavenge beside marking does not shade what young objects refer to.
    ScavengeDoesNotShade,
    /// What is promoted is white.
    PromotedWhite,
    /// What is promoted is black, and what it refers to was not shown.
    PromotedUnseen,
    /// A promoted object's young target is not remembered.
    PromotedIsForgotten,
    /// A store of a young reference into an old object is not remembered.
    StoreIsForgotten,
    /// What the marker held when it was sent home is dropped.
    MarkerTakesWorkHome,
    /// Nobody looks whether an object is marked before it is put on the list again.
    NoClaim,
    /// When too much is left at the end, what is white is swept all the same.
    SweepBeforeTheEnd,
}

/// Each.
pub const MISTAKES: &[Mistake] = &[
    Mistake::None,
    Mistake::NoBarrier,
    Mistake::BarrierMissesAMutator,
    Mistake::ShadedIsLost,
    Mistake::NoRootsAtTheEnd,
    Mistake::ScavengeDoesNotShade,
    Mistake::PromotedWhite,
    Mistake::PromotedUnseen,
    Mistake::PromotedIsForgotten,
    Mistake::StoreIsForgotten,
    Mistake::MarkerTakesWorkHome,
    Mistake::NoClaim,
    Mistake::SweepBeforeTheEnd,
];

/// A cycle, with or without a mistake, and how much may happen beside it.
#[derive(Clone, Copy, Debug)]
pub struct Cycle {
    pub mistake: Mistake,
    pub operations: u8,
    pub scavenges: u8,
}

impl Cycle {
    /// What seconds suffice for.
    pub const SMALL: Self = Self { mistake: Mistake::None, operations: 4, scavenges: 0 };
    /// What minutes suffice for.
    pub const LARGE: Self = Self { mistake: Mistake::None, operations: 5, scavenges: 1 };
    /// What has to happen somewhere, or the model shows nothing.
    pub const MUST_HAPPEN: &[&'static str] =
        &["an old object is freed", "a barrier shades", "marking goes on after its end"];
}

impl State {
    /// What mutators can reach, what is about to be shaded included.
    pub fn reachable(&self) -> Set {
        let mut seen = 0;
        let mut todo: Vec<Name> = self.mutators.iter().flat_map(|m| m.registers).flatten().collect();
        while let Some(name) = todo.pop() {
            if seen & only(name) == 0 {
                seen |= only(name);
                todo.extend(self.objects[usize::from(name)].field);
            }
        }
        seen
    }
    /// Turns an old object grey, if it is white.
    pub fn claim(&mut self, name: Name, mistake: Mistake) -> bool {
        let object = &mut self.objects[usize::from(name)];
        let won = object.age == Age::Old && (!object.marked || mistake == Mistake::NoClaim);
        if won {
            object.marked = true;
        }
        won
    }
    fn barrier(&mut self, number: usize, mistake: Mistake) {
        let Some((host, target)) = self.mutators[number].behind.take() else { return };
        if self.objects[usize::from(host)].age != Age::Old {
            return;
        }
        if self.objects[usize::from(target)].age == Age::Young {
            self.objects[usize::from(host)].remembered |= mistake != Mistake::StoreIsForgotten;
        } else if self.mutators[number].shading && mistake != Mistake::NoBarrier && self.claim(target, mistake) {
            self.mutators[number].shaded |= only(target);
            self.shaded_once = true;
        }
    }
}

impl Model for Cycle {
    type State = State;
    type Action = Step;

    /// Three heaps to begin with:
    ///
    /// - the first mutator holds A and B, and the second B too, which refers to W: W may be moved from B to A;
    /// - as well, and W refers to X: whoever marks W has to come to X;
    /// - A alone, and room for what is young to refer to what is young.
    fn init_states(&self) -> Vec<State> {
        let old = |field| Object { age: Age::Old, field, ..Object::default() };
        let free = Object::default();
        let holding = |registers| Mutator { registers, ..Mutator::default() };
        let state = |objects, first, second| State {
            objects,
            mutators: [holding(first), holding(second)],
            marking: false,
            grey: 0,
            held: 0,
            scanning: None,
            asked: None,
            operations: self.operations,
            scavenges: self.scavenges,
            cycles: 1,
            returns: 1,
            freed: false,
            shaded_once: false,
        };
        vec![
            state([old(None), old(Some(2)), old(None), free], [Some(0), Some(1)], [Some(1), None]),
            state([old(None), old(Some(2)), old(Some(3)), old(None)], [Some(0), Some(1)], [Some(1), None]),
            state([old(None), free, free, free], [Some(0), None], [None, None]),
        ]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (number, mutator) in state.mutators.iter().enumerate().filter(|(_, mutator)| !mutator.parked) {
            if mutator.behind.is_some() {
                // Between a store and its barrier a mutator does nothing else; everyone else may.
                steps.push(Step::Barrier(number));
                continue;
            }
            if state.asked.is_some() {
                steps.push(Step::Park(number));
            }
            if state.operations == 0 {
                continue;
            }
            // The second mutator has one register: it is there to be beside the first.
            let registers = REGISTERS - number;
            for one in 0..registers {
                if mutator.registers[one].is_some() {
                    steps.push(Step::Forget(number, one));
                    steps.push(Step::Store(number, one, None));
                    for other in 0..registers {
                        steps.push(Step::Load(number, one, other));
                        if mutator.registers[other].is_some() {
                            steps.push(Step::Store(number, one, Some(other)));
                        }
                    }
                }
                if state.objects.iter().any(|object| object.age == Age::Free) {
                    steps.push(Step::Allocate(number, one));
                }
            }
        }
        match state.asked {
            None => {
                let kinds = [
                    (Stop::Young, state.scavenges > 0),
                    (Stop::Start, !state.marking && state.cycles > 0),
                    (Stop::Finish, state.marking),
                ];
                steps.extend(kinds.iter().filter(|kind| kind.1).map(|kind| Step::Ask(kind.0)));
            }
            Some(stop) => {
                if state.mutators.iter().all(|mutator| mutator.parked) && state.scanning.is_none() {
                    let young = (0..OBJECTS as Name).filter(|name| state.objects[usize::from(*name)].age == Age::Young);
                    for promoted in young.map(Some).chain([None]) {
                        steps.push(Step::Stopped(promoted, false));
                        if stop == Stop::Finish && state.returns > 0 {
                            steps.push(Step::Stopped(promoted, true));
                        }
                    }
                }
            }
        }
        if state.scanning.is_some() {
            steps.push(Step::Scan);
        } else if state.marking && state.asked.is_none() {
            steps.extend(each(state.grey | state.held).map(Step::Take));
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        if let Step::Load(..) | Step::Store(..) | Step::Allocate(..) | Step::Forget(..) = step {
            state.operations -= 1;
        }
        match step {
            Step::Load(number, from, to) => {
                let registers = &mut state.mutators[number].registers;
                registers[to] = registers[from].and_then(|host| last.objects[usize::from(host)].field);
            }
            Step::Store(number, host, value) => {
                let mutator = &mut state.mutators[number];
                let host = mutator.registers[host]?;
                let value = value.and_then(|value| mutator.registers[value]);
                state.objects[usize::from(host)].field = value;
                mutator.behind = value.map(|target| (host, target));
            }
            Step::Barrier(number) => state.barrier(number, self.mistake),
            Step::Allocate(number, register) => {
                let free = state.objects.iter().position(|object| object.age == Age::Free)?;
                let registers = &mut state.mutators[number].registers;
                let field = registers[REGISTERS - 1 - register];
                state.objects[free] = Object { age: Age::Young, field, ..Object::default() };
                registers[register] = Some(free as Name);
            }
            Step::Forget(number, register) => state.mutators[number].registers[register] = None,
            Step::Park(number) => state.mutators[number].parked = true,
            Step::Ask(stop) => state.asked = Some(stop),
            Step::Stopped(promoted, too_much) => {
                let stop = state.asked.take()?;
                stop.happen(&mut state, self.mistake, promoted, too_much);
            }
            Step::Take(name) => {
                state.grey &= !only(name);
                state.held &= !only(name);
                state.scanning = Some(name);
            }
            Step::Scan => {
                let name = state.scanning.take()?;
                let object = &mut state.objects[usize::from(name)];
                object.scans = (object.scans + 1).min(2);
                if let Some(target) = object.field
                    && state.claim(target, self.mistake)
                {
                    state.held |= only(target);
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing that can be reached is freed", |_, state: &State| {
                each(state.reachable()).all(|name| state.objects[usize::from(name)].age != Age::Free)
            }),
            Property::always("each object is scanned once a cycle", |_, state: &State| {
                state.objects.iter().all(|object| object.scans < 2)
            }),
            Property::always("an old object that refers to a young one is remembered", |_, state: &State| {
                let behind = |name| state.mutators.iter().any(|m| m.behind.is_some_and(|(host, _)| host == name));
                let young = |target: Name| state.objects[usize::from(target)].age == Age::Young;
                (0..OBJECTS as Name).all(|name| {
                    let object = &state.objects[usize::from(name)];
                    let forgotten = object.age == Age::Old && object.field.is_some_and(young) && !object.remembered;
                    !forgotten || behind(name) || state.reachable() & only(name) == 0
                })
            }),
            Property::eventually("the cycle ends", |_, state: &State| state.cycles == 0 && !state.marking),
            Property::sometimes("an old object is freed", |_, state: &State| state.freed),
            Property::sometimes("a barrier shades", |_, state: &State| state.shaded_once),
            Property::sometimes("marking goes on after its end", |_, state: &State| {
                state.marking && state.returns == 0
            }),
        ]
    }
}
