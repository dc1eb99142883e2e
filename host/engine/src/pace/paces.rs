//! All paces of all reconcilers.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use mizzen_cluster::{Cluster, Scope, Selection};
use mizzen_config::Pace;
use mizzen_model::{Access, ObjectRef};

use super::disruption::{Admission, Disruption, PaceName, Slot, Stage};
use super::events::PaceEvents;
use super::judge::{Judge, Verdict, judge};
use super::status::{PaceSnapshot, PaceStatus};
use super::tracker::Tracker;
use crate::names;
use crate::plugin::{Key, NodeId, Plugin};
use crate::settings::Delays;

/// All paces of all reconcilers.
pub(crate) struct Paces {
    trackers: BTreeMap<PaceName, Tracker>,
    /// The paces that a change of an object concerns.
    watched: HashMap<ObjectRef, BTreeSet<PaceName>>,
    /// What changed while a disruption was being recorded; handled by the next [`tick`](Paces::tick).
    unhandled: PaceEvents,
    delays: Delays,
}

// === impl Paces ===

impl Paces {
    pub(crate) fn new(delays: Delays) -> Self {
        Self { trackers: BTreeMap::new(), watched: HashMap::new(), unhandled: PaceEvents::default(), delays }
    }

    /// Replaces a reconciler's paces. Disruptions in progress under a pace that remains are kept.
    pub(crate) fn configure(&mut self, node: NodeId, paces: &BTreeMap<String, Pace>) {
        self.trackers.retain(|own, _| own.node != node || paces.contains_key(&*own.name));
        for (name, pace) in paces {
            let name = PaceName { node, name: name.as_str().into() };
            let tracker = self.trackers.entry(name).or_insert_with(|| Tracker::new(pace.clone()));
            tracker.pace = pace.clone();
        }
    }

    /// Forgets all paces of a reconciler.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.trackers.retain(|own, _| own.node != node);
    }

    /// Finds in the cluster the disruptions that an earlier run of the host started.
    ///
    /// Anyone who may annotate an object can write such a mark. One of the future would occupy a place for ever, and is
    /// ignored.
    pub(crate) fn resume(&mut self, node: NodeId, plugin: &Plugin, cluster: &dyn Cluster, now: Timestamp) {
        let annotation = names::pace_annotation(plugin.name());
        for kind in plugin.invoke.description().kinds(Access::Patch) {
            for object in cluster.list(Scope::All, kind, &Selection::default()).unwrap_or_default() {
                if let Some((name, started)) = names::pace_of(&object, &annotation)
                    && started <= now
                {
                    self.resume_one(&PaceName { node, name }, &object.reference, started, cluster);
                }
            }
        }
    }

    fn resume_one(&mut self, name: &PaceName, object: &ObjectRef, started: Timestamp, cluster: &dyn Cluster) {
        let stage = Stage::Patched { version: 0 };
        let Some(tracker) = self.trackers.get_mut(name).filter(|tracker| !tracker.contains(object)) else { return };
        if judge(object, &stage, cluster) != Verdict::RolledOut {
            tracker.start(object.clone(), Disruption { started, key: None, stage });
            self.watch(name, [object]);
        }
    }

    /// Starts a disruption if its pace allows another one now.
    pub(crate) fn admit(&mut self, slot: Slot<'_>, now: Timestamp) -> Admission {
        let Slot { key, object, .. } = slot;
        let name = slot.name();
        let Some(tracker) = self.trackers.get_mut(&name) else { return Admission::UnknownPace };
        // An object whose disruption is in progress is disrupted already.
        let is_free = |tracker: &mut Tracker| tracker.in_progress.contains_key(object) || tracker.is_free(now);
        if self.delays == Delays::Enforced && !is_free(tracker) {
            return Admission::Deferred;
        }
        tracker.start(object.clone(), Disruption { started: now, key: Some(key), stage: Stage::Admitted });
        self.watch(&name, [object]);
        Admission::Admitted
    }

    /// Withdraws an admitted disruption: its object was not written.
    pub(crate) fn cancel(&mut self, slot: Slot<'_>) {
        if let Some(tracker) = self.trackers.get_mut(&slot.name()) {
            tracker.cancel(slot.object);
        }
    }

    /// Records that an admitted disruption was written.
    pub(crate) fn written(&mut self, slot: Slot<'_>, stage: Stage, cluster: &dyn Cluster) {
        let name = slot.name();
        self.watch(&name, stage.owner());
        if let Some(own) = self.trackers.get_mut(&name).and_then(|own| own.in_progress.get_mut(slot.object)) {
            own.stage = stage;
        }
        // The watch may have delivered the rollout before this was recorded.
        let events = self.changed(slot.object, cluster);
        self.unhandled.extend(events);
    }

    /// Records that a key wants the disruption of an object that already is as wanted.
    pub(crate) fn attribute(&mut self, slot: Slot<'_>) {
        let Some(tracker) = self.trackers.get_mut(&slot.name()) else { return };
        let keys = [
            tracker.in_progress.get_mut(slot.object).map(|own| &mut own.key),
            tracker.failed.get_mut(slot.object).map(|own| &mut own.key),
        ];
        keys.into_iter().flatten().for_each(|key| *key = Some(slot.key));
    }

    /// Records a disruption that started before: by an earlier run of the host, or by another
    /// client.
    pub(crate) fn adopt(&mut self, slot: Slot<'_>, stage: Stage, now: Timestamp) {
        let Slot { key, object, .. } = slot;
        let name = slot.name();
        let Some(tracker) = self.trackers.get_mut(&name).filter(|tracker| !tracker.contains(object)) else { return };
        let owner = stage.owner().cloned();
        tracker.start(object.clone(), Disruption { started: now, key: Some(key), stage });
        self.watch(&name, [Some(object), owner.as_ref()].into_iter().flatten());
    }

    /// Records how many disruptions of a key are deferred, by pace.
    pub(crate) fn defer(&mut self, key: Key, deferred: &HashMap<&str, usize>) {
        for (own, tracker) in self.of(key.node) {
            tracker.defer(key, deferred.get(&*own.name).copied().unwrap_or(0));
        }
    }

    /// Frees the places that are kept for a requeued key: it has run, or can't.
    pub(crate) fn release(&mut self, key: Key) {
        self.of(key.node).for_each(|(_, tracker)| tracker.release(key));
    }

    /// Forgets what is deferred of a key; its disruptions in progress go on.
    pub(crate) fn forget_key(&mut self, key: Key) {
        self.of(key.node).for_each(|(_, tracker)| tracker.defer(key, 0));
    }

    fn of(&mut self, node: NodeId) -> impl Iterator<Item = (&PaceName, &mut Tracker)> {
        self.trackers.iter_mut().filter(move |(own, _)| own.node == node)
    }

    fn watch<'a>(&mut self, name: &PaceName, objects: impl IntoIterator<Item = &'a ObjectRef>) {
        for object in objects {
            self.watched.entry(object.clone()).or_default().insert(name.clone());
        }
    }

    /// Judges the disruptions that a change of an object may end.
    pub(crate) fn changed(&mut self, object: &ObjectRef, cluster: &dyn Cluster) -> PaceEvents {
        let mut events = PaceEvents::default();
        let Some(names) = self.watched.get(object).cloned() else { return events };
        let mut still = BTreeSet::new();
        for name in names {
            let Some(tracker) = self.trackers.get_mut(&name) else { continue };
            let affected = tracker.affected_by(object);
            let mut judge = Judge { cluster, name: &name, tracker, events: &mut events };
            for own in &affected {
                judge.settle(own);
            }
            if !tracker.affected_by(object).is_empty() {
                still.insert(name);
            }
        }
        if still.is_empty() {
            self.watched.remove(object);
        } else {
            self.watched.insert(object.clone(), still);
        }
        events
    }

    /// Ends what is past its progress deadline, and requeues waiting keys that may go on.
    pub(crate) fn tick(&mut self, now: Timestamp, cluster: &dyn Cluster) -> PaceEvents {
        let mut events = std::mem::take(&mut self.unhandled);
        for (name, tracker) in &mut self.trackers {
            for object in tracker.overdue(now) {
                Judge { cluster, name, tracker, events: &mut events }.expire(&object);
            }
            events.requeue.extend(tracker.requeue(now));
        }
        events
    }

    /// When the next [`tick`](Self::tick) is due.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.unhandled.is_empty() {
            return Some(now);
        }
        self.trackers.values().filter_map(|tracker| tracker.due(now)).min()
    }

    /// The state of a reconciler's paces.
    pub(crate) fn snapshot(&self, node: NodeId) -> Vec<PaceSnapshot> {
        let own = self.trackers.iter().filter(|(own, _)| own.node == node);
        own.map(|(own, tracker)| PaceSnapshot {
            name: own.name.to_string(),
            deferred: tracker.deferred.values().sum(),
            in_progress: tracker.in_progress.len(),
            timed_out: tracker.failed.len(),
        })
        .collect()
    }

    /// The state of a pace for a key that wants `wanted` disruptions under it, of which `deferred`
    /// may not start yet.
    pub(crate) fn status(&self, key: Key, pace: &str, wanted: usize, deferred: usize) -> Option<PaceStatus> {
        let name = PaceName { node: key.node, name: pace.into() };
        let (name, tracker) = self.trackers.get_key_value(&name)?;
        let own = tracker.failed.iter().filter(|(_, failed)| failed.key.is_none_or(|own| own == key));
        let failed = own.map(|(object, failed)| format!("{object} ({})", failed.reason)).collect();
        Some(PaceStatus::new(&name.name, &tracker.pace, wanted, deferred, failed))
    }
}
