//! Changes of the cluster: enqueues the keys that each concerns, and tracks subjects.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_cluster::{Change, OWNER_LABEL, Scope};
use mizzen_model::{Kind, Object};
use tokio::time::Instant;

use super::nodes::State;
use super::state::Controller;
use super::trigger::{ObjectVersion, Trigger};
use crate::names::owner_label;
use crate::observe::DisruptionFailed;
use crate::pace::PaceEvents;
use crate::plugin::{Key, NodeId};

/// The longest time between two checks of the paces: it bounds how late a clock that was set is
/// noticed.
const LONGEST: Duration = Duration::from_hours(1);

/// The shortest: paces that are due wait for keys that were requeued.
const SHORTEST: Duration = Duration::from_millis(1);

impl Controller {
    /// Handles an event of the cluster.
    pub(super) fn changed(&mut self, change: Change) {
        match change {
            Change::Object { scope: Scope::All, before, after } => {
                self.read_changed(before.as_deref(), after.as_deref());
            }
            Change::Object { scope: Scope::Owned, before, after } => {
                self.owned_changed(before.as_deref(), after.as_deref());
            }
            Change::Served(kind) => self.served_changed(&kind),
            Change::Watched(object) => {
                let senders = self.context.index().readers_of_watched(&object);
                self.invalidate(senders);
            }
        }
    }

    /// Handles a change of an object that is read or a subject.
    fn read_changed(&mut self, before: Option<&Object>, after: Option<&Object>) {
        let Some(object) = after.or(before) else { return };
        let readers = self.context.index().affected(before, after);
        for key in readers {
            self.enqueue(key, Trigger::Read(version(object, after)));
        }
        self.subject_changed(object, after);
        if let Some(after) = after {
            self.orphans.observe(after, Instant::now());
        }
        let events = self.context.paces().changed(&object.reference, &*self.context.cluster);
        self.handle_pace_events(events);
    }

    /// Handles a change of an object that a reconciler applied: its owners before and after, and
    /// the keys that wait for it.
    fn owned_changed(&mut self, before: Option<&Object>, after: Option<&Object>) {
        let Some(object) = after.or(before) else { return };
        // Labels prove nothing: a forged object must not enqueue the key that it names.
        let keys = &self.context.ownership;
        let owner = |side: Option<&'_ Object>| {
            side.filter(|side| keys.recognize_labelled(side).is_some())
                .and_then(|side| side.labels.get(OWNER_LABEL).map(str::to_owned))
        };
        let [was, is] = [owner(before), owner(after)];
        let mut claims = self.context.claims();
        let mut keys: HashSet<_> = [&was, &is].into_iter().flatten().filter_map(|label| claims.owner(label)).collect();
        if was != is {
            keys.extend(claims.freed(&object.reference));
        }
        drop(claims);
        for key in keys {
            self.enqueue(key, Trigger::Object(version(object, after)));
        }
    }

    /// Handles a kind that is served, or not served, from now on.
    fn served_changed(&mut self, kind: &Kind) {
        let readers = self.context.index().readers_of_kind(kind);
        self.invalidate(readers);
        for id in self.nodes.of_subject(kind) {
            // What was enqueued while the subjects could not be read was not processed.
            let keys: Vec<_> = self.order.keys_of(id).collect();
            self.requeue(keys);
            if self.nodes.get(id).is_some_and(|node| matches!(node.state, State::Blocked(_))) {
                self.start(id);
            }
        }
    }

    fn invalidate(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.enqueue(key, Trigger::Input);
        }
    }

    /// Tracks a subject of a reconciler, new or known, and enqueues its key.
    pub(super) fn track_subject(&mut self, id: NodeId, object: &Object) {
        let Some(node) = self.nodes.get(id) else { return };
        let subject = self.subjects.id(&object.reference);
        let key = Key { node: id, subject };
        if self.order.track(key) {
            let label = owner_label(&node.name, &object.reference);
            self.context.claims().track(label, key, object.reference.clone());
        }
        self.cells.entry(key).or_default().leaving = false;
        self.enqueue_subject(key, object);
    }

    /// Enqueues a key whose subject has changed.
    pub(super) fn enqueue_subject(&mut self, key: Key, object: &Object) {
        let last_write = self.cells.get(&key).and_then(|cell| cell.memory.last_writes.get(&object.reference));
        // The status that a reconcile wrote comes back as a change of the subject.
        let is_own = last_write.is_some_and(|own| own.version == object.resource_version);
        if !is_own || self.workqueue.is_active(key) {
            self.enqueue(key, Trigger::Object(version(object, Some(object))));
        }
    }

    /// Forgets a key: its reconciler is gone, or has no such subject.
    pub(super) fn forget(&mut self, key: Key) {
        self.cells.remove(&key);
        self.workqueue.remove(key);
        self.deletion.forget(key);
        self.context.index().remove(key);
        self.context.paces().forget_key(key);
        self.order.untrack(key);
        if let (Some(node), Some(subject)) = (self.nodes.get(key.node), self.subjects.name(key.subject)) {
            self.context.claims().forget(&owner_label(&node.name, subject), key);
        }
        let successors = self.order.successors_of(key);
        self.requeue(successors);
    }

    /// Handles what is due under paces. Returns when to check again; `None`: nothing waits for time
    /// to pass.
    pub(super) fn tick_paces(&mut self) -> Option<Instant> {
        let now = (self.context.clock)();
        let mut wait = until(self.context.paces().due(now)?, now);
        if wait.is_zero() {
            let events = self.context.paces().tick(now, &*self.context.cluster);
            self.handle_pace_events(events);
            wait = until(self.context.paces().due(now)?, now).max(SHORTEST);
        }
        Some(Instant::now() + wait.min(LONGEST))
    }

    fn handle_pace_events(&mut self, events: PaceEvents) {
        for event in events.timed_out {
            let Some(node) = self.nodes.get(event.pace.node) else { continue };
            let (reconciler, pace, object, reason) = (&*node.name, &*event.pace.name, &event.object, &*event.reason);
            self.context.observer.disruption_failed(&DisruptionFailed { reconciler, pace, object, reason });
        }
        self.requeue(events.requeue);
    }
}

/// The version of an object that a change led to.
fn version(object: &Object, after: Option<&Object>) -> ObjectVersion {
    let reference = object.reference.clone();
    after.map_or_else(
        || ObjectVersion::deleted(reference.clone()),
        |after| ObjectVersion::new(reference.clone(), after.resource_version),
    )
}

/// The time from `now` until `due`; zero if it is over.
fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default()
}
