//! A table is replaced whole while others read it: each reader sees one version, all of it.

use crate::Bound::Preemptions;
use crate::{Shared, protocol};
use orinoco_collector::model::published::Published;
use orinoco_collector::model::sync::{Arc, thread};

protocol! { "published":
    a_reader_sees_a_whole_version (Preemptions(3)),
}

fn a_reader_sees_a_whole_version() {
    let version = |n: usize| [Shared::new(n), Shared::new(n)];
    let table = Arc::new(Published::new(version(1)));
    let writer = thread::spawn({
        let table = table.clone();
        move || table.replace(version(2))
    });
    let seen = table.read(|[first, second]| (first.get(), second.get()));
    assert!(seen == (1, 1) || seen == (2, 2), "a reader saw half a version");
    writer.join().unwrap();
    table.read(|[first, _]| assert_eq!(first.get(), 2, "a version was lost"));
}
