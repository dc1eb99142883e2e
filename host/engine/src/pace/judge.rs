//! Judges disruptions by the live objects: what is still in progress, what rolled out, and what
//! failed.

use mizzen_cluster::{Cluster, Scope};
use mizzen_k8s::rollout;
use mizzen_model::{Object, ObjectRef};

use super::disruption::{PaceName, Stage};
use super::events::{PaceEvents, TimedOut};
use super::tracker::Tracker;

/// How far a disruption has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its object reports completion.
    RolledOut,
    /// Its object may still roll out, or can't be read now.
    InProgress,
    /// Its object reports that it failed; with its message.
    Failed(String),
}

/// Judges the disruptions under one pace, and collects what changed.
pub(super) struct Judge<'a> {
    pub(super) cluster: &'a dyn Cluster,
    pub(super) name: &'a PaceName,
    pub(super) tracker: &'a mut Tracker,
    pub(super) events: &'a mut PaceEvents,
}

// === impl Judge ===

impl Judge<'_> {
    /// Ends the disruption of an object that rolled out or failed.
    pub(super) fn settle(&mut self, object: &ObjectRef) {
        if let Some(failed) = self.tracker.failed.get(object) {
            if judge(object, &failed.stage, self.cluster) == Verdict::RolledOut {
                self.events.requeue.extend(failed.key);
                self.tracker.failed.remove(object);
            }
            return;
        }
        let Some(disruption) = self.tracker.in_progress.get(object) else { return };
        match judge(object, &disruption.stage, self.cluster) {
            Verdict::RolledOut => drop(self.tracker.end(object)),
            Verdict::Failed(reason) => self.fail(object, reason),
            Verdict::InProgress => {}
        }
    }

    /// Ends the disruption of an object that is past its progress deadline.
    pub(super) fn expire(&mut self, object: &ObjectRef) {
        self.settle(object);
        if self.tracker.in_progress.contains_key(object) {
            let deadline = self.tracker.pace.progress_deadline.as_secs();
            self.fail(object, format!("not rolled out within {deadline} s"));
        }
    }

    fn fail(&mut self, object: &ObjectRef, reason: String) {
        self.events.requeue.extend(self.tracker.in_progress.get(object).and_then(|disruption| disruption.key));
        self.tracker.fail(object, reason.clone());
        self.events.timed_out.push(TimedOut { pace: self.name.clone(), object: object.clone(), reason });
    }
}

/// Judges how far the disruption of an object has come.
pub(super) fn judge(object: &ObjectRef, stage: &Stage, cluster: &dyn Cluster) -> Verdict {
    let Ok(live) = cluster.get(Scope::All, object) else { return Verdict::InProgress };
    match (stage, live) {
        (Stage::Admitted, _) => Verdict::InProgress,
        // The watch has not delivered the patch yet.
        (Stage::Patched { version }, Some(live)) if live.resource_version < *version => Verdict::InProgress,
        (Stage::Patched { .. }, Some(live)) => match rollout::Status::of(&live.value()) {
            rollout::Status::Complete => Verdict::RolledOut,
            rollout::Status::InProgress(_) => Verdict::InProgress,
            rollout::Status::Failed(reason) => Verdict::Failed(reason),
        },
        (Stage::Deleted { uid, .. }, Some(live)) if live.uid == *uid => Verdict::InProgress,
        (Stage::Deleted { owner: Some((owner, version)), .. }, _) => match cluster.get(Scope::All, owner) {
            Ok(Some(live)) if live.resource_version != *version && is_available(&live) => Verdict::RolledOut,
            Ok(None) => Verdict::RolledOut,
            Ok(Some(_)) | Err(_) => Verdict::InProgress,
        },
        (Stage::Patched { .. }, None) | (Stage::Deleted { owner: None, .. }, _) => Verdict::RolledOut,
    }
}

/// Whether the controller of a deleted Pod has all the Pods that it should have.
fn is_available(owner: &Object) -> bool {
    rollout::Availability::of(&owner.value()).is_none_or(rollout::Availability::is_complete)
}
