//! What became of the mutants, as a page.

use super::listed::Mutant;
use super::{End, PATIENCE, explained};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Where it is kept.
pub const FILE: &str = "loom-tests/mutants.md";

/// Writes it.
pub fn write(ended: &[(&Mutant, &End)]) {
    let mut page = format!(
        "# Mutants made by rote\n\n\
         What `cargo verify mutants` said when it was last kept: every change that `cargo mutants` can think of in the rooms with a\n\
         protocol, each in the quick models that come to its function, in the room's own tests, in whole heaps and in the slow\n\
         models, until something died of it. Models that took longer than {} s on that day were not asked. The mistakes that\n\
         somebody thought of are in `sweep.md`.\n\n\
         | room | mutants | died in a model | elsewhere | lived | refused by the compiler | not tried |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
        PATIENCE.as_secs()
    );
    let mut rooms: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for (mutant, end) in ended {
        let column = match end {
            End::Died(witness) if witness.contains("::") => 0,
            End::Died(_) => 1,
            End::Survived(_) => 2,
            End::Unviable => 3,
            End::InAMistake | End::Constant => 4,
        };
        for name in [mutant.change().0, "all"] {
            rooms.entry(name).or_default()[column] += 1;
        }
    }
    let row = |page: &mut String, (room, counts): (&&str, &[usize; 5])| {
        let columns: Vec<String> = counts.iter().map(usize::to_string).collect();
        let _ = writeln!(page, "| {room} | {} | {} |", counts.iter().sum::<usize>(), columns.join(" | "));
    };
    rooms.iter().filter(|(room, _)| **room != "all").for_each(|room| row(&mut page, room));
    rooms.iter().filter(|(room, _)| **room == "all").for_each(|room| row(&mut page, room));
    page += "\nNot tried are changes inside a mistake that is planted by hand, and changes of constants.\n";
    page += "\n## Who died where\n\n| witness | mutants |\n| --- | --- |\n";
    let mut killers: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, end) in ended {
        if let End::Died(model) = end {
            *killers.entry(model).or_default() += 1;
        }
    }
    killers.iter().for_each(|(model, count)| {
        let _ = writeln!(page, "| {model} | {count} |");
    });
    page += "\n## Survivors\n\n| room | mutant | models that pass | why that is well |\n| --- | --- | --- | --- |\n";
    let rows: BTreeSet<_> = ended
        .iter()
        .filter_map(|(mutant, end)| match end {
            End::Survived(models) => Some((mutant, *models)),
            _ => None,
        })
        .map(|(mutant, models)| (mutant.change(), models, explained::reason(mutant).unwrap_or("NOT EXPLAINED")))
        .collect();
    for ((room, change), models, why) in rows {
        let _ = writeln!(page, "| {room} | `{}` | {models} | {why} |", change.replace('|', "\\|"));
    }
    std::fs::write(FILE, page).expect("the page can be written");
}
