//! Rollout status: how far an object is in becoming what its spec says, judged by the object alone.
//!
//! The rules are those of `kubectl rollout status` (`k8s.io/kubectl/pkg/polymorphichelpers`) and
//! kstatus (`sigs.k8s.io/cli-utils/pkg/kstatus`): observed generation, counts of Pods, a missed
//! progress deadline, and the conditions `Stalled` and `Ready` of custom resources. They differ
//! from both in one point: the Pods that count are the
//! *available* ones, of `StatefulSets` and `ReplicaSets` too. A Pod is available when it has been ready for
//! `minReadySeconds`, and that is what Kubernetes' own controllers wait for before they replace the next one;
//! `StatefulSets` report `status.availableReplicas` since Kubernetes 1.22.

use std::fmt;

use serde_json::Value;

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// All of it is as its spec says, and available.
    Complete,
    /// Not yet.
    InProgress(Pending),
    /// The object itself reports that it will not get there; with its message.
    Failed(String),
}

/// What a rollout still waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// The object's controller has not observed its latest generation.
    Unobserved,
    /// Pods have yet to be replaced.
    Updating {
        /// Pods of the latest revision.
        updated: i64,
        /// Pods that the spec asks for.
        desired: i64,
    },
    /// All new Pods are there, and this many old ones have yet to go.
    OldPods(i64),
    /// A `StatefulSet` has yet to make its latest revision the current one.
    Revision,
    /// Pods have yet to become available.
    Unavailable(Availability),
    /// A custom resource's condition `Ready` is not true; with its message.
    NotReady(String),
}

/// How many of an object's Pods serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Pods that are available, or ready where the kind does not count available ones.
    pub available: i64,
    /// Pods that the spec asks for.
    pub desired: i64,
}

/// What happens to an object's Pods when its template changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All of them are replaced.
    Rolling,
    /// A `StatefulSet` replaces only Pods with this ordinal and above.
    Partitioned(i64),
    /// Nothing, until each is deleted.
    OnDelete,
    /// Nothing, until the rollout is resumed.
    Paused,
}

impl Status {
    /// The rollout status of a live object of any kind. An object that is not rolled out by itself,
    /// or is being deleted, is complete: nothing more will come of a change.
    pub fn of(object: &Value) -> Self {
        let strategy = Strategy::of(object);
        let manual = matches!(strategy, Strategy::OnDelete | Strategy::Paused);
        if manual || object["metadata"]["deletionTimestamp"].is_string() {
            return Self::Complete;
        }
        if !is_observed(object) {
            return Self::InProgress(Pending::Unobserved);
        }
        let failure = failure(&object["status"]).map(Self::Failed);
        failure.or_else(|| pending(object, strategy).map(Self::InProgress)).unwrap_or(Self::Complete)
    }
}

impl Availability {
    /// The availability of a live object's Pods; `None` for an object that has none.
    pub fn of(object: &Value) -> Option<Self> {
        let status = &object["status"];
        let (available, desired) = match status["desiredNumberScheduled"].as_i64() {
            Some(desired) => ("numberAvailable", desired),
            None => (available_field(object), desired_replicas(object)?),
        };
        Some(Self { available: count(status, available), desired })
    }

    /// Whether as many Pods serve as the spec asks for.
    pub const fn is_complete(self) -> bool {
        self.available >= self.desired
    }
}

impl Strategy {
    /// The strategy of an object of any kind.
    pub fn of(object: &Value) -> Self {
        let (spec, update) = (&object["spec"], &object["spec"]["updateStrategy"]);
        if spec["paused"] == true {
            return Self::Paused;
        }
        if update["type"] == "OnDelete" {
            return Self::OnDelete;
        }
        match update["rollingUpdate"]["partition"].as_i64() {
            Some(partition) if partition > 0 => Self::Partitioned(partition),
            _ => Self::Rolling,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("the rollout is complete"),
            Self::InProgress(pending) => pending.fmt(f),
            Self::Failed(why) => write!(f, "the rollout failed: {why}"),
        }
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unobserved => f.write_str("its controller has not observed the latest change"),
            Self::Updating { updated, desired } => write!(f, "{updated} of {desired} pods are updated"),
            Self::OldPods(1) => f.write_str("1 old pod is left"),
            Self::OldPods(left) => write!(f, "{left} old pods are left"),
            Self::Revision => f.write_str("its latest revision is not the current one yet"),
            Self::Unavailable(availability) => availability.fmt(f),
            Self::NotReady(why) => write!(f, "it is not ready: {why}"),
        }
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} pods are available", self.available, self.desired)
    }
}

fn is_observed(object: &Value) -> bool {
    match (object["status"]["observedGeneration"].as_i64(), object["metadata"]["generation"].as_i64()) {
        (Some(observed), Some(latest)) => observed >= latest,
        // Not every custom resource reports it; Kubernetes' own workloads do.
        (None, Some(_)) => !is_workload(object),
        (_, None) => true,
    }
}

/// Why an object reports failure. `Progressing=False` alone is not one: of many custom resources it means that there is
/// nothing left to do.
fn failure(status: &Value) -> Option<String> {
    let deadline = condition(status, "Progressing").filter(|own| own["reason"] == "ProgressDeadlineExceeded");
    let stalled = condition(status, "Stalled").filter(|own| own["status"] == "True");
    deadline.or(stalled).map(message)
}

fn pending(object: &Value, strategy: Strategy) -> Option<Pending> {
    let status = &object["status"];
    let Some(availability) = Availability::of(object) else {
        let unready = condition(status, "Ready").filter(|own| own["status"] != "True");
        return unready.map(|own| Pending::NotReady(message(own)));
    };
    let unavailable = || (!availability.is_complete()).then_some(Pending::Unavailable(availability));
    outdated(object, availability.desired, strategy).or_else(unavailable)
}

/// What there is of Pods or revisions that are not the latest.
fn outdated(object: &Value, desired: i64, strategy: Strategy) -> Option<Pending> {
    let status = &object["status"];
    let updated = match (status["updatedNumberScheduled"].as_i64(), status["updatedReplicas"].as_i64()) {
        (Some(updated), _) | (None, Some(updated)) => updated,
        // These leave the count out while it is 0; other kinds may not count at all.
        _ if is_workload(object) => 0,
        _ => return None,
    };
    let kept = if let Strategy::Partitioned(partition) = strategy { partition } else { 0 };
    if updated < (desired - kept).max(0) {
        return Some(Pending::Updating { updated, desired });
    }
    let old = count(status, "replicas") - updated;
    if is_workload(object) && object["kind"] == "Deployment" && old > 0 {
        return Some(Pending::OldPods(old));
    }
    let (current, latest) = (&status["currentRevision"], &status["updateRevision"]);
    (kept == 0 && latest.is_string() && current != latest).then_some(Pending::Revision)
}

/// The field that counts the Pods which serve. Kubernetes' own controllers count available Pods,
/// and leave the count out while it is 0; others may only count ready ones.
fn available_field(object: &Value) -> &'static str {
    let counts = is_replicated(object) || object["status"]["availableReplicas"].is_i64();
    if counts { "availableReplicas" } else { "readyReplicas" }
}

/// How many Pods a spec asks for; `None` for an object that has none.
fn desired_replicas(object: &Value) -> Option<i64> {
    let default = match object["kind"].as_str() {
        // Without a status it is not known yet on how many nodes it runs.
        Some("DaemonSet") => 0,
        _ => 1,
    };
    object["spec"]["replicas"].as_i64().or_else(|| is_replicated(object).then_some(default))
}

/// Whether it is one of Kubernetes' kinds that replace their Pods when their template changes.
fn is_workload(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("Deployment" | "StatefulSet" | "DaemonSet")) && is_apps(object)
}

/// Whether it is one of Kubernetes' kinds that keep a number of Pods.
fn is_replicated(object: &Value) -> bool {
    match object["kind"].as_str() {
        Some("ReplicaSet") => is_apps(object),
        Some("ReplicationController") => object["apiVersion"] == "v1",
        _ => is_workload(object),
    }
}

fn is_apps(object: &Value) -> bool {
    object["apiVersion"].as_str().is_some_and(|version| version.starts_with("apps/"))
}

fn count(status: &Value, field: &str) -> i64 {
    status[field].as_i64().unwrap_or(0)
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn message(condition: &Value) -> String {
    let text = |field: &str| condition[field].as_str().filter(|text| !text.is_empty());
    text("message").or(text("reason")).unwrap_or("it gives no reason").to_owned()
}

#[cfg(test)]
mod tests;
