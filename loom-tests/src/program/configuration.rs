//! Configurations from bytes: each is refused with a reason, or is that of a heap that works.

use super::Bytes;
use orinoco::{Cx, Heap, HeapConfig, Mutator, Zeal};
use std::time::Duration;

/// Up to this limit a heap is made and used; beyond, what is checked is the configuration.
const SMALL: usize = 64 << 20;

/// A number of any size: a power of two, a little more, or a little less.
fn number(bytes: &mut Bytes<'_>) -> usize {
    let power = 1usize << bytes.below(50);
    match bytes.below(3) {
        0 => power,
        1 => power + usize::from(bytes.byte()),
        _ => power.saturating_sub(usize::from(bytes.byte())),
    }
}

fn config(bytes: &mut Bytes<'_>) -> HeapConfig {
    let mut config = HeapConfig::new();
    while !bytes.is_empty() {
        config = match bytes.below(12) {
            0 if bytes.below(4) == 0 => config.limit(orinoco::Bytes::new(number(bytes))),
            // Small enough to be tried.
            0 => config.limit(orinoco::Bytes::mib(1 << bytes.below(7))).helpers(bytes.below(4)),
            1 => config.nursery(orinoco::Bytes::new(number(bytes))),
            2 => config.initial_old(orinoco::Bytes::new(number(bytes))),
            3 => config.helpers(bytes.below(300)),
            4 => config.verify(bytes.below(2) == 0),
            5 => config.parallel_scavenge(bytes.below(2) == 0),
            6 => config.concurrent_marking(bytes.below(2) == 0),
            7 => config.incremental_marking(bytes.below(2) == 0),
            8 => config.step_cap(Duration::from_nanos(number(bytes) as u64)),
            9 => config.pause_target(Duration::from_nanos(number(bytes) as u64)),
            10 => config.deterministic(number(bytes) as u64),
            // Words, as an environment variable would have them.
            _ => {
                let letters: String = (0..bytes.below(24)).map(|_| char::from(bytes.byte() % 96 + 32)).collect();
                let word = ["young", "everything", "alloc:64", "all", &letters][bytes.below(5)];
                word.parse::<Zeal>().map_or(config.clone(), |zeal| config.zeal(zeal))
            }
        };
    }
    config
}

/// Configures; whether that made a heap, which has worked then.
///
/// # Panics
/// When a configuration is refused without a reason, or its heap does not work.
pub fn configure(bytes: &[u8]) -> bool {
    let config = config(&mut Bytes::new(bytes));
    let settings = match config.clone().build() {
        Ok(settings) => settings,
        Err(reason) => {
            assert!(!reason.to_string().is_empty(), "a refusal says why");
            return false;
        }
    };
    if settings.limit.get() > SMALL || settings.helpers > 4 {
        return false;
    }
    let heap = Heap::new(config).expect("what was checked is no longer refused");
    heap.enter((), |m: &mut Mutator<()>| {
        let root = {
            let cx: &Cx = m;
            cx.root(cx.alloc_copy(&[1u64, 2, 3]))
        };
        for _ in 0..8 {
            let _ = m.try_alloc([0u64; 100]);
            m.safepoint();
        }
        m.collect();
        assert_eq!(*root.get(m), [1, 2, 3]);
    });
    true
}

#[cfg(test)]
mod tests {
    use super::super::Dice;
    use super::*;

    #[test]
    fn configurations_at_random_are_refused_or_work() {
        let mut dice = Dice::new(7);
        let made = (0..300).filter(|_| configure(&dice.program()[..1 + dice.roll() as usize % 20])).count();
        assert!(made > 5, "only {made} of 300 made a heap");
    }
}
