//! What collections took from mutators, by what they were for: marking the old generation, or the young one.
//!
//! A step takes its time from the one mutator that takes it; a pause takes it from every mutator. Marking is charged with
//! its steps, with what pauses spend on marking and on its weak references, and with sending helpers home that mark
//! beside the program; the young generation with everything else that a scavenge does. The roots that a scavenge shades
//! on its way for a cycle count for the scavenge.

use std::time::Duration;

use orinoco::{Phase, PhaseTimes, StopKind};

use super::watch::Seen;

const MARKING: [Phase; 2] = [Phase::Mark, Phase::MarkSettle];
const YOUNG: [Phase; 6] = [Phase::Condemn, Phase::Trace, Phase::Retain, Phase::Weak, Phase::Droppables, Phase::Free];

/// Time on mutator threads, all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// For marking.
    pub marking: Duration,
    /// The part of that which were steps.
    pub steps: Duration,
    /// Collections of the old generation that have ended.
    pub cycles: u64,
    /// For the young generation.
    pub young: Duration,
    /// What the leaders of stops for the young generation alone spent on a core.
    pub leading: Duration,
    /// How many of these stops there were.
    pub led: u64,
    /// Collections of the young generation, those within other stops included.
    pub scavenges: u64,
    /// Those that copied.
    pub copied: u64,
    /// Those in which more threads than the leader took part.
    pub shared: u64,
}

impl Costs {
    /// What `seen` cost `mutators` threads.
    pub fn of(seen: &Seen, mutators: u32) -> Self {
        let mut costs = Self::default();
        for step in seen.stops.iter().filter(|stop| stop.kind == StopKind::Step) {
            costs.steps += Duration::from_nanos(step.when.length());
        }
        costs.marking = costs.steps;
        let mut marking = false;
        for pause in &seen.pauses {
            costs.marking += sum(&pause.phases, &MARKING) * mutators;
            // Outside a cycle nobody marks, and taking over what mutators hold is the scavenge's.
            let hand_over = pause.phases.get(Phase::HandOver) * mutators;
            *if marking { &mut costs.marking } else { &mut costs.young } += hand_over;
            costs.young += sum(&pause.phases, &YOUNG) * mutators;
            marking = (marking || pause.kind == StopKind::MarkStart) && !pause.ended_cycle;
            if pause.kind == StopKind::Young {
                costs.leading += pause.cpu;
                costs.led += 1;
            }
            costs.cycles += u64::from(pause.ended_cycle);
            costs.scavenges += u64::from(pause.kind != StopKind::Evacuate);
            costs.copied += u64::from(pause.workers > 0);
            costs.shared += u64::from(pause.workers > 1);
        }
        costs
    }
}

fn sum(phases: &PhaseTimes, of: &[Phase]) -> Duration {
    of.iter().map(|phase| phases.get(*phase)).sum()
}

/// The share of `without` that is saved by what took only `with`; negative, if it took more.
pub fn reduction(with: f64, without: f64) -> Option<f64> {
    (without > 0.0).then(|| 1.0 - with / without)
}

/// The middle one, or the mean of the two in the middle; `None` of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<_> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    Some(if sorted.len() % 2 == 1 { upper } else { (sorted[sorted.len() / 2 - 1] + upper) / 2.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pauses::utilization::Interval;
    use crate::pauses::watch::{Pause, Stop};

    const MS: Duration = Duration::from_millis(1);

    fn pause(kind: StopKind, ended_cycle: bool) -> Pause {
        Pause {
            kind,
            told: 0,
            wall: 5 * MS,
            cpu: 4 * MS,
            phases: PhaseTimes::default(),
            workers: 2,
            ended_cycle,
            forced: None,
        }
    }

    #[test]
    fn a_step_costs_one_mutator_and_no_other_stop_counts_by_its_length() {
        let when = Interval { start: 0, end: 1_000_000 };
        let stop = |kind| Stop { kind, thread: std::thread::current().id(), when, cpu: None, forced: None };
        let stops = vec![stop(StopKind::Step), stop(StopKind::Step), stop(StopKind::Young)];
        let costs = Costs::of(&Seen { stops, pauses: Vec::new() }, 8);
        assert_eq!(costs, Costs { marking: 2 * MS, steps: 2 * MS, ..Costs::default() });
    }

    #[test]
    fn cycles_and_scavenges_are_counted_by_what_the_pauses_did() {
        let pauses = vec![
            pause(StopKind::Young, false),
            pause(StopKind::MarkStart, false),
            pause(StopKind::MarkFinish, false),
            pause(StopKind::MarkFinish, true),
            pause(StopKind::Evacuate, true),
        ];
        let costs = Costs::of(&Seen { stops: Vec::new(), pauses }, 2);
        assert_eq!((costs.cycles, costs.scavenges), (2, 4));
        assert_eq!((costs.led, costs.leading), (1, 4 * MS));
        assert_eq!((costs.copied, costs.shared), (5, 5));
    }

    #[test]
    fn the_phases_of_a_real_pause_are_charged_to_every_mutator() {
        use crate::pauses::watch::Watch;
        let watch = std::sync::Arc::new(Watch::default());
        let config = orinoco::HeapConfig::new().helpers(0).observer(watch.clone());
        orinoco::Heap::new(config).unwrap().enter((), |m| m.collect());
        let seen = watch.take();
        let (one, three) = (Costs::of(&seen, 1), Costs::of(&seen, 3));
        assert!(one.marking > Duration::ZERO && one.young > Duration::ZERO);
        assert_eq!((three.marking, three.young), (one.marking * 3, one.young * 3));
        assert!(one.marking + one.young <= seen.pauses[0].wall);
    }

    #[test]
    fn a_reduction_is_what_is_saved() {
        assert_eq!(reduction(25.0, 100.0), Some(0.75));
        assert_eq!(reduction(150.0, 100.0), Some(-0.5));
        assert_eq!(reduction(1.0, 0.0), None);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
