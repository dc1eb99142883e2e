//! The state of one pace of one reconciler: disruptions in progress, failed ones, and the keys that
//! wait for one.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use mizzen_config::Pace;
use mizzen_model::ObjectRef;

use super::disruption::{Disruption, Failed, Stage};
use crate::plugin::Key;

/// The time over which `perMinute` counts.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The state of one pace.
pub(super) struct Tracker {
    pub(super) pace: Pace,
    pub(super) in_progress: BTreeMap<ObjectRef, Disruption>,
    /// The same disruptions, by start time.
    by_age: BTreeSet<(Timestamp, ObjectRef)>,
    pub(super) failed: BTreeMap<ObjectRef, Failed>,
    /// The start times within the last minute, in order.
    started: VecDeque<Timestamp>,
    /// How many disruptions of each key are deferred.
    pub(super) deferred: HashMap<Key, usize>,
    /// The keys to be requeued, in order.
    waiting: VecDeque<Key>,
    /// The same keys, for lookup.
    queued: HashSet<Key>,
    /// Keys that were requeued and have not run yet: a place is kept for each.
    requeued: HashSet<Key>,
}

// === impl Tracker ===

impl Tracker {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            in_progress: BTreeMap::new(),
            by_age: BTreeSet::new(),
            failed: BTreeMap::new(),
            started: VecDeque::new(),
            deferred: HashMap::new(),
            waiting: VecDeque::new(),
            queued: HashSet::new(),
            requeued: HashSet::new(),
        }
    }

    /// Whether an object's disruption is in progress or failed.
    pub(super) fn contains(&self, object: &ObjectRef) -> bool {
        self.in_progress.contains_key(object) || self.failed.contains_key(object)
    }

    /// Whether a disruption may start at `now`.
    pub(super) fn is_free(&mut self, now: Timestamp) -> bool {
        self.forget_before(now);
        self.pace.opens(now).is_none() && self.places() > 0 && self.tokens() > 0
    }

    /// Records that a disruption starts, or started earlier.
    pub(super) fn start(&mut self, object: ObjectRef, disruption: Disruption) {
        self.end(&object);
        self.failed.remove(&object);
        // Disruptions found in the cluster at a start of the host come in any order.
        let at = self.started.partition_point(|started| *started <= disruption.started);
        self.started.insert(at, disruption.started);
        self.by_age.insert((disruption.started, object.clone()));
        self.in_progress.insert(object, disruption);
    }

    /// Withdraws a start: the object was not written.
    pub(super) fn cancel(&mut self, object: &ObjectRef) {
        if let Some(disruption) = self.end(object)
            && let Some(at) = self.started.iter().rposition(|started| *started == disruption.started)
        {
            self.started.remove(at);
        }
    }

    /// Removes a disruption from those in progress.
    pub(super) fn end(&mut self, object: &ObjectRef) -> Option<Disruption> {
        let disruption = self.in_progress.remove(object)?;
        self.by_age.remove(&(disruption.started, object.clone()));
        Some(disruption)
    }

    /// Moves a disruption from those in progress to the failed ones.
    pub(super) fn fail(&mut self, object: &ObjectRef, reason: String) {
        if let Some(Disruption { key, stage, .. }) = self.end(object) {
            self.failed.insert(object.clone(), Failed { key, stage, reason });
        }
    }

    /// The disruptions that a change of an object may end: its own, and those of objects that it is
    /// to replace.
    pub(super) fn affected_by(&self, object: &ObjectRef) -> Vec<ObjectRef> {
        let replaced = |stage: &Stage| stage.owner() == Some(object);
        let itself = self.contains(object).then(|| object.clone());
        let in_progress = self.in_progress.iter().filter(|(_, own)| replaced(&own.stage)).map(|(own, _)| own.clone());
        let failed = self.failed.iter().filter(|(_, own)| replaced(&own.stage)).map(|(own, _)| own.clone());
        itself.into_iter().chain(in_progress).chain(failed).collect()
    }

    /// The disruptions that are past their progress deadline.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<ObjectRef> {
        let old = self.by_age.iter().take_while(|(started, _)| self.deadline(*started) <= now);
        old.map(|(_, object)| object.clone()).collect()
    }

    /// Records how many disruptions of a key are deferred. The key has run, so no place is kept for
    /// it.
    pub(super) fn defer(&mut self, key: Key, count: usize) {
        self.requeued.remove(&key);
        if count == 0 {
            self.deferred.remove(&key);
            if self.queued.remove(&key) {
                self.waiting.retain(|own| *own != key);
            }
        } else {
            self.deferred.insert(key, count);
            if self.queued.insert(key) {
                self.waiting.push_back(key);
            }
        }
    }

    /// Frees the place of a requeued key that has run.
    pub(super) fn release(&mut self, key: Key) {
        self.requeued.remove(&key);
    }

    /// The waiting keys that may run now: as many as there are free places.
    pub(super) fn requeue(&mut self, now: Timestamp) -> Vec<Key> {
        if self.waiting.is_empty() || !self.is_free(now) {
            return Vec::new();
        }
        let free = self.places().min(self.tokens()).saturating_sub(self.requeued.len()).min(self.waiting.len());
        let keys: Vec<_> = self.waiting.drain(..free).collect();
        self.queued.retain(|key| !keys.contains(key));
        self.requeued.extend(&keys);
        keys
    }

    /// When this pace needs attention next, if no object changes before: a progress deadline, or a
    /// free place.
    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let deadline = self.by_age.first().map(|(started, _)| self.deadline(*started));
        [deadline, self.next_start(now)].into_iter().flatten().min()
    }

    /// When a waiting key can be requeued, if no disruption ends before.
    fn next_start(&self, now: Timestamp) -> Option<Timestamp> {
        if self.waiting.is_empty() || self.places() <= self.requeued.len() {
            return None;
        }
        let opens = self.pace.opens(now).unwrap_or(now);
        let recent = self.started.iter().filter(|started| **started + MINUTE > now).count();
        let most = self.pace.per_minute.map_or(usize::MAX, std::num::NonZero::get);
        // Each requeued key takes a token.
        if recent + self.requeued.len() < most {
            return Some(opens);
        }
        let at = self.started.len().saturating_sub(recent);
        self.started.get(at).map(|oldest| (*oldest + MINUTE).max(opens))
    }

    /// How many more disruptions `atOnce` allows.
    fn places(&self) -> usize {
        self.pace.at_once.map_or(usize::MAX, |most| most.get().saturating_sub(self.in_progress.len()))
    }

    /// How many more starts `perMinute` allows.
    fn tokens(&self) -> usize {
        self.pace.per_minute.map_or(usize::MAX, |most| most.get().saturating_sub(self.started.len()))
    }

    fn forget_before(&mut self, now: Timestamp) {
        while self.started.front().is_some_and(|started| *started + MINUTE <= now) {
            self.started.pop_front();
        }
    }

    fn deadline(&self, started: Timestamp) -> Timestamp {
        started.saturating_add(self.pace.progress_deadline).unwrap_or(Timestamp::MAX)
    }
}
