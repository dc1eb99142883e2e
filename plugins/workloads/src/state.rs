//! How a workload stands: whether it can be restarted now.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::workload::Controller;
use crate::{Mark, NEVER, RESTART_ANNOTATION};

/// A workload with a pod template, as far as restarts go.
#[derive(Debug, Deserialize)]
pub struct State {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

/// Whether a workload can be restarted, and what stands against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It can.
    Steady,
    /// Its pods are being replaced.
    Rolling,
    /// Its pods are being replaced, and it has long given up on that.
    Stuck,
    /// Some of its pods are not ready.
    Unready {
        /// How many are.
        ready: i64,
        /// How many there shall be.
        wanted: i64,
    },
    /// It rolls when somebody resumes it.
    Paused,
    /// It rolls as far as its partition goes.
    Partitioned,
    /// It replaces only pods that somebody deletes.
    OnDelete,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: Box<str>,
    pub(crate) namespace: Box<str>,
    #[serde(default)]
    generation: i64,
    #[serde(default)]
    annotations: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    replicas: Option<i64>,
    paused: bool,
    update_strategy: UpdateStrategy,
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UpdateStrategy {
    #[serde(rename = "type")]
    kind: Box<str>,
    rolling_update: RollingUpdate,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RollingUpdate {
    partition: i64,
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

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    replicas: i64,
    updated_replicas: i64,
    ready_replicas: i64,
    available_replicas: i64,
    current_revision: Box<str>,
    update_revision: Box<str>,
    desired_number_scheduled: i64,
    updated_number_scheduled: i64,
    number_available: i64,
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(default)]
    reason: Box<str>,
}

impl State {
    /// The labels of its pods.
    pub(crate) fn labels(&self) -> &BTreeMap<Box<str>, Box<str>> {
        &self.spec.template.metadata.labels
    }

    /// Whether it is annotated to be left alone.
    pub(crate) fn excluded(&self) -> bool {
        [&self.metadata.annotations, &self.spec.template.metadata.annotations]
            .iter()
            .any(|annotations| annotations.get(RESTART_ANNOTATION).is_some_and(|value| &**value == NEVER))
    }

    /// The value of an annotation on itself.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.get(name).map(|value| &**value)
    }

    /// The value of an annotation on its pod template.
    pub fn template_annotation(&self, name: &str) -> Option<&str> {
        self.spec.template.metadata.annotations.get(name).map(|value| &**value)
    }

    /// For what it was restarted, under this annotation.
    pub(crate) fn mark(&self, annotation: &str) -> Mark {
        self.template_annotation(annotation).map(Mark::parse).unwrap_or_default()
    }

    /// How it stands.
    pub fn progress(&self, controller: &Controller) -> Progress {
        let Self { metadata, spec, status } = self;
        let wanted = spec.replicas.unwrap_or(1);
        let (wanted, ready, rolling) = match controller {
            Controller::DaemonSet => {
                let wanted = status.desired_number_scheduled;
                (wanted, status.number_available, status.updated_number_scheduled < wanted)
            }
            Controller::Deployment => {
                let rolling = status.updated_replicas < wanted || status.replicas > status.updated_replicas;
                (wanted, status.available_replicas, rolling)
            }
            Controller::StatefulSet => {
                (wanted, status.ready_replicas, status.current_revision != status.update_revision)
            }
            _ => (wanted, status.ready_replicas, false),
        };
        if spec.paused {
            Progress::Paused
        } else if &*spec.update_strategy.kind == "OnDelete" {
            Progress::OnDelete
        } else if spec.update_strategy.rolling_update.partition > 0 {
            Progress::Partitioned
        } else if status.observed_generation < metadata.generation || rolling {
            let given_up = status.conditions.iter().any(|own| &*own.reason == "ProgressDeadlineExceeded");
            if given_up && status.observed_generation >= metadata.generation {
                Progress::Stuck
            } else {
                Progress::Rolling
            }
        } else if ready < wanted {
            Progress::Unready { ready, wanted }
        } else {
            Progress::Steady
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady => f.write_str("it can be restarted"),
            Self::Rolling => f.write_str("it is in the middle of a rollout"),
            Self::Stuck => f.write_str("its rollout is stuck"),
            Self::Unready { ready, wanted } => write!(f, "{ready} of {wanted} pods are ready"),
            Self::Paused => f.write_str("its rollout is paused"),
            Self::Partitioned => f.write_str("its update strategy has a partition"),
            Self::OnDelete => f.write_str("its update strategy is OnDelete"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn progress(controller: &Controller, spec: &Value, status: &Value) -> Progress {
        let object =
            json!({"metadata": {"name": "a", "namespace": "ns", "generation": 2}, "spec": spec, "status": status});
        serde_json::from_value::<State>(object).unwrap().progress(controller)
    }

    #[test]
    fn a_workload_of_any_kind_can_be_restarted_when_all_its_pods_are_there_new_and_ready() {
        let one = json!({"replicas": 1});
        let steady = [
            (Controller::Deployment, &one, json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1})),
            (Controller::StatefulSet, &one, json!({"readyReplicas": 1, "currentRevision": "a", "updateRevision": "a"})),
            (
                Controller::DaemonSet,
                &json!({}),
                json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}),
            ),
            (Controller::ReplicaSet, &one, json!({"readyReplicas": 1})),
            (Controller::ReplicationController, &one, json!({"readyReplicas": 1})),
        ];
        for (controller, spec, mut status) in steady {
            assert_eq!(progress(&controller, spec, &status), Progress::Rolling, "{controller:?}: not observed yet");
            status["observedGeneration"] = json!(2);
            assert_eq!(progress(&controller, spec, &status), Progress::Steady, "{controller:?}");
        }
    }

    #[test]
    fn pods_that_are_being_replaced_are_told_from_pods_that_are_not_ready() {
        let cases = [
            (Controller::Deployment, json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}), None),
            (Controller::Deployment, json!({"replicas": 4, "updatedReplicas": 3, "availableReplicas": 3}), None),
            (Controller::Deployment, json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}), Some(2)),
            (Controller::StatefulSet, json!({"readyReplicas": 3, "currentRevision": "a", "updateRevision": "b"}), None),
            (
                Controller::StatefulSet,
                json!({"readyReplicas": 1, "currentRevision": "a", "updateRevision": "a"}),
                Some(1),
            ),
            (
                Controller::DaemonSet,
                json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 3}),
                None,
            ),
            (Controller::DaemonSet, json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3}), Some(0)),
            (Controller::ReplicaSet, json!({}), Some(0)),
        ];
        for (controller, mut status, ready) in cases {
            status["observedGeneration"] = json!(2);
            let expected = ready.map_or(Progress::Rolling, |ready| Progress::Unready { ready, wanted: 3 });
            assert_eq!(progress(&controller, &json!({"replicas": 3}), &status), expected, "{controller:?} {status}");
        }
    }

    #[test]
    fn what_does_not_roll_by_itself_says_why() {
        let status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1,
                            "conditions": [{"reason": "ProgressDeadlineExceeded"}]});
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
    fn a_workload_or_its_template_can_ask_to_be_left_alone() {
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
