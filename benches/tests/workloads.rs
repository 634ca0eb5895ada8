//! The workloads come to the same checksums as in every other runtime that has them.

use std::process::{Command, Output};

use orinoco::Zeal;
use orinoco_benches::workloads::Workload::{self, *};
use orinoco_benches::workloads::heap::{HeapOptions, open};
use orinoco_benches::workloads::run::Plan;

/// Sizes that run in a moment, with the sums that JavaScript and C come to by 1, 2 and 4 threads.
const SUMS: [(Workload, f64, [u64; 3]); 11] = [
    (BinaryTrees, 6.0, [4_398, 4_398, 4_398]),
    (BinaryTrees, 12.0, [674_478, 674_478, 674_478]),
    (Gcbench, 0.0, [131_090, 262_180, 524_360]),
    (Gcbench, 1.0, [548_050, 1_096_100, 2_192_200]),
    (ListChurn, 0.1, [150_265_303, 1_390_295_045, 3_920_635_216]),
    (GraphMutate, 0.001, [647_399_200, 3_744_899_501, 9_245_675_786]),
    (GraphMutate, 0.02, [3_388_170_096, 1_160_152_723, 6_396_664_846]),
    (Splay, 0.5, [3_801_816_084, 7_811_811_600, 13_280_840_030]),
    (Latency, 0.5, [62_286, 62_250, 31_000]),
    (Latency, 250.0, [38_234_896, 38_221_968, 38_215_504]),
    (BigLive, 0.002, [24_909_321, 24_909_122, 24_909_843]),
];

const THREADS: [u32; 3] = [1, 2, 4];

fn sum(workload: Workload, threads: u32, size: f64, options: &HeapOptions) -> u64 {
    let plan = Plan::new(workload, threads, Some(size)).unwrap();
    plan.run(&open(options).unwrap()).unwrap().checksum
}

fn sums_are_the_peers(workload: Workload, options: &HeapOptions, choose: impl Fn(f64) -> bool) {
    let rows: Vec<_> = SUMS.iter().filter(|(of, size, _)| *of == workload && choose(*size)).collect();
    assert!(!rows.is_empty(), "there is a sum to compare with");
    for (_, size, expected) in rows {
        for (threads, expected) in THREADS.into_iter().zip(expected) {
            assert_eq!(sum(workload, threads, *size, options), *expected, "{workload:?} {threads} {size}");
        }
    }
}

macro_rules! agree {
    ($($name:ident: $workload:expr;)*) => { $(
        #[test]
        fn $name() {
            sums_are_the_peers($workload, &HeapOptions::default(), |_| true);
        }
    )* };
}

agree! {
    binary_trees_agrees_with_its_peers: BinaryTrees;
    gcbench_agrees_with_its_peers: Gcbench;
    list_churn_agrees_with_its_peers: ListChurn;
    graph_mutate_agrees_with_its_peers: GraphMutate;
    splay_agrees_with_its_peers: Splay;
    latency_agrees_with_its_peers: Latency;
    big_live_agrees_with_its_peers: BigLive;
}

#[test]
fn the_sums_do_not_change_when_every_safepoint_collects() {
    let zeal = HeapOptions { zeal: Zeal::EVERYTHING, verify: true, ..HeapOptions::default() };
    sums_are_the_peers(BinaryTrees, &zeal, |size| size == 6.0);
    sums_are_the_peers(GraphMutate, &zeal, |size| size == 0.001);
    sums_are_the_peers(Latency, &zeal, |size| size == 0.5);
}

#[test]
fn a_workload_that_outgrows_its_heap_ends_with_an_error() {
    let heap = open(&HeapOptions { limit: Some(8 << 20), ..HeapOptions::default() }).unwrap();
    let plan = Plan::new(Splay, 2, Some(0.5)).unwrap();
    let error = plan.run(&heap).err().expect("40 MiB do not fit into 8").to_string();
    assert!(error.contains("limit"), "{error}");
}

#[test]
fn an_outcome_tells_operations_and_gaps_of_all_threads() {
    let plan = Plan::new(Latency, 2, Some(1.0)).unwrap();
    let outcome = plan.run(&open(&HeapOptions::default()).unwrap()).unwrap();
    assert_eq!(outcome.operations, 1000);
    assert!(!outcome.gaps.is_empty() && outcome.build_gaps.is_empty());
    assert!(outcome.gaps.quantile_ns(0.5) <= outcome.gaps.quantile_ns(0.999));
    assert!(outcome.wall_ns > 0);
}

fn orinoco(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orinoco")).arg("bench").args(args).output().unwrap()
}

#[test]
fn one_line_of_json_has_every_field_that_the_peers_print() {
    let output = orinoco(&["latency", "2", "0.5", "--json", "--helpers", "0"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["peer"], "orinoco");
    assert_eq!(line["config"], "helpers=0");
    assert_eq!(line["workload"], "latency");
    assert_eq!(line["threads"], 2);
    assert_eq!(line["checksum"], 62_250);
    let numbers = "size wall_s mut_wait_s mut_cpu_s build_s ops max_stop_ms max_stop_raw_ms stop_total_ms \
        build_max_stop_ms p999_ms p99_ms p50_us proc_wall_s cpu_s max_rss_mib gc_log_max_pause_ms \
        gc_log_total_pause_ms gc_log_pauses";
    for name in numbers.split_whitespace() {
        assert!(line[name].is_number(), "{name}: {}", line[name]);
    }
    assert!(line["budget"].is_null());
}

#[test]
fn a_workload_without_even_steps_has_no_percentiles() {
    let output = orinoco(&["binary_trees", "1", "12", "--json", "--budget", "8"]);
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(line["p999_ms"].is_null() && line["p99_ms"].is_null() && line["p50_us"].is_null());
    assert_eq!(line["budget"], "8x");
}

#[test]
fn wrong_arguments_end_with_one_line_that_says_so() {
    let cases: [(&[&str], &str); 4] = [
        (&["splay", "0"], "threads"),
        (&["binary_trees", "1", "41"], "depth"),
        (&["big_live", "4", "0.00001"], "GiB"),
        (&["latency", "1", "1", "--budget", "0.5"], "budget"),
    ];
    for (args, reason) in cases {
        let output = orinoco(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{args:?}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(reason), "{said}");
    }
}
