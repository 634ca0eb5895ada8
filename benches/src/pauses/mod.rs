//! What stops cost a program: who watched them, how they are counted, and what the machine did meanwhile.
//!
//! ```text
//!   heap ── Event ──▶ watch        a list of stops and pauses, with their times
//!                       │
//!                       ├──▶ distribution   how long, by kind, and how many over the cap
//!                       ├──▶ utilization    what share of any window a mutator is left with
//!                       └──▶ costs          what marking and scavenging took from mutators
//!   hiccups                        how late a sleeping thread wakes, how unevenly one copies: the machine's own part
//!                       └──▶ report         all of it, as tables and as JSON
//! ```

pub mod costs;
pub mod distribution;
pub mod hiccups;
pub mod report;
pub mod utilization;
pub mod watch;
