//! Deadlines by key. Time comes in as a value, so that tests need no clock.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use tokio::time::Instant;

/// At most one deadline per key.
#[derive(Debug)]
pub(super) struct Timers<K> {
    deadlines: HashMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

// === impl Timers ===

impl<K: Clone + Hash + Ord> Timers<K> {
    /// Sets the deadline of a key, in place of its last one.
    pub(super) fn set(&mut self, key: K, at: Instant) {
        self.cancel(&key);
        self.by_time.insert((at, key.clone()));
        self.deadlines.insert(key, at);
    }

    /// Removes the deadline of a key, and returns it.
    pub(super) fn cancel(&mut self, key: &K) -> Option<Instant> {
        let at = self.deadlines.remove(key)?;
        self.by_time.remove(&(at, key.clone()));
        Some(at)
    }

    /// Removes a key whose deadline has passed, the earliest first.
    pub(super) fn expire(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.deadlines.remove(&key);
        Some(key)
    }

    /// Removes all keys.
    pub(super) fn drain(&mut self) -> Vec<K> {
        self.deadlines.clear();
        std::mem::take(&mut self.by_time).into_iter().map(|(_, key)| key).collect()
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// The deadline of a key.
    pub(super) fn get(&self, key: &K) -> Option<Instant> {
        self.deadlines.get(key).copied()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.deadlines.keys()
    }

    pub(super) fn len(&self) -> usize {
        self.deadlines.len()
    }
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { deadlines: HashMap::new(), by_time: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_expire_in_the_order_of_their_deadlines_and_not_before() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut timers = Timers::default();
        timers.set("late", at(2));
        timers.set("early", at(1));
        assert_eq!((timers.expire(now), timers.next()), (None, Some(at(1))));
        assert_eq!(
            (timers.expire(at(3)), timers.expire(at(3)), timers.expire(at(3))),
            (Some("early"), Some("late"), None)
        );
    }

    #[test]
    fn a_key_has_one_deadline_the_last_that_was_set() {
        let now = Instant::now();
        let mut timers = Timers::default();
        timers.set("a", now);
        timers.set("a", now + Duration::from_secs(1));
        assert_eq!((timers.expire(now), timers.len()), (None, 1));
        assert_eq!((timers.cancel(&"a"), timers.len()), (Some(now + Duration::from_secs(1)), 0));
    }
}
