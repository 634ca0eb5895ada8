//! How large the old generation may grow before it is collected as a whole.
use crate::units::REGION_BYTES;

/// Old bytes at which the next full collection is due, after one that left `live` alive.
///
/// The heap doubles between collections, from `least` on, and never plans past what the limit leaves once the
/// nursery has its part: close to the limit collections come sooner rather than allocation failing.
pub(crate) fn next_full_at(live: usize, least: usize, limit: usize, nursery: usize) -> usize {
    let room = limit.saturating_sub(2 * nursery);
    let wanted = live.saturating_mul(2).max(least);
    let most = (live + room.saturating_sub(live) / 2).max(live + REGION_BYTES);
    wanted.min(most)
}

/// Bytes that objects may come to own outside of the heap before a collection looks which of them have died: eight
/// nurseries, or an eighth of what is in use.
pub(crate) fn owned_step(nursery: usize, used: usize) -> usize {
    nursery.saturating_mul(8).max(used / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn the_heap_doubles_until_the_limit_is_near() {
        let mib = |n| Bytes::mib(n).get();
        let table = [
            // live, least, limit, nursery, due
            (0, 16, 1024, 4, 16),
            (8, 16, 1024, 4, 16),
            (100, 16, 1024, 4, 200),
            (600, 16, 1024, 4, 808),
            (1000, 16, 1024, 4, 1008),
        ];
        for (live, least, limit, nursery, due) in table {
            assert_eq!(next_full_at(mib(live), mib(least), mib(limit), mib(nursery)), mib(due), "live {live}");
        }
        let beyond = next_full_at(mib(2000), mib(16), mib(1024), mib(4));
        assert_eq!(beyond, mib(2000) + REGION_BYTES, "past the limit a little progress is still required");
    }

    #[test]
    fn small_objects_that_own_much_are_collected_as_what_they_own_grows() {
        for (nursery, used, step) in [(0, 0, 0), (4, 0, 32), (4, 256, 32), (4, 800, 100), (usize::MAX, 1, usize::MAX)] {
            assert_eq!(owned_step(nursery, used), step);
        }
    }
}
