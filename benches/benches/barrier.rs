//! The write barrier and the poll, each beside the same loop without it.
//!
//! `stores` puts pointers into the fields of 256 nodes; the first row is a bare release store. `loads` reads them.
//! `polls` is a safepoint with nothing to do, beside an empty loop. An iteration is 256 operations.

use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use orinoco_benches::operations::{Operation, UNIT};

fn rows(c: &mut Criterion, name: &str, operations: &[Operation]) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(UNIT));
    for operation in operations {
        operation.with(|repeat| {
            group.bench_function(format!("{operation:?}"), |b| {
                b.iter_custom(|batches| {
                    let begun = Instant::now();
                    repeat(batches * UNIT);
                    begun.elapsed()
                });
            });
        });
    }
    group.finish();
}

fn stores(c: &mut Criterion) {
    use Operation::{SetOldOld, SetOldYoung, SetYoungOld, SetYoungYoung, Store};
    rows(c, "stores", &[Store, SetYoungYoung, SetYoungOld, SetOldOld, SetOldYoung]);
}

fn loads(c: &mut Criterion) {
    rows(c, "loads", &[Operation::Load, Operation::Get]);
}

fn polls(c: &mut Criterion) {
    rows(c, "polls", &[Operation::Empty, Operation::Poll]);
}

criterion_group!(benches, stores, loads, polls);
criterion_main!(benches);
