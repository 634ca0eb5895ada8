//! Who refers to the candidates of which batch.
//!
//! ```text
//!   batch 0:  host host host …            condemned ─▶ cut at the lengths of all later lists
//!   batch 1:  host host │ host …                 what stands before the cut, in a region of batch 0, is stale
//!   batch 2:  host │ host host …
//! ```
//!
//! A host that lies in a candidate itself moves when its own batch is condemned. Its copy is then recorded anew, by the
//! worker that scans it; the entry with its old address stands before the cut and is passed over. Nothing has to be looked
//! for in the lists when a batch is emptied, and its regions may be used again at once: what is recorded in them from then
//! on stands behind the cut.
use crate::planted::bug;
use crate::sync::Mutex;

/// A set of batches, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batches(u64);

impl Batches {
    /// None.
    pub const NONE: Self = Self(0);
    /// All there can be.
    pub const ALL: Self = Self(u64::MAX);
    /// Batches that there can be at one time.
    pub const MOST: usize = 64;

    /// Adds one.
    #[inline(always)]
    pub const fn add(&mut self, batch: usize) {
        self.0 |= 1 << batch;
    }
    /// Whether there is none.
    #[inline(always)]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// The batches, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..Self::MOST).filter(move |batch| self.0 & (1 << batch) != 0)
    }
}

/// A batch's hosts, as its own stop finds them.
#[derive(Debug)]
pub struct Hosts<T> {
    /// In the order in which they were recorded.
    hosts: Vec<T>,
    /// For each earlier batch, how many there were when it was condemned; 0 if it was given up.
    cuts: Vec<usize>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { hosts: Vec::new(), cuts: Vec::new() }
    }
}

impl<T: Copy> Hosts<T> {
    /// The host recorded as number `at`, if it stands where it was recorded; `batch_of` says whose candidate a host's
    /// region is, or was.
    pub fn standing(&self, at: usize, batch_of: impl FnOnce(T) -> Option<usize>) -> Option<T> {
        let host = self.hosts[at];
        let cut = batch_of(host).and_then(|batch| self.cuts.get(batch)).copied().unwrap_or(0);
        // Guarded by `evacuation::a_host_that_moved_is_not_visited_where_it_was`.
        (at >= cut || bug::stale_hosts_are_visited()).then_some(host)
    }
    /// How many entries there are, stale ones included.
    pub fn len(&self) -> usize {
        self.hosts.len()
    }
    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

/// The hosts of all batches.
pub struct Records<T> {
    /// Markers and scavenges add, a stop takes.
    lists: Mutex<Vec<Hosts<T>>>,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self { lists: Mutex::new(Vec::new()) }
    }
}

impl<T: Copy> Records<T> {
    /// In a stop: empty lists for so many batches, of which none is condemned.
    pub fn begin(&self, batches: usize) {
        assert!(batches <= Batches::MOST);
        *self.lists.lock() = (0..batches).map(|_| Hosts::default()).collect();
    }
    /// Hands over what one thread found, and leaves it nothing. What is for no batch (any more) is forgotten.
    pub fn hand_over(&self, found: &mut Vec<(Batches, T)>) {
        if found.is_empty() {
            return;
        }
        let mut lists = self.lists.lock();
        for (batches, host) in found.drain(..) {
            if bug::hosts_are_not_handed_over() {
                continue;
            }
            for batch in batches.iter() {
                let Some(list) = lists.get_mut(batch) else { break };
                list.hosts.push(host);
            }
        }
    }
    /// In a stop: a batch is condemned. Its hosts; those of later batches are cut.
    pub fn condemn(&self, batch: usize) -> Hosts<T> {
        let mut lists = self.lists.lock();
        for later in lists.iter_mut().skip(batch + 1) {
            later.cuts.resize(batch, 0);
            later.cuts.push(later.hosts.len());
        }
        lists.get_mut(batch).map(std::mem::take).unwrap_or_default()
    }
    /// In a stop: a batch is given up, and nobody will ask for its hosts.
    pub fn forget(&self, batch: usize) {
        if let Some(list) = self.lists.lock().get_mut(batch) {
            *list = Hosts::default();
        }
    }
    /// How many hosts a batch has, stale entries included.
    pub fn count(&self, batch: usize) -> usize {
        self.lists.lock().get(batch).map_or(0, |list| list.hosts.len())
    }
    /// Looks at a batch's hosts.
    pub fn look<R>(&self, batch: usize, look: impl FnOnce(&Hosts<T>) -> R) -> Option<R> {
        self.lists.lock().get(batch).map(look)
    }
}

/// What a store of a reference into an old object does about where its target lies: `remember` it if that is young, or a
/// candidate.
#[inline(always)]
pub fn stored(is_young: bool, is_candidate: bool, remember: impl FnOnce()) {
    // Guarded by `evacuation::what_is_stored_while_marking_is_updated`.
    if is_young || (is_candidate && !bug::barrier_forgets_candidates()) {
        remember();
    }
}

/// What the scan of an object that is old, or is about to be, does about what it refers to: `remember` it if that stays young.
#[inline(always)]
pub fn scanned(host_is_old: bool, young_seen: bool, remember: impl FnOnce()) {
    // Guarded by `scavenge::two_workers_leave_one_copy_of_each_object`.
    if host_is_old && young_seen && !bug::promotion_forgets_its_young() {
        remember();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn standing(hosts: &Hosts<u32>, batch_of: impl Fn(u32) -> Option<usize>) -> Vec<u32> {
        (0..hosts.len()).filter_map(|at| hosts.standing(at, &batch_of)).collect()
    }
    fn found(records: &Records<u32>, batches: &[usize], host: u32) {
        let mut set = Batches::NONE;
        batches.iter().for_each(|batch| set.add(*batch));
        records.hand_over(&mut vec![(set, host)]);
    }

    #[test]
    fn a_host_is_recorded_for_each_batch_that_it_refers_to() {
        let records = Records::default();
        records.begin(3);
        found(&records, &[0, 2], 7);
        found(&records, &[63], 8);
        assert_eq!((0..3).map(|batch| records.count(batch)).collect::<Vec<_>>(), [1, 0, 1]);
    }

    #[test]
    fn a_host_that_moved_with_an_earlier_batch_is_stale_and_its_copy_is_not() {
        let records = Records::default();
        records.begin(3);
        // Hosts below 10 lie in regions of batch 0; whoever comes after the cut uses the region anew.
        let batch_of = |host: u32| (host < 10).then_some(0);
        found(&records, &[2], 1);
        found(&records, &[2], 11);
        let _ = records.condemn(0);
        found(&records, &[2], 2);
        records.forget(1);
        let last = records.condemn(2);
        assert_eq!(standing(&last, batch_of), [11, 2]);
    }

    #[test]
    fn hosts_in_a_batch_that_was_given_up_stand() {
        let records = Records::default();
        records.begin(2);
        found(&records, &[1], 1);
        records.forget(0);
        assert_eq!(standing(&records.condemn(1), |_| Some(0)), [1]);
    }

    #[test]
    fn a_set_of_batches_lists_what_was_added() {
        let mut set = Batches::NONE;
        assert!(set.is_empty());
        [0, 5, 63].into_iter().for_each(|batch| set.add(batch));
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 5, 63]);
    }
}
