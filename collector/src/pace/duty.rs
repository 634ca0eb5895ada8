//! How long mutators are left alone after a stop: at least half of any time is theirs.
//!
//! ```text
//!   stop, t ├──── rest, 5/4 t ────┤ a stop may begin
//!           row used up ─▶ overflow regions ─▶ half as many as the row has: the rest is cut short, and the report says why
//! ```
//!
//! With a rest of five quarters no window of 20 ms is more than half stopped by stops of up to 10 ms: *n* of them and the
//! rests between leave no room for more. What a program cannot have, whatever the nursery: more than 1 ÷ (1 + c·a) of its
//! time, where it allocates *a* bytes a second and a byte of nursery costs *c* seconds to collect.
use std::time::Duration;

/// Whether a stop that is wanted may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Mutators have had their rest.
    Due,
    /// They have not, and there is room for what they allocate meanwhile.
    Rest,
    /// They have not, and there is no room.
    Forced,
}

/// Why a stop began before mutators had had their rest from the one before: half of the time was not theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forced {
    /// They allocate faster than the nursery can be emptied in half of the time.
    Allocation,
    /// The limit leaves no room for more of a nursery.
    Limit,
}

/// How long mutators rest from a stop that took `stood`. What is longer than `cap` was asked for, and is not made good.
pub(crate) fn rest_from(stood: Duration, cap: Duration) -> Duration {
    stood.min(cap) * 5 / 4
}

/// Whether a mutator that would take a marking step rests from the last stop first. Not when marking cannot wait: the limit is
/// `near`, or mutators have `allocated` what they may while marking is on (`headroom`). Otherwise a program that fills a row
/// within each rest, and has no helper, would never take a step, and marking would never end.
pub(crate) fn is_step_put_off(near: bool, allocated: usize, headroom: usize) -> bool {
    !near && allocated < headroom
}

/// Whether a stop may begin at `now`, if mutators rest until `rest_until`, and have gone `beyond` their row, with `room` to
/// do so.
pub(crate) fn verdict(now: Duration, rest_until: Duration, beyond: usize, room: usize) -> Verdict {
    match now >= rest_until {
        true => Verdict::Due,
        false if beyond < room => Verdict::Rest,
        false => Verdict::Forced,
    }
}

/// How far mutators may go beyond a row, if `spare` of the limit's bytes are in nobody's use: half as far again, but not to
/// the limit, where an allocation would be refused that a collection could have served.
pub(crate) fn room_beyond(row: usize, spare: usize) -> usize {
    if spare > 2 * row { row / 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const CAP: Duration = Duration::from_millis(10);

    #[test]
    fn a_step_is_put_off_while_marking_can_wait() {
        for (near, allocated, headroom, put_off) in
            [(false, 0, 8, true), (false, 7, 8, true), (false, 8, 8, false), (true, 0, 8, false), (false, 0, 0, false)]
        {
            assert_eq!(is_step_put_off(near, allocated, headroom), put_off, "{near} {allocated} {headroom}");
        }
    }

    #[test]
    fn the_table() {
        for (now, until, beyond, room, wanted) in [
            (5, 5, 0, 0, Verdict::Due),
            (6, 5, 9, 4, Verdict::Due),
            (4, 5, 0, 4, Verdict::Rest),
            (4, 5, 3, 4, Verdict::Rest),
            (4, 5, 4, 4, Verdict::Forced),
            (4, 5, 0, 0, Verdict::Forced),
        ] {
            assert_eq!(verdict(now * MS, until * MS, beyond, room), wanted, "{now} {until} {beyond} {room}");
        }
        for (row, spare, room) in [(4, 100, 2), (4, 9, 2), (4, 8, 0), (4, 0, 0), (0, 0, 0)] {
            assert_eq!(room_beyond(row, spare), room);
        }
        assert_eq!(rest_from(4 * MS, CAP), 5 * MS);
        assert_eq!(rest_from(4000 * MS, CAP), CAP * 5 / 4);
    }

    /// A program that fills a row of 4 MiB in `fill`, with a nursery that costs `cost` a row, for two seconds: the least share
    /// of a window of 20 ms that was its own, and whether a stop was forced.
    fn simulated(fill: Duration, cost: Duration) -> (f64, bool) {
        const ROW: usize = 4 << 20;
        let rate = ROW as f64 / fill.as_secs_f64();
        let (mut now, mut until, mut forced) = (Duration::ZERO, Duration::ZERO, false);
        let mut stops: Vec<(Duration, Duration)> = Vec::new();
        while now < 2000 * MS {
            let mut used = ROW;
            now += fill;
            loop {
                match verdict(now, until, used - ROW, room_beyond(ROW, usize::MAX)) {
                    Verdict::Due => break,
                    Verdict::Forced => {
                        forced = true;
                        break;
                    }
                    Verdict::Rest => {
                        used += 32 << 10;
                        now += Duration::from_secs_f64(f64::from(32 << 10) / rate);
                    }
                }
            }
            let stood = cost.mul_f64(used as f64 / ROW as f64);
            stops.push((now, now + stood));
            now += stood;
            until = now + rest_from(stood, CAP);
        }
        let window = 20 * MS;
        let stopped = |from: Duration| -> Duration {
            stops.iter().map(|(start, end)| (*end).min(from + window).saturating_sub((*start).max(from))).sum()
        };
        let ends = stops.iter().flat_map(|(start, end)| [*start, end.saturating_sub(window)]);
        let most = ends.map(stopped).max().unwrap_or_default();
        (1.0 - most.as_secs_f64() / window.as_secs_f64(), forced)
    }

    #[test]
    fn half_of_any_twenty_milliseconds_is_the_programs_unless_it_is_said() {
        for fill in [200, 500, 1000, 1500, 4000] {
            for cost in [50, 100, 400, 800, 1000, 2000, 4000] {
                let (fill_us, cost_us) = (Duration::from_micros(fill), Duration::from_micros(cost));
                let (share, forced) = simulated(fill_us, cost_us);
                assert!(share >= 0.499 || forced, "row in {fill} us, cost {cost} us: {share}");
                let possible = 4 * cost < 3 * fill;
                assert!(!(possible && forced), "row in {fill} us, cost {cost} us: forced, and need not be");
            }
        }
    }
}
