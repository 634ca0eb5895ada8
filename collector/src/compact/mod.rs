//! Emptying fragmented old regions, a batch in a stop, by the scavenge that the stop makes anyway.
//!
//! ```text
//!   stop that starts marking       marking                        stop that ends it      later scavenges, a batch each
//!   ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
//!   choose: regions with gaps ─▶   who refers to a candidate ─▶   (recorded; swept, ─▶   condemn young + batch,
//!   become candidates              is recorded                    gaps withheld)         visit roots, young, recorded
//!
//!                choose                 its batch's turn
//!   region: Old ────────▶ Candidate ──┬──────────────────▶ from ──┬─ all moved ──▶ Free
//!            ▲                        │ given up                  │ pinned, or no room, or no time
//!            └────────────────────────┴───────────────────────────┘
//! ```
//!
//! A candidate is treated as young by whatever remembers references: a store into an old object that refers to one is
//! remembered (the barrier's table says so, the fast path is the same), a marker that meets one in an object records the
//! object, a scavenge that promotes an object records it, a weak container that refers to one stays listed. So when a
//! batch is condemned beside the young generation, the scavenge that empties the one empties the other: the same workers,
//! the same race for a copy, the same retreat when there is no room. What cannot be moved is retained, and its region is
//! old again: giving up is always safe, for one object, a region, a batch or all of them.
//!
//! Records name hosts (an object, or a slice of an array) and not slots. A host is recorded once a cycle by the marker
//! that scans it, needs no address of a slot, and is visited by the same monomorphic code as everything else.
//!
//! K1  From the stop that chooses a candidate until it is condemned or given up, every old place that refers into it has
//!     its remembered bit and entry, or lies in an object (or slice) that is recorded for its batch or remembered, or in
//!     a weak container that is listed, or in an object that no marker will reach.
//! K2  Nothing is allocated in a candidate: its gaps are withheld.
//! K3  A record's host may have moved or died with an earlier batch: what was recorded before that batch was condemned,
//!     and lies in its regions, is stale (see [`records`]).
//! K4  Batches are condemned in their order, each at most once, and none outlives the next choice.
//!
//! Chosen against: recording slots (an address and its kind for each edge, where one host often has many), a pass over the
//! whole heap that updates references (no bound), and forwarding through a read barrier (paid by every load).
#[cfg(not(loom))]
pub(crate) mod candidates;
#[cfg(not(loom))]
pub(crate) mod choose;
#[doc(hidden)]
pub mod records;
