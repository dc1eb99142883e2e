//! Whether what was done to an object has come through, told from its status alone, of whatever kind it is.
//!
//! The conventions are those of `kubectl rollout status` and kstatus: `observedGeneration`, replica counts, `DaemonSet` counts,
//! `Progressing=False` for a deadline that has passed, `Ready` where nothing else is known. What counts is what is available, so a
//! replica that was ready for less than `minReadySeconds` is not through: it is what the workload itself waits for before it goes on.

use serde_json::Value;

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All of it is as its spec says, and at work.
    Through,
    /// Not yet; says what is missing.
    UnderWay(String),
    /// It says itself that it will not get there; says why.
    Failed(String),
}

/// How far a live object is.
pub(crate) fn progress(object: &Value) -> Progress {
    let (spec, status) = (&object["spec"], &object["status"]);
    let rolls_by_hand = spec["updateStrategy"]["type"] == "OnDelete";
    // Nothing happens to its Pods because of a change.
    if spec["paused"] == true || rolls_by_hand || object["metadata"]["deletionTimestamp"].is_string() {
        return Progress::Through;
    }
    match (status["observedGeneration"].as_i64(), object["metadata"]["generation"].as_i64()) {
        (Some(observed), Some(own)) if observed < own => return waits("its controller has not seen it yet"),
        (None, Some(_)) if is_workload(object) => return waits("its controller has not seen it yet"),
        _ => {}
    }
    if let Some(why) = failure(status) {
        return Progress::Failed(why);
    }
    match (status["desiredNumberScheduled"].as_i64(), replicas(object)) {
        (Some(desired), _) => {
            let counts = [("updatedNumberScheduled", "updated"), ("numberAvailable", "available")];
            all(status, desired, &counts)
        }
        (None, Some(desired)) => rollout(object, desired),
        (None, None) => ready(status),
    }
}

/// Whether as many are available as there shall be: for whoever a deleted Pod belonged to.
pub(crate) fn is_complete(object: &Value) -> bool {
    let status = &object["status"];
    match (status["desiredNumberScheduled"].as_i64(), replicas(object)) {
        (Some(desired), _) => count(status, "numberAvailable") >= desired,
        (None, Some(desired)) => all(status, desired, &[at_work(object)]) == Progress::Through,
        (None, None) => true,
    }
}

fn rollout(object: &Value, desired: i64) -> Progress {
    let status = &object["status"];
    // A rolling update of a StatefulSet stops at its partition.
    let partition = object["spec"]["updateStrategy"]["rollingUpdate"]["partition"].as_i64().unwrap_or(0);
    let rolls = matches!(object["kind"].as_str(), Some("Deployment" | "StatefulSet"));
    if (rolls || status["updatedReplicas"].is_i64()) && count(status, "updatedReplicas") < (desired - partition).max(0)
    {
        return waits(format!("{} of {desired} replicas are updated", count(status, "updatedReplicas")));
    }
    // What is left of the old ones still serves, or still goes down.
    if object["kind"] == "Deployment" && count(status, "replicas") > desired {
        return waits(format!("{} old replicas are left", count(status, "replicas") - desired));
    }
    all(status, desired, &[at_work(object)])
}

/// The field that counts the replicas which are at work, and the word for them. Kubernetes' own controllers all count those that were ready for
/// `minReadySeconds`, and leave the count out while it is 0; others may count only what is ready.
fn at_work(object: &Value) -> (&'static str, &'static str) {
    let counts = is_kubernetes_own(object) || object["status"]["availableReplicas"].is_i64();
    if counts { ("availableReplicas", "available") } else { ("readyReplicas", "ready") }
}

fn all(status: &Value, desired: i64, counts: &[(&str, &str)]) -> Progress {
    match counts.iter().find(|(field, _)| count(status, field) < desired) {
        Some((field, word)) => waits(format!("{} of {desired} replicas are {word}", count(status, field))),
        None => Progress::Through,
    }
}

fn ready(status: &Value) -> Progress {
    match condition(status, "Ready") {
        Some(ready) if ready["status"] != "True" => waits(format!("it is not ready: {}", message(ready))),
        _ => Progress::Through,
    }
}

fn failure(status: &Value) -> Option<String> {
    let progressing = condition(status, "Progressing").filter(|own| own["status"] == "False");
    let stalled = condition(status, "Stalled").filter(|own| own["status"] == "True");
    progressing.or(stalled).map(message)
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn message(condition: &Value) -> String {
    let text = |field: &str| condition[field].as_str().filter(|text| !text.is_empty());
    text("message").or(text("reason")).unwrap_or("it does not say why").to_owned()
}

fn is_workload(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("Deployment" | "StatefulSet" | "DaemonSet"))
        && object["apiVersion"].as_str().is_some_and(|version| version.starts_with("apps/"))
}

/// Whether it is one of the kinds that Kubernetes itself keeps replicas of.
fn is_kubernetes_own(object: &Value) -> bool {
    let replicates = matches!(object["kind"].as_str(), Some("ReplicaSet" | "ReplicationController"));
    is_workload(object)
        || (replicates && object["apiVersion"].as_str().is_some_and(|version| matches!(version, "v1" | "apps/v1")))
}

/// How many replicas there shall be; `None`: it has none.
fn replicas(object: &Value) -> Option<i64> {
    object["spec"]["replicas"].as_i64().or_else(|| is_workload(object).then_some(1))
}

fn count(status: &Value, field: &str) -> i64 {
    status[field].as_i64().unwrap_or(0)
}

fn waits(why: impl Into<String>) -> Progress {
    Progress::UnderWay(why.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "so that tests can say it in place")]
    fn workload(kind: &str, spec: Value, status: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a", "generation": 2}, "spec": spec, "status": status})
    }

    fn is_under_way(object: &Value) -> bool {
        matches!(progress(object), Progress::UnderWay(_))
    }

    #[test]
    fn a_deployment_is_through_when_its_controller_saw_it_and_all_replicas_are_new_and_available() {
        let status = |observed: u8, all: u8, updated: u8, available: u8| {
            workload(
                "Deployment",
                json!({"replicas": 2}),
                json!({"observedGeneration": observed, "replicas": all, "updatedReplicas": updated,
                       "readyReplicas": available, "availableReplicas": available}),
            )
        };
        assert_eq!(progress(&status(2, 2, 2, 2)), Progress::Through);
        for (observed, all, updated, available) in [(1, 2, 2, 2), (2, 3, 1, 3), (2, 3, 2, 2), (2, 2, 2, 1)] {
            assert!(is_under_way(&status(observed, all, updated, available)), "{observed} {all} {updated} {available}");
        }
        assert!(is_under_way(&workload("Deployment", json!({}), json!({}))));
    }

    #[test]
    fn a_deployment_that_missed_its_deadline_has_failed_and_a_paused_one_is_not_disrupted() {
        let conditions = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]);
        let missed = workload("Deployment", json!({}), json!({"observedGeneration": 2, "conditions": conditions}));
        assert_eq!(progress(&missed), Progress::Failed("timed out".into()));
        assert_eq!(progress(&workload("Deployment", json!({"paused": true}), json!({}))), Progress::Through);
    }

    #[test]
    fn a_stateful_set_is_through_up_to_its_partition() {
        let set = |partition: u8, updated: u8, available: u8| {
            let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
            let status = json!({"observedGeneration": 2, "updatedReplicas": updated, "availableReplicas": available});
            workload("StatefulSet", json!({"replicas": 3, "updateStrategy": strategy}), status)
        };
        assert_eq!((progress(&set(0, 3, 3)), progress(&set(2, 1, 3))), (Progress::Through, Progress::Through));
        assert!(is_under_way(&set(0, 2, 3)) && is_under_way(&set(0, 3, 2)));
        let by_hand = workload("StatefulSet", json!({"updateStrategy": {"type": "OnDelete"}}), json!({}));
        assert_eq!(progress(&by_hand), Progress::Through);
    }

    #[test]
    fn what_is_ready_and_not_yet_available_is_still_on_its_way() {
        for kind in ["Deployment", "StatefulSet", "ReplicaSet"] {
            let counts = |available: Option<u8>| {
                let mut status =
                    json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2});
                if let Some(available) = available {
                    status["availableReplicas"] = json!(available);
                }
                workload(kind, json!({"replicas": 2, "minReadySeconds": 10}), status)
            };
            assert!(is_under_way(&counts(None)) && is_under_way(&counts(Some(1))), "{kind}");
            assert!(!is_complete(&counts(None)) && !is_complete(&counts(Some(1))), "{kind}");
            assert_eq!(
                (progress(&counts(Some(2))), is_complete(&counts(Some(2)))),
                (Progress::Through, true),
                "{kind}"
            );
        }
        let daemons = |available: u8| {
            let status = json!({"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3,
                                "numberReady": 3, "numberAvailable": available});
            workload("DaemonSet", json!({"minReadySeconds": 10}), status)
        };
        assert!(is_under_way(&daemons(2)) && !is_complete(&daemons(2)));
        assert_eq!((progress(&daemons(3)), is_complete(&daemons(3))), (Progress::Through, true));
    }

    #[test]
    fn a_kind_of_others_that_counts_only_what_is_ready_is_taken_at_its_word() {
        let theirs = |status: Value| json!({"apiVersion": "example.com/v1", "kind": "Rollout", "spec": {"replicas": 2}, "status": status});
        assert_eq!(progress(&theirs(json!({"readyReplicas": 2}))), Progress::Through);
        assert!(is_under_way(&theirs(json!({"readyReplicas": 2, "availableReplicas": 1}))));
    }

    #[test]
    fn a_daemon_set_is_through_when_every_node_has_the_new_pod() {
        let set = |updated: u8, available: u8| {
            let status = json!({"observedGeneration": 2, "desiredNumberScheduled": 5, "updatedNumberScheduled": updated,
                                "numberAvailable": available});
            workload("DaemonSet", json!({}), status)
        };
        assert_eq!(progress(&set(5, 5)), Progress::Through);
        assert!(is_under_way(&set(4, 5)) && is_under_way(&set(5, 4)));
    }

    #[test]
    fn what_has_no_status_is_through_at_once_and_what_says_that_it_is_not_ready_is_not() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        assert_eq!(progress(&map), Progress::Through);
        let conditions = json!([{"type": "Ready", "status": "False", "message": "no certificate"}]);
        let gateway = json!({"kind": "Gateway", "metadata": {"generation": 1}, "status": {"conditions": conditions}});
        assert_eq!(progress(&gateway), Progress::UnderWay("it is not ready: no certificate".into()));
    }

    #[test]
    fn an_owner_is_complete_when_as_many_are_available_as_there_shall_be() {
        let set = |available: u8| json!({"apiVersion": "v1", "kind": "ReplicationController", "spec": {"replicas": 2}, "status": {"availableReplicas": available}});
        assert!(is_complete(&set(2)) && !is_complete(&set(1)));
    }
}
