//! Whose turn it is: one line per reconciler, served in turn, so that a busy or slow plugin never keeps the others waiting.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::plugin::{Key, NodeId};

/// Keys that wait for their turn.
pub(crate) struct Queue {
    lines: BTreeMap<NodeId, Line>,
    /// The node that was served last.
    last: Option<NodeId>,
    running: usize,
    most: usize,
    most_of_one: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Key>,
    queued: HashSet<Key>,
    running: usize,
}

// === impl Queue ===

impl Queue {
    /// At most `most` keys run at once, and at most `most_of_one` of one reconciler: that share is what a plugin whose calls all
    /// run into their deadline can take from the others.
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self { lines: BTreeMap::new(), last: None, running: 0, most, most_of_one }
    }

    /// Lines a key up, unless it waits already.
    pub(crate) fn push(&mut self, key: Key) {
        let line = self.lines.entry(key.node).or_default();
        if line.queued.insert(key) {
            line.waiting.push_back(key);
        }
    }

    /// Takes a key out of its line.
    pub(crate) fn remove(&mut self, key: Key) {
        if let Some(line) = self.lines.get_mut(&key.node)
            && line.queued.remove(&key)
        {
            line.waiting.retain(|waiting| *waiting != key);
        }
    }

    /// Whether a key waits for its turn.
    pub(crate) fn waits(&self, key: Key) -> bool {
        self.lines.get(&key.node).is_some_and(|line| line.queued.contains(&key))
    }

    /// The next key whose turn it is; it counts as running until [`Queue::done`].
    pub(crate) fn pop(&mut self) -> Option<Key> {
        if self.running >= self.most {
            return None;
        }
        let after = |id: &NodeId| self.last.is_some_and(|last| *id > last);
        let (later, earlier): (Vec<_>, Vec<_>) = self.lines.keys().copied().partition(after);
        for id in later.into_iter().chain(earlier) {
            let Some(line) = self.lines.get_mut(&id) else { continue };
            if line.running < self.most_of_one
                && let Some(key) = line.waiting.pop_front()
            {
                line.queued.remove(&key);
                line.running += 1;
                self.running += 1;
                self.last = Some(id);
                return Some(key);
            }
        }
        None
    }

    /// A key that was popped has finished.
    pub(crate) fn done(&mut self, key: Key) {
        if let Some(line) = self.lines.get_mut(&key.node) {
            line.running = line.running.saturating_sub(1);
        }
        self.running = self.running.saturating_sub(1);
    }

    /// Whether nothing waits and nothing runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.running == 0 && self.waiting() == 0
    }

    /// How many keys wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lines.values().map(|line| line.waiting.len()).sum()
    }

    /// How many keys run.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Whether nothing of one node waits or runs.
    pub(crate) fn is_idle_for(&self, node: NodeId) -> bool {
        self.lines.get(&node).is_none_or(|line| line.running == 0 && line.waiting.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::SubjectId;

    fn key(node: u32, subject: u32) -> Key {
        Key { node: NodeId(node), subject: SubjectId(subject) }
    }

    #[test]
    fn reconcilers_take_turns_however_long_their_lines() {
        let mut queue = Queue::new(10, 10);
        (0..5).for_each(|subject| queue.push(key(0, subject)));
        queue.push(key(1, 0));
        queue.push(key(2, 0));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|key| key.node.0).collect();
        assert_eq!(order, [0, 1, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn one_reconciler_never_takes_all_places() {
        let mut queue = Queue::new(4, 2);
        (0..5).for_each(|subject| queue.push(key(0, subject)));
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(key(0, 0)), Some(key(0, 1)), None));
        queue.push(key(1, 0));
        assert_eq!(queue.pop(), Some(key(1, 0)));
        queue.done(key(0, 0));
        assert_eq!(queue.pop(), Some(key(0, 2)));
    }

    #[test]
    fn a_key_waits_once() {
        let mut queue = Queue::new(4, 4);
        queue.push(key(0, 0));
        queue.push(key(0, 0));
        assert_eq!((queue.pop(), queue.pop()), (Some(key(0, 0)), None));
        assert!(!queue.is_idle());
        queue.done(key(0, 0));
        assert!(queue.is_idle());
    }
}
