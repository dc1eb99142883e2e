//! One lane per reconciler, served in turn: a busy or slow plugin never starves the others.

use std::collections::{BTreeMap, VecDeque};

use crate::plugin::{Key, NodeId};
use crate::settings::Concurrency;

/// Queued keys, and how many are active.
pub(super) struct Lanes {
    by_node: BTreeMap<NodeId, Lane>,
    /// The lane that was served last.
    last: Option<NodeId>,
    queued: usize,
    active: usize,
    limits: Concurrency,
}

#[derive(Default)]
struct Lane {
    queued: VecDeque<Key>,
    active: usize,
}

// === impl Lanes ===

impl Lanes {
    pub(super) fn new(limits: Concurrency) -> Self {
        Self { by_node: BTreeMap::new(), last: None, queued: 0, active: 0, limits }
    }

    /// Appends a key that is not queued.
    pub(super) fn push(&mut self, key: Key) {
        self.by_node.entry(key.node).or_default().queued.push_back(key);
        self.queued += 1;
    }

    /// Removes a queued key.
    pub(super) fn remove(&mut self, key: Key) {
        if let Some(lane) = self.by_node.get_mut(&key.node) {
            let before = lane.queued.len();
            lane.queued.retain(|queued| *queued != key);
            self.queued -= before - lane.queued.len();
        }
    }

    /// The next key within the limits; it counts as active until [`Lanes::done`].
    pub(super) fn next(&mut self) -> Option<Key> {
        if self.queued == 0 || self.active >= self.limits.reconciles {
            return None;
        }
        let after = |id: &NodeId| self.last.is_some_and(|last| *id > last);
        let (later, earlier): (Vec<_>, Vec<_>) = self.by_node.keys().copied().partition(after);
        for id in later.into_iter().chain(earlier) {
            let Some(lane) = self.by_node.get_mut(&id) else { continue };
            if lane.active < self.limits.of_one
                && let Some(key) = lane.queued.pop_front()
            {
                lane.active += 1;
                self.active += 1;
                self.queued -= 1;
                self.last = Some(id);
                return Some(key);
            }
        }
        None
    }

    /// Frees the place of an active key.
    pub(super) fn done(&mut self, key: Key) {
        if let Some(lane) = self.by_node.get_mut(&key.node) {
            lane.active = lane.active.saturating_sub(1);
        }
        self.active = self.active.saturating_sub(1);
    }

    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    pub(super) fn queued_of(&self, node: NodeId) -> usize {
        self.by_node.get(&node).map_or(0, |lane| lane.queued.len())
    }

    pub(super) fn active(&self) -> usize {
        self.active
    }

    /// Whether nothing is queued or active.
    pub(super) fn is_idle(&self) -> bool {
        self.queued == 0 && self.active == 0
    }

    /// Whether nothing of one reconciler is queued or active.
    pub(super) fn is_idle_for(&self, node: NodeId) -> bool {
        self.by_node.get(&node).is_none_or(|lane| lane.active == 0 && lane.queued.is_empty())
    }
}
