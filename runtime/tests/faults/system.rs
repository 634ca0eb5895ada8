#![expect(unsafe_code, reason = "a child that forks before it execs is asked for by `pre_exec`")]
//! Signals, clocks and processes.
use crate::common::{list, values};
use orinoco::{Bytes, Heap, HeapConfig, Zeal};
use rustix::process::{Signal, getpid, kill_process};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Two mutators that collect all the time, until `over`; each round is looked at.
fn busy(over: impl Fn() -> bool + Sync) {
    let config = HeapConfig::new().limit(Bytes::mib(64)).nursery(Bytes::mib(1)).helpers(2).verify(true);
    let heap = Heap::new(config.zeal(Zeal { every: 8, ..Zeal::YOUNG })).expect("in range");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                heap.enter((), |m| {
                    let mut length = 0;
                    while !over() {
                        length = (length + 1) % 500;
                        let kept = m.root(list(m, length + 1).expect("a list has a link"));
                        m.safepoint();
                        assert_eq!(values(Some(kept.get(m))).len() as u64, length + 1);
                    }
                });
            });
        }
    });
    assert!(heap.statistics().scavenges > 0);
}

#[test]
fn a_storm_of_signals_changes_nothing() {
    let caught = Arc::new(AtomicUsize::new(0));
    // Without `SA_RESTART` they would interrupt more; with it, as most programs have it, they interrupt waits all the same.
    let handler = signal_hook::flag::register_usize(Signal::USR1.as_raw(), caught.clone(), 1);
    handler.expect("a handler can be set");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(2) {
                kill_process(getpid(), Signal::USR1).expect("a process may signal itself");
                std::thread::sleep(Duration::from_micros(50));
            }
            over.store(true, SeqCst);
        });
        busy(|| over.load(SeqCst));
    });
    assert_eq!(caught.load(SeqCst), 1);
}

#[test]
fn a_process_with_a_heap_can_start_others() {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..30 {
                let mut command = Command::new("true");
                // SAFETY: the child does nothing between fork and exec. (Without it there would be no fork at all.)
                unsafe { command.pre_exec(|| Ok(())) };
                assert!(command.status().expect("a child can be started").success());
            }
            over.store(true, SeqCst);
        });
        busy(|| over.load(SeqCst));
    });
}

/// A clock that jumps cannot hurt what never looks at it.
#[test]
fn nothing_reads_the_clock_on_the_wall() {
    fn look(dir: &std::path::Path, files: &mut usize) {
        for entry in std::fs::read_dir(dir).expect("the sources are there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                look(&path, files);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("readable");
                for clock in ["SystemTime::now", "UNIX_EPOCH.elapsed", "ClockId::Realtime"] {
                    assert!(!text.contains(clock), "{} reads {clock}", path.display());
                }
                *files += 1;
            }
        }
    }
    let runtime = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    look(&runtime.join("src"), &mut files);
    look(&runtime.join("../collector/src"), &mut files);
    assert!(files > 80, "{files} files");
}
