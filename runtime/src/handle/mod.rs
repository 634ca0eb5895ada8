//! Who holds objects, and how: references, slots, locks, roots, frames, and the weak kinds.
pub mod array;
pub mod birth;
pub mod dynamic;
pub mod external;
pub mod gc;
pub mod local;
pub mod lock;
pub mod pinned;
pub mod registry;
pub mod root;
pub mod slot;
pub mod tagged;
pub mod transparent;
pub mod weak;
pub mod weak_map;
pub mod word;
