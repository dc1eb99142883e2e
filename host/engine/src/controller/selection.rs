//! The selection: which objects are a reconciler's subjects, and what happens to those that are not any more.
//!
//! An object leaves the selection by its own change, or because the configuration is narrowed. Either is the end of
//! the subject for that reconciler, as its deletion is: a plugin that finalizes is called for that and for nothing
//! else, what was applied is deleted, and finalizer and condition are removed. Until then the key is *leaving*.

use mizzen_cluster::{OWNER_LABEL, Scope, Selection};
use mizzen_model::{Access, Object, Selector};

use super::nodes::State;
use super::state::Controller;
use super::trigger::Trigger;
use crate::names::{has_condition, has_finalizer, owner_label};
use crate::plugin::{Key, NodeId, Plugin, SubjectId};

impl Controller {
    /// Tracks an object as a subject of each reconciler that selects it, and begins to leave it for each that does not
    /// any more.
    pub(super) fn subject_changed(&mut self, object: &Object, after: Option<&Object>) {
        let subject = self.subjects.find(&object.reference);
        // Most changes are of objects that are no reconciler's subjects, and never were.
        if subject.is_none() && self.nodes.of_subject(&object.reference.kind).is_empty() {
            return;
        }
        for id in self.nodes.ids() {
            let key = subject.map(|subject| Key { node: id, subject }).filter(|key| self.cells.contains_key(key));
            let Some(after) = after else {
                if let Some(key) = key {
                    self.forget(key);
                }
                continue;
            };
            // A reconciler that has not started tracks all of its subjects when it does.
            let Some(node) = self.nodes.get(id).filter(|node| node.state == State::Running) else { continue };
            let Some(plugin) = node.plugin.as_ref() else { continue };
            let is_kind = plugin.subject().kind == object.reference.kind;
            if is_kind && plugin.is_subject(after) {
                self.track_subject(id, after);
            } else if key.is_some() || is_kind && has_traces(after, &node.name) {
                self.leave(id, after);
            }
        }
    }

    /// Tracks the subjects of a reconciler that starts, and begins to leave those that it does not select any more.
    pub(super) fn select(&mut self, id: NodeId, plugin: &Plugin) {
        let subject = plugin.subject();
        let found = self.context.cluster.list(Scope::All, &subject.kind, &Selection::default()).unwrap_or_default();
        let known: Vec<Key> = self.cells.keys().filter(|key| key.node == id).copied().collect();
        let (selected, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|object| plugin.is_subject(object));
        for object in &selected {
            self.track_subject(id, object);
        }
        for object in &others {
            if has_traces(object, plugin.name()) || self.has_applied(plugin, object) {
                self.leave(id, object);
            }
        }
        for key in known {
            match self.live(key.subject) {
                Some(object) if plugin.is_subject(&object) => self.enqueue(key, Trigger::Requeue),
                Some(object) => self.leave(id, &object),
                None => self.forget(key),
            }
        }
    }

    /// Begins to leave a subject, and enqueues its key.
    fn leave(&mut self, id: NodeId, object: &Object) {
        let Some(node) = self.nodes.get(id) else { return };
        let key = Key { node: id, subject: self.subjects.id(&object.reference) };
        // What is being deleted leads to the key.
        let label = owner_label(&node.name, &object.reference);
        self.context.claims().track(label, key, object.reference.clone());
        let was_leaving = std::mem::replace(&mut self.cells.entry(key).or_default().leaving, true);
        if was_leaving {
            return self.enqueue_subject(key, object);
        }
        tracing::info!(reconciler = node.name, subject = %object.reference, "left the selection: cleaning up");
        // Neither what it read nor its predecessors concern the key, and its successors do not wait for it.
        self.context.index().remove(key);
        self.context.paces().forget_key(key);
        self.order.untrack(key);
        let successors = self.order.successors_of(key);
        self.requeue(successors);
        self.enqueue(key, Trigger::Requeue);
    }

    /// Whether a key may clean up for a subject that has left: successors that leave it, too, come first.
    pub(super) fn may_leave(&self, key: Key) -> bool {
        let leaves = |id: &NodeId| {
            let is_started = self.nodes.get(*id).is_some_and(super::nodes::Node::is_started);
            let successor = Key { node: *id, subject: key.subject };
            is_started && self.cells.get(&successor).is_some_and(|cell| cell.leaving)
        };
        !self.order.successor_ids(key.node).iter().any(leaves)
    }

    /// Forgets a key that has cleaned up for a subject that has left, unless the subject is selected again.
    pub(super) fn left(&mut self, key: Key) {
        let is_leaving = self.cells.get(&key).is_some_and(|cell| cell.leaving);
        if is_leaving && self.live(key.subject).is_none_or(|live| !live.deleting) {
            self.forget(key);
            self.requeue_keys_of(key.subject);
        }
    }

    /// Requeues the keys of a subject.
    pub(super) fn requeue_keys_of(&mut self, subject: SubjectId) {
        let keys: Vec<_> = self.nodes.iter().map(|node| Key { node: node.id, subject }).collect();
        self.requeue(keys);
    }

    /// Whether there are objects that a reconciler applied for a subject.
    fn has_applied(&self, plugin: &Plugin, object: &Object) -> bool {
        let owned = Selector::equal(OWNER_LABEL, &owner_label(plugin.name(), &object.reference));
        plugin.invoke.description().kinds(Access::Apply).any(|kind| {
            let objects = self.context.cluster.list(Scope::Owned, kind, &Selection::labelled(&owned));
            objects.is_ok_and(|objects| !objects.is_empty())
        })
    }
}

/// Whether an object has the finalizer or the condition of a reconciler.
fn has_traces(object: &Object, reconciler: &str) -> bool {
    has_finalizer(object, reconciler) || has_condition(object, reconciler)
}
