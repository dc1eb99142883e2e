//! Removal of sidecars: workloads are restarted after the injector is gone, so that their pods are
//! created without sidecars.
//!
//! Behaviour: Kyma restarts every pod with a sidecar before the subject is deleted. Here a restart
//! is state, as everywhere: the template's mark says that it was for the deletion of this subject.
//! Workloads that can't be restarted do not block the deletion, and are reported.

use mizzen_sdk::{AccessError, Description, Kind, Outcome, Query, cluster};
use mizzen_workloads::{Decision, Finding, NEVER, OwnerReference, Pod, Restarts, digest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::config::Config;

/// On pod templates: the subject for whose deletion the workload was restarted.
const MARK: &str = "mizzen.dev/sidecar-removed-for";

const PODS: &str = "pods-with-sidecars";

#[derive(Debug, Deserialize)]
struct Injected {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Box<str>,
    namespace: Box<str>,
    #[serde(default)]
    uid: Box<str>,
    deletion_timestamp: Option<IgnoredAny>,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Annotations {
    /// The injector's annotation.
    #[serde(rename = "sidecar.istio.io/status")]
    injected: Option<IgnoredAny>,
    #[serde(rename = "mizzen.dev/restart")]
    restart: Option<Box<str>>,
    #[serde(rename = "mizzen.dev/sidecar-removed-for")]
    mark: Option<Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    status: Box<str>,
}

pub(crate) fn declare(description: Description) -> Description {
    let paths = [
        "metadata.deletionTimestamp",
        "metadata.ownerReferences[*].apiVersion",
        "metadata.ownerReferences[*].kind",
        "metadata.ownerReferences[*].name",
        "metadata.ownerReferences[*].controller",
        "metadata.annotations['sidecar.istio.io/status']",
        "metadata.annotations['mizzen.dev/restart']",
        "metadata.annotations['mizzen.dev/sidecar-removed-for']",
        "status.conditions[type=Ready].status",
    ];
    let why = "which workloads have sidecars when Istio is removed";
    mizzen_workloads::declare(description, MARK).reads_fields(PODS, Kind::new("v1", "Pod"), &paths, why)
}

/// Decides about workloads with sidecars when the subject with this uid is deleted.
pub(crate) fn remove(config: &Config, uid: &str) -> Result<Decision, AccessError> {
    let expected = digest(uid);
    let pace = config.restart_pace.as_deref().unwrap_or_default();
    let mut restarts = Restarts::new(MARK, &expected, pace);
    for pod in cluster::scan::<Injected>(&Query::of(Kind::new("v1", "Pod")).fields(PODS))? {
        let Injected { metadata, status } = pod?;
        let Metadata { name, namespace, uid, deletion_timestamp, owner_references, annotations } = metadata;
        if annotations.injected.is_none() || deletion_timestamp.is_some() || *namespace == *config.namespace {
            continue;
        }
        let ready = status.conditions.iter().any(|own| &*own.status == "True");
        let excluded = annotations.restart.as_deref() == Some(NEVER);
        let mark = annotations.mark.as_deref();
        let finding = Finding { what: "Istio is removed", causes: &["removed"], ready, excluded, mark };
        restarts.add(Pod { namespace, name, uid, owners: owner_references }, &finding);
    }
    restarts.decide()
}

/// The outcome of a decision: at the configured pace, or at once.
pub(crate) fn outcome(decision: Decision, outcome: Outcome, config: &Config) -> Outcome {
    let mut outcome = decision.into_outcome(outcome);
    if config.restart_pace.is_none() {
        outcome.patches.iter_mut().for_each(|patch| patch.pace = None);
        outcome.deletions.iter_mut().for_each(|deletion| deletion.pace = None);
    }
    outcome
}
