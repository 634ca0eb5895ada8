//! Small graphs of every shape, replayed and held against a traversal that is written here a second time, slowly.

use orinoco_benches::replay::{Cut, HeapOptions, Options};

use crate::{made::Made, options, run, zealous};

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }
}

fn graph(random: &mut Random) -> (Made, Vec<[u32; 3]>) {
    let mut made = Made::default();
    let nodes = 1 + random.below(120);
    for _ in 0..nodes {
        let size = [0, 1, 8, 24, 100, 5000][random.below(6)];
        made.node(size);
    }
    let kinds = ["property", "element", "internal", "hidden", "context", "shortcut", "weak", "weak"];
    let any = |random: &mut Random| random.below(nodes) as u32;
    for _ in 0..random.below(3 * nodes) {
        let (from, to) = (any(random), any(random));
        made.edge(from, kinds[random.below(kinds.len())], to);
    }
    let mut pairs = Vec::new();
    for _ in 0..random.below(nodes) {
        // Few tables, so that they have several entries each.
        let pair = [any(random) % 7 % nodes as u32, any(random), any(random)];
        made.pair(pair[0], pair[1], pair[2]);
        pairs.push(pair);
    }
    (made, pairs)
}

/// Marks what is kept until nothing changes.
fn survivors(made: &Made, pairs: &[[u32; 3]], cut: Option<Cut>) -> Vec<bool> {
    let mut alive = vec![false; made.nodes.len()];
    alive[0] = true;
    loop {
        let before = alive.clone();
        let mut index = 0;
        for (from, node) in made.nodes.iter().enumerate() {
            for (kind, name, to) in &node.edges {
                let cuttable = *kind != "weak" && !name.contains("part of key");
                if cuttable && !cut.is_some_and(|cut| cut.takes(index)) && alive[from] {
                    alive[*to as usize] = true;
                }
                index += 1;
            }
        }
        for [table, key, value] in pairs {
            if alive[*table as usize] && alive[*key as usize] {
                alive[*value as usize] = true;
            }
        }
        if alive == before {
            return alive;
        }
    }
}

fn replay_many(seeds: std::ops::Range<u64>, with: fn(usize, u64) -> Options) {
    for seed in seeds {
        let mut random = Random(seed);
        let (made, pairs) = graph(&mut random);
        let cut = (seed % 2 == 0).then(|| format!("{seed}:{}", random.below(600)).parse().unwrap());
        let alive = survivors(&made, &pairs, cut);
        let expected: u64 = made.nodes.iter().zip(&alive).filter(|(_, alive)| **alive).map(|(node, _)| node.size).sum();
        let options = Options { cut, seed, litter: Some(64 << 10), ..with(1 + seed as usize % 3, seed) };
        let report = run(&made.read(), None, &options);
        let nodes = alive.iter().filter(|alive| **alive).count() as u64;
        assert_eq!((report.reachable_nodes, report.reachable_self_bytes), (nodes, expected), "seed {seed}");
        assert!(report.verified, "seed {seed}\n{report}");
    }
}

#[test]
fn random_graphs_keep_exactly_what_is_reachable() {
    replay_many(0..60, |threads, _| options(threads));
}

#[test]
fn random_graphs_keep_it_with_everything_moving() {
    replay_many(1000..1040, |threads, _| zealous(threads));
}

#[test]
fn random_graphs_keep_it_wherever_the_phases_of_a_collection_fall() {
    replay_many(2000..2060, |_, seed| {
        let options = options(1);
        Options { heap: HeapOptions { seed: Some(seed), zeal: None, ..options.heap }, ..options }
    });
}
