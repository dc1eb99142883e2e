//! The field sets of workloads, and what is changed in them.

use mizzen_sdk::{Description, Kind};

use crate::workload::Controller;

pub(crate) const OWNERS: &str = "replicasets-owners";

/// The paths of an owner reference, below `metadata.ownerReferences[*]`.
const OWNER_PATHS: [&str; 4] = [
    "metadata.ownerReferences[*].apiVersion",
    "metadata.ownerReferences[*].kind",
    "metadata.ownerReferences[*].name",
    "metadata.ownerReferences[*].controller",
];

/// The field set of Deployments.
pub const DEPLOYMENTS: &str = "deployments";

pub(crate) const BUDGETS: &str = "budgets";

/// Kinds with a pod template, and the fields read of each besides those of all kinds.
pub(crate) const TEMPLATED: [(Controller, &str, &[&str]); 5] = [
    (
        Controller::Deployment,
        DEPLOYMENTS,
        &[
            "spec.paused",
            "status.updatedReplicas",
            "status.availableReplicas",
            "status.conditions[type=Progressing].reason",
        ],
    ),
    (
        Controller::StatefulSet,
        "statefulsets",
        &[
            "spec.updateStrategy.type",
            "spec.updateStrategy.rollingUpdate.partition",
            "status.currentRevision",
            "status.updateRevision",
            "status.updatedReplicas",
            "status.availableReplicas",
        ],
    ),
    (
        Controller::DaemonSet,
        "daemonsets",
        &[
            "spec.updateStrategy.type",
            "status.desiredNumberScheduled",
            "status.updatedNumberScheduled",
            "status.numberAvailable",
        ],
    ),
    (Controller::ReplicaSet, "replicasets", &["status.availableReplicas"]),
    (Controller::ReplicationController, "replicationcontrollers", &["status.availableReplicas"]),
];

/// Fields read of every kind with a pod template.
const OF_ALL: [&str; 7] = [
    "metadata.generation",
    "metadata.annotations['mizzen.dev/restart']",
    "spec.replicas",
    "spec.template.metadata.labels",
    "spec.template.metadata.annotations['mizzen.dev/restart']",
    "status.observedGeneration",
    "status.replicas",
];

/// Declares everything that [`Restarts`](crate::Restarts) reads and writes, with marks in
/// `annotation`. Each reconciler declares its own reads of pods, which it judges.
#[must_use]
pub fn declare(description: Description, annotation: &str) -> Description {
    let owners = "the owner of a pod's ReplicaSet";
    let budgets = "a disruption that a budget does not allow now is postponed";
    let description = TEMPLATED
        .iter()
        .fold(description, |description, templated| workload(description, templated, annotation))
        .reads_fields(OWNERS, replica_set(), &OWNER_PATHS, owners)
        .reads_fields(BUDGETS, budget(), &["spec.selector", "status.disruptionsAllowed"], budgets);
    let why = "pods of a ReplicaSet or ReplicationController without a Deployment are deleted one at a time";
    description.deletes(Kind::new("v1", "Pod"), why)
}

/// Declares only what is read and written of Deployments, with `more` paths. Reads use the field
/// set [`DEPLOYMENTS`].
#[must_use]
pub fn deployment(description: Description, annotation: &str, more: &[&str]) -> Description {
    let (controller, set, paths) = &TEMPLATED[0];
    let paths: Vec<&str> = paths.iter().chain(more).copied().collect();
    workload(description, &(controller.clone(), set, &paths), annotation)
}

fn workload(
    description: Description,
    (controller, set, paths): &(Controller, &str, &[&str]),
    annotation: &str,
) -> Description {
    let mark = format!("spec.template.metadata.annotations['{annotation}']");
    let paths: Vec<&str> = OF_ALL.into_iter().chain(paths.iter().copied()).chain([mark.as_str()]).collect();
    description
        .reads_fields(
            set,
            controller.kind(),
            &paths,
            "whether a rollout is in progress, it is available, or already restarted",
        )
        .patches(controller.kind(), "an annotation on its pod template restarts it")
}

pub(crate) fn replica_set() -> Kind {
    Controller::ReplicaSet.kind()
}

pub(crate) fn budget() -> Kind {
    Kind::new("policy/v1", "PodDisruptionBudget")
}
