//! The page that is printed when a mistake of ours ends the process: what was being done, to what, and what came before.
//!
//! ```text
//!   a check fails ──▶ panic (its message says where) ──▶ this page ──▶ the process ends: the heap may be half moved
//! ```
//!
//! It is printed on standard error, which nothing else here writes to, for there is nobody left to be told.
use crate::collector::{Cause, CollectionKind};
use crate::heap_core::Core;
use crate::object::raw::object_at;
use crate::recent::Happening;
use crate::sync::Ordering::Relaxed;
use crate::units::{REGION_BYTES, WORD};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// References to a suspect that are printed.
const SHOWN: usize = 8;

thread_local! {
    /// The object that is being checked, and the one that refers to it; 0 for none.
    static SUSPECT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Notes what a check is about, in case it fails.
pub(crate) fn suspect(object: usize, host: usize) {
    SUSPECT.set((object, host));
}

/// Prints the page if it is dropped by a panic.
pub(crate) struct Page<'a> {
    pub core: &'a Core,
    pub kind: CollectionKind,
    pub cause: Cause,
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{self}");
        }
    }
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { core, kind, cause } = *self;
        let (pool, s) = (&core.spaces.pool, &core.settings);
        writeln!(f, "orinoco: the heap is broken, or a check of it is; the process ends")?;
        let marking = if core.is_marking() { "marking is on" } else { "marking is off" };
        writeln!(
            f,
            "  doing     a {kind:?} collection ({cause:?}); {marking}; {} regions to sweep",
            core.spaces.old.gaps.unswept()
        )?;
        let command: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
        writeln!(f, "  command   {}", command.join(" "))?;
        let seed = s.seed.map_or("none".to_owned(), |seed| seed.to_string());
        writeln!(
            f,
            "  settings  limit {}, nursery {}, {} helpers, zeal {}, seed {seed}, faults {}",
            s.limit, s.nursery, s.helpers, s.zeal, s.faults
        )?;
        let mut kinds = BTreeMap::new();
        for index in 0..pool.table.opened() {
            *kinds.entry(format!("{:?}", pool.table.kind(index))).or_insert(0u32) += 1;
        }
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        writeln!(f, "  regions   {} in use of {}: {}", pool.in_use(), pool.limit(), kinds.join(", "))?;
        let (object, host) = SUSPECT.get();
        self.place(f, "suspect", object)?;
        self.place(f, "host", host)?;
        if object != 0 {
            self.referrers(f, object)?;
        }
        let recent: Vec<String> = core.recent.entries().into_iter().rev().take(16).map(entry).collect();
        write!(f, "  before    {}", recent.join("\n            "))
    }
}

impl Page<'_> {
    fn place(&self, f: &mut Formatter<'_>, what: &str, addr: usize) -> fmt::Result {
        let pool = &self.core.spaces.pool;
        if addr == 0 {
            return Ok(());
        }
        if !pool.contains(addr) || !addr.is_multiple_of(WORD) {
            return writeln!(f, "  {what:<9} {addr:#x}, which is no place in the heap");
        }
        let index = pool.table.index(addr);
        let kind = pool.table.kind(index);
        write!(
            f,
            "  {what:<9} {addr:#x}, {:#x} bytes into region {index} ({kind:?})",
            pool.offset(addr) % REGION_BYTES
        )?;
        if kind.is_young() || kind.is_old() {
            write!(f, ", header {:#x}", object_at(pool.rederive(addr)).header().load(Relaxed))?;
            let bit = pool.bit(addr);
            write!(f, ", {}", if pool.marks().is_marked(bit) { "marked" } else { "not marked" })?;
        }
        writeln!(f)
    }
    /// Words of the heap that hold the address: what refers to it, found without trusting any object.
    fn referrers(&self, f: &mut Formatter<'_>, object: usize) -> fmt::Result {
        let pool = &self.core.spaces.pool;
        let used = (0..pool.table.opened()).filter(|index| {
            let kind = pool.table.kind(*index);
            kind.is_young() || kind.is_old()
        });
        let words = used.flat_map(|index| (0..REGION_BYTES).step_by(WORD).map(move |at| (index, at)));
        let holds = |place: &(usize, usize)| {
            object_at(pool.start(place.0).wrapping_add(place.1)).header().load(Relaxed) == object
        };
        let found: Vec<String> = words
            .filter(holds)
            .take(SHOWN)
            .map(|(index, at)| format!("region {index} ({:?}) at {at:#x}", pool.table.kind(index)))
            .collect();
        writeln!(
            f,
            "  held by   {}",
            if found.is_empty() { "no word of the heap".to_owned() } else { found.join("; ") }
        )
    }
}

fn entry((ms, what, number): (u64, Happening, usize)) -> String {
    match what {
        Happening::Begins => {
            let kind = CollectionKind::ALL.get(number);
            format!("{ms:>8} ms  a {} collection begins", kind.map_or("?".to_owned(), |kind| format!("{kind:?}")))
        }
        Happening::Ends => format!("{ms:>8} ms  it ends{}", if number == 1 { ", and with it a cycle" } else { "" }),
        Happening::Marking => format!("{ms:>8} ms  marking is switched {}", if number == 1 { "on" } else { "off" }),
        Happening::ToSweep => format!("{ms:>8} ms  {number} regions are to be swept"),
    }
}
