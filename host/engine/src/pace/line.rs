//! One pace of one reconciler: what is under way, what was given up on, and who waits.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use mizzen_config::Pace;
use mizzen_model::ObjectRef;

use crate::plugin::Key;

/// The time over which `perMinute` counts.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Something that was done to an object of others, and has not come through yet.
#[derive(Clone, Debug)]
pub(crate) struct Disruption {
    pub(crate) begun: Timestamp,
    /// Whose it is; `None`: it was found at a start, and nobody has asked for it since.
    pub(crate) key: Option<Key>,
    pub(crate) stage: Stage,
}

/// How far the host is with it.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// It has its turn, and is being written: what is heard of the object is about its time before.
    Reserved,
    /// It was patched, and had this resource version then.
    Patched { version: u64 },
    /// This one was deleted. It had this controller, which had this resource version then.
    Deleted { uid: Box<str>, owner: Option<(ObjectRef, u64)> },
}

/// Something that did not come through, and keeps nobody waiting.
#[derive(Clone, Debug)]
pub(crate) struct GivenUp {
    pub(crate) key: Option<Key>,
    pub(crate) stage: Stage,
    pub(crate) why: String,
}

/// One pace.
pub(crate) struct Line {
    pub(crate) pace: Pace,
    pub(crate) under_way: BTreeMap<ObjectRef, Disruption>,
    /// The same, by when they began.
    by_age: BTreeSet<(Timestamp, ObjectRef)>,
    pub(crate) given_up: BTreeMap<ObjectRef, GivenUp>,
    /// When the last ones began, within a minute.
    begun: VecDeque<Timestamp>,
    /// How much of whom waits.
    pub(crate) deferred: HashMap<Key, usize>,
    /// Who waits to be called, in turn.
    waiting: VecDeque<Key>,
    /// The same, to be found.
    queued: HashSet<Key>,
    /// Who was called and has not come yet: a slot is kept for each.
    called: HashSet<Key>,
}

// === impl Line ===

impl Line {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            under_way: BTreeMap::new(),
            by_age: BTreeSet::new(),
            given_up: BTreeMap::new(),
            begun: VecDeque::new(),
            deferred: HashMap::new(),
            waiting: VecDeque::new(),
            queued: HashSet::new(),
            called: HashSet::new(),
        }
    }

    /// Whether something is under way or was given up on.
    pub(crate) fn knows(&self, object: &ObjectRef) -> bool {
        self.under_way.contains_key(object) || self.given_up.contains_key(object)
    }

    /// Whether something may begin now.
    pub(crate) fn is_free(&mut self, now: Timestamp) -> bool {
        self.forget_before(now);
        self.pace.opens(now).is_none() && self.slots() > 0 && self.tokens() > 0
    }

    /// Notes that something begins, or has begun then.
    pub(crate) fn begin(&mut self, object: ObjectRef, disruption: Disruption) {
        self.end(&object);
        self.given_up.remove(&object);
        // Those of an earlier life of the host may come in any order.
        let at = self.begun.partition_point(|begun| *begun <= disruption.begun);
        self.begun.insert(at, disruption.begun);
        self.by_age.insert((disruption.begun, object.clone()));
        self.under_way.insert(object, disruption);
    }

    /// Takes back that something began: it was not written.
    pub(crate) fn take_back(&mut self, object: &ObjectRef) {
        if let Some(disruption) = self.end(object)
            && let Some(at) = self.begun.iter().rposition(|begun| *begun == disruption.begun)
        {
            self.begun.remove(at);
        }
    }

    /// Notes that something is no longer under way.
    pub(crate) fn end(&mut self, object: &ObjectRef) -> Option<Disruption> {
        let disruption = self.under_way.remove(object)?;
        self.by_age.remove(&(disruption.begun, object.clone()));
        Some(disruption)
    }

    /// What has been under way for longer than patience lasts.
    pub(crate) fn overdue(&self, now: Timestamp) -> Vec<ObjectRef> {
        let old = self.by_age.iter().take_while(|(begun, _)| self.loses_patience(*begun) <= now);
        old.map(|(_, object)| object.clone()).collect()
    }

    /// Notes how much of a key waits.
    pub(crate) fn defer(&mut self, key: Key, count: usize) {
        self.called.remove(&key);
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

    /// A key that was called has nothing to say now.
    pub(crate) fn dismiss(&mut self, key: Key) {
        self.called.remove(&key);
    }

    /// Calls as many of those who wait as may begin now.
    pub(crate) fn call(&mut self, now: Timestamp) -> Vec<Key> {
        if self.waiting.is_empty() || !self.is_free(now) {
            return Vec::new();
        }
        let places = self.slots().min(self.tokens()).saturating_sub(self.called.len()).min(self.waiting.len());
        let called: Vec<_> = self.waiting.drain(..places).collect();
        self.queued.retain(|key| !called.contains(key));
        self.called.extend(&called);
        called
    }

    /// When something is to be looked at next, though nothing happens.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let patience = self.by_age.first().map(|(begun, _)| self.loses_patience(*begun));
        [patience, self.next_turn(now)].into_iter().flatten().min()
    }

    /// When somebody can be called, if nothing comes through before.
    fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        if self.waiting.is_empty() || self.slots() <= self.called.len() {
            return None;
        }
        let opens = self.pace.opens(now).unwrap_or(now);
        let recent = self.begun.iter().filter(|begun| **begun + MINUTE > now).count();
        let most = self.pace.per_minute.map_or(usize::MAX, std::num::NonZero::get);
        // Those who were called take a token each.
        if recent + self.called.len() < most {
            return Some(opens);
        }
        let at = self.begun.len().saturating_sub(recent);
        self.begun.get(at).map(|oldest| (*oldest + MINUTE).max(opens))
    }

    fn slots(&self) -> usize {
        self.pace.at_once.map_or(usize::MAX, |most| most.get().saturating_sub(self.under_way.len()))
    }

    fn tokens(&self) -> usize {
        self.pace.per_minute.map_or(usize::MAX, |most| most.get().saturating_sub(self.begun.len()))
    }

    fn forget_before(&mut self, now: Timestamp) {
        while self.begun.front().is_some_and(|begun| *begun + MINUTE <= now) {
            self.begun.pop_front();
        }
    }

    pub(crate) fn loses_patience(&self, begun: Timestamp) -> Timestamp {
        begun.saturating_add(self.pace.progress_deadline).unwrap_or(Timestamp::MAX)
    }
}
