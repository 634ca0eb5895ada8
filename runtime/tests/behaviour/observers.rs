//! Observers: told before and after each collection, outside the pause, on the thread that led it.
use crate::common::{config, litter, node};
use orinoco::{Cause, CollectionKind, CollectionReport, Event, Heap, Observer};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Before(CollectionKind, Cause),
    After(CollectionKind, Cause),
    Pause(CollectionKind),
}

#[derive(Default)]
struct Diary {
    told: Mutex<Vec<Told>>,
    panic_before: Mutex<bool>,
}

impl Diary {
    fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

impl Observer for Diary {
    fn event(&self, event: &Event) {
        if let Event::Pause(report) = event {
            self.told.lock().unwrap().push(Told::Pause(report.kind));
        }
    }
    fn before(&self, kind: CollectionKind, cause: Cause) {
        if std::mem::take(&mut *self.panic_before.lock().unwrap()) {
            std::panic::resume_unwind(Box::new("the observer's own"));
        }
        self.told.lock().unwrap().push(Told::Before(kind, cause));
    }
    fn after(&self, report: &CollectionReport) {
        self.told.lock().unwrap().push(Told::After(report.kind, report.cause));
    }
}

fn observed() -> (Heap, Arc<Diary>) {
    let diary = Arc::new(Diary::default());
    (Heap::new(config().zeal(orinoco::Zeal::OFF).observer(diary.clone())).unwrap(), diary)
}

#[test]
fn an_observer_is_told_before_and_after_each_collection() {
    let (heap, diary) = observed();
    heap.enter((), |m| {
        m.collect();
        let (full, explicit) = (CollectionKind::Full, Cause::Explicit);
        assert_eq!(diary.take(), [Told::Before(full, explicit), Told::Pause(full), Told::After(full, explicit)]);
        m.safepoint();
        assert_eq!(diary.take(), [], "a safepoint without a collection");
        while heap.statistics().scavenges < 2 {
            litter(m, 64 << 10);
            m.safepoint();
        }
        let young = CollectionKind::Young;
        let told =
            [Told::Before(young, Cause::NurseryFull), Told::Pause(young), Told::After(young, Cause::NurseryFull)];
        assert_eq!(diary.take(), told);
    });
}

#[test]
fn others_collect_while_an_observer_takes_its_time() {
    // It is told with the mutator parked: were it not, the inner heap's collection would wait for the outer mutator.
    struct Nested(Mutex<Option<Heap>>);
    impl Observer for Nested {
        fn event(&self, _: &Event) {}
        fn before(&self, _: CollectionKind, _: Cause) {
            let Some(heap) = self.0.lock().unwrap().take() else { return };
            std::thread::spawn(move || heap.enter((), |m| m.collect())).join().unwrap();
        }
    }
    let nested = Arc::new(Nested(Mutex::default()));
    let heap = Heap::new(config().observer(nested.clone())).unwrap();
    heap.enter((), |m| {
        *nested.0.lock().unwrap() = Some(heap.clone());
        m.collect();
    });
    assert_eq!(heap.statistics().full_collections + heap.statistics().evacuations, 2);
}

#[test]
fn an_observer_that_panics_leaves_the_heap_whole_and_running() {
    let (heap, diary) = observed();
    heap.enter((), |m| {
        let kept = m.root(node(m, 5));
        *diary.panic_before.lock().unwrap() = true;
        assert!(catch_unwind(AssertUnwindSafe(|| m.collect())).is_err());
        m.collect();
        assert_eq!(kept.get(m).v, 5);
        m.verify();
    });
}
