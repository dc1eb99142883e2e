//! The state of a workload: whether it can be restarted now.

use std::collections::BTreeMap;
use std::fmt;

use mizzen_sdk::k8s::rollout::{self, Availability, Pending, Strategy};
use serde::Deserialize;
use serde_json::Value;

use crate::{Mark, NEVER, RESTART_ANNOTATION};

/// A workload with a pod template, as far as restarts need it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub struct State {
    pub(crate) metadata: Metadata,
    template: TemplateMetadata,
    progress: Progress,
}

/// Whether a workload can be restarted, and what prevents it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It can.
    Steady,
    /// Its pods are being replaced.
    Rolling,
    /// The replacement of its pods missed its deadline.
    Stuck,
    /// Some of its pods are not available.
    Unavailable(Availability),
    /// It rolls out when its rollout is resumed.
    Paused,
    /// It rolls out only as far as its partition.
    Partitioned,
    /// It replaces a pod only after that is deleted.
    OnDelete,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) name: Box<str>,
    pub(crate) namespace: Box<str>,
    #[serde(default)]
    annotations: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug, Deserialize)]
struct Object {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: TemplateMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateMetadata {
    labels: BTreeMap<Box<str>, Box<str>>,
    annotations: BTreeMap<Box<str>, Box<str>>,
}

impl TryFrom<Value> for State {
    type Error = serde_json::Error;

    fn try_from(object: Value) -> Result<Self, Self::Error> {
        let progress = Progress::of(&object);
        let Object { metadata, spec } = serde_json::from_value(object)?;
        Ok(Self { metadata, template: spec.template.metadata, progress })
    }
}

impl State {
    /// The labels of its pods.
    pub(crate) fn labels(&self) -> &BTreeMap<Box<str>, Box<str>> {
        &self.template.labels
    }

    /// Whether it is annotated to be left alone.
    pub(crate) fn excluded(&self) -> bool {
        [&self.metadata.annotations, &self.template.annotations]
            .iter()
            .any(|annotations| annotations.get(RESTART_ANNOTATION).is_some_and(|value| &**value == NEVER))
    }

    /// The value of one of its annotations.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.get(name).map(|value| &**value)
    }

    /// The value of an annotation of its pod template.
    pub fn template_annotation(&self, name: &str) -> Option<&str> {
        self.template.annotations.get(name).map(|value| &**value)
    }

    /// The mark in this annotation of its pod template.
    pub(crate) fn mark(&self, annotation: &str) -> Mark {
        self.template_annotation(annotation).map(Mark::parse).unwrap_or_default()
    }

    /// Whether it can be restarted.
    pub fn progress(&self) -> Progress {
        self.progress
    }
}

impl Progress {
    fn of(object: &Value) -> Self {
        match Strategy::of(object) {
            Strategy::Paused => return Self::Paused,
            Strategy::OnDelete => return Self::OnDelete,
            Strategy::Partitioned(_) => return Self::Partitioned,
            Strategy::Rolling => {}
        }
        match rollout::Status::of(object) {
            rollout::Status::Complete => Self::Steady,
            rollout::Status::InProgress(Pending::Unavailable(availability)) => Self::Unavailable(availability),
            rollout::Status::InProgress(_) => Self::Rolling,
            rollout::Status::Failed(_) => Self::Stuck,
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady => f.write_str("it can be restarted"),
            Self::Rolling => f.write_str("a rollout is in progress"),
            Self::Stuck => f.write_str("its rollout is stuck"),
            Self::Unavailable(availability) => availability.fmt(f),
            Self::Paused => f.write_str("its rollout is paused"),
            Self::Partitioned => f.write_str("its update strategy has a partition"),
            Self::OnDelete => f.write_str("its update strategy is OnDelete"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Controller;

    fn progress(controller: &Controller, spec: &Value, status: &Value) -> Progress {
        let kind = controller.kind();
        let metadata = json!({"name": "a", "namespace": "ns", "generation": 2});
        let object = json!({"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata,
                            "spec": spec, "status": status});
        serde_json::from_value::<State>(object).unwrap().progress()
    }

    #[test]
    fn a_workload_of_any_kind_can_be_restarted_when_all_its_pods_are_there_new_and_available() {
        let one = json!({"replicas": 1});
        let steady = [
            (Controller::Deployment, &one, json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1})),
            (
                Controller::StatefulSet,
                &one,
                json!({"updatedReplicas": 1, "availableReplicas": 1, "currentRevision": "a", "updateRevision": "a"}),
            ),
            (
                Controller::DaemonSet,
                &json!({}),
                json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}),
            ),
            (Controller::ReplicaSet, &one, json!({"availableReplicas": 1})),
            (Controller::ReplicationController, &one, json!({"availableReplicas": 1})),
        ];
        for (controller, spec, mut status) in steady {
            status["observedGeneration"] = json!(1);
            assert_eq!(progress(&controller, spec, &status), Progress::Rolling, "{controller:?}: not observed yet");
            status["observedGeneration"] = json!(2);
            assert_eq!(progress(&controller, spec, &status), Progress::Steady, "{controller:?}");
        }
    }

    #[test]
    fn pods_that_are_being_replaced_differ_from_pods_that_are_not_available() {
        let set = |updated: u8, available: u8, current: &str| {
            json!({"readyReplicas": 3, "updatedReplicas": updated, "availableReplicas": available,
                   "currentRevision": current, "updateRevision": "b"})
        };
        let daemons = |updated: u8, available: u8| {
            json!({
                "desiredNumberScheduled": 3,
                "updatedNumberScheduled": updated,
                "numberAvailable": available,
            })
        };
        let cases = [
            (Controller::Deployment, json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}), None),
            (Controller::Deployment, json!({"replicas": 4, "updatedReplicas": 3, "availableReplicas": 3}), None),
            (Controller::Deployment, json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}), Some(2)),
            (Controller::StatefulSet, set(2, 3, "a"), None),
            (Controller::StatefulSet, set(3, 3, "a"), None),
            (Controller::StatefulSet, set(3, 1, "b"), Some(1)),
            (Controller::DaemonSet, daemons(1, 3), None),
            (Controller::DaemonSet, daemons(3, 0), Some(0)),
            (Controller::ReplicaSet, json!({"readyReplicas": 3}), Some(0)),
        ];
        for (controller, mut status, available) in cases {
            status["observedGeneration"] = json!(2);
            let unavailable = |available| Progress::Unavailable(Availability { available, desired: 3 });
            let expected = available.map_or(Progress::Rolling, unavailable);
            assert_eq!(progress(&controller, &json!({"replicas": 3}), &status), expected, "{controller:?} {status}");
        }
    }

    #[test]
    fn a_workload_that_does_not_roll_by_itself_says_why() {
        let status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1,
                            "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]});
        let cases = [
            (json!({}), Progress::Stuck),
            (json!({"paused": true}), Progress::Paused),
            (json!({"updateStrategy": {"type": "OnDelete"}}), Progress::OnDelete),
            (json!({"updateStrategy": {"rollingUpdate": {"partition": 1}}}), Progress::Partitioned),
        ];
        for (spec, expected) in cases {
            assert_eq!(progress(&Controller::Deployment, &spec, &status), expected, "{spec}");
        }
    }

    #[test]
    fn an_annotation_on_a_workload_or_its_template_excludes_it() {
        let annotated = |on_template: bool, value: &str| {
            let annotations = json!({RESTART_ANNOTATION: value});
            let mut object =
                json!({"metadata": {"name": "a", "namespace": "ns"}, "spec": {"template": {"metadata": {}}}});
            let place = if on_template { "/spec/template/metadata" } else { "/metadata" };
            object.pointer_mut(place).unwrap()["annotations"] = annotations;
            serde_json::from_value::<State>(object).unwrap().excluded()
        };
        assert!(annotated(true, NEVER) && annotated(false, NEVER));
        assert!(!annotated(true, "always") && !annotated(false, ""));
    }
}
