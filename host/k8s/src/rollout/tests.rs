use serde_json::json;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "tests build specs and statuses in place")]
fn workload(kind: &str, spec: Value, status: Value) -> Value {
    let metadata = json!({"name": "a", "generation": 2});
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status})
}

fn pending(object: &Value) -> Pending {
    match Status::of(object) {
        Status::InProgress(pending) => pending,
        other => panic!("{other:?}"),
    }
}

fn is_available(object: &Value) -> bool {
    Availability::of(object).is_none_or(Availability::is_complete)
}

fn unavailable(available: i64, desired: i64) -> Pending {
    Pending::Unavailable(Availability { available, desired })
}

#[test]
fn a_deployment_is_complete_when_its_controller_saw_it_and_all_pods_are_new_and_available() {
    let deployment = |observed: u8, all: u8, updated: u8, available: u8| {
        let status = json!({"observedGeneration": observed, "replicas": all, "updatedReplicas": updated,
                            "readyReplicas": available, "availableReplicas": available});
        workload("Deployment", json!({"replicas": 2}), status)
    };
    assert_eq!(Status::of(&deployment(2, 2, 2, 2)), Status::Complete);
    assert_eq!(pending(&deployment(1, 2, 2, 2)), Pending::Unobserved);
    assert_eq!(pending(&deployment(2, 3, 1, 3)), Pending::Updating { updated: 1, desired: 2 });
    assert_eq!(pending(&deployment(2, 3, 2, 2)), Pending::OldPods(1));
    assert_eq!(pending(&deployment(2, 2, 2, 1)), unavailable(1, 2));
    assert_eq!(pending(&workload("Deployment", json!({}), json!({}))), Pending::Unobserved);
}

#[test]
fn a_deployment_that_is_scaled_down_has_no_old_pods() {
    let status = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3});
    assert_eq!(Status::of(&workload("Deployment", json!({"replicas": 2}), status)), Status::Complete);
}

#[test]
fn a_deployment_that_missed_its_progress_deadline_has_failed() {
    let conditions = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                             "message": "timed out"}]);
    let missed = workload("Deployment", json!({}), json!({"observedGeneration": 2, "conditions": conditions}));
    assert_eq!(Status::of(&missed), Status::Failed("timed out".into()));
    let unobserved = workload("Deployment", json!({}), json!({"observedGeneration": 1, "conditions": conditions}));
    assert_eq!(pending(&unobserved), Pending::Unobserved, "the deadline is that of the change before");
}

#[test]
fn progressing_false_is_not_a_failure_without_a_missed_deadline() {
    let conditions = json!([{"type": "Progressing", "status": "False", "reason": "AsExpected"}]);
    let operator = json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator",
                          "status": {"conditions": conditions}});
    assert_eq!(Status::of(&operator), Status::Complete);
    let conditions = json!([{"type": "Progressing", "status": "False", "reason": "ReplicaSetCreateError"}]);
    let retried = workload("Deployment", json!({}), json!({"observedGeneration": 2, "conditions": conditions}));
    assert_eq!(pending(&retried), Pending::Updating { updated: 0, desired: 1 });
}

#[test]
fn a_custom_resource_that_is_stalled_has_failed() {
    let conditions = json!([{"type": "Stalled", "status": "True", "reason": "NoSpace"}]);
    let resource = json!({"apiVersion": "example.com/v1", "kind": "Volume", "status": {"conditions": conditions}});
    assert_eq!(Status::of(&resource), Status::Failed("NoSpace".into()));
}

#[test]
fn an_object_that_does_not_roll_by_itself_or_is_being_deleted_is_complete() {
    for spec in [json!({"paused": true}), json!({"updateStrategy": {"type": "OnDelete"}})] {
        assert_eq!(Status::of(&workload("StatefulSet", spec, json!({}))), Status::Complete);
    }
    let mut going = workload("Deployment", json!({}), json!({}));
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(Status::of(&going), Status::Complete);
}

#[test]
fn the_strategy_tells_what_a_change_of_the_template_does() {
    let of = |spec: Value| Strategy::of(&json!({"spec": spec}));
    assert_eq!(of(json!({})), Strategy::Rolling);
    assert_eq!(of(json!({"updateStrategy": {"rollingUpdate": {"partition": 0}}})), Strategy::Rolling);
    assert_eq!(of(json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}})), Strategy::Partitioned(2));
    assert_eq!(of(json!({"updateStrategy": {"type": "OnDelete"}})), Strategy::OnDelete);
    assert_eq!(of(json!({"paused": true})), Strategy::Paused);
}

#[test]
fn a_stateful_set_is_complete_when_it_is_updated_up_to_its_partition() {
    let set = |partition: u8, updated: u8, available: u8| {
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
        let status = json!({"observedGeneration": 2, "updatedReplicas": updated, "availableReplicas": available,
                            "currentRevision": "a", "updateRevision": if partition > 0 { "b" } else { "a" }});
        workload("StatefulSet", json!({"replicas": 3, "updateStrategy": strategy}), status)
    };
    assert_eq!(Status::of(&set(0, 3, 3)), Status::Complete);
    assert_eq!(Status::of(&set(2, 1, 3)), Status::Complete);
    assert_eq!(Status::of(&set(4, 0, 3)), Status::Complete);
    assert_eq!(pending(&set(0, 2, 3)), Pending::Updating { updated: 2, desired: 3 });
    assert_eq!(pending(&set(2, 0, 3)), Pending::Updating { updated: 0, desired: 3 });
    assert_eq!(pending(&set(0, 3, 2)), unavailable(2, 3));
}

#[test]
fn a_stateful_set_is_not_complete_before_its_latest_revision_is_current() {
    let status = |current: &str| {
        json!({"observedGeneration": 2, "updatedReplicas": 1, "availableReplicas": 1,
               "currentRevision": current, "updateRevision": "b"})
    };
    assert_eq!(pending(&workload("StatefulSet", json!({}), status("a"))), Pending::Revision);
    assert_eq!(Status::of(&workload("StatefulSet", json!({}), status("b"))), Status::Complete);
}

#[test]
fn pods_that_are_ready_and_not_available_yet_do_not_complete_a_rollout() {
    for kind in ["Deployment", "StatefulSet", "ReplicaSet"] {
        let counts = |available: Option<u8>| {
            let mut status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2});
            if let Some(available) = available {
                status["availableReplicas"] = json!(available);
            }
            workload(kind, json!({"replicas": 2, "minReadySeconds": 10}), status)
        };
        assert_eq!((pending(&counts(None)), is_available(&counts(None))), (unavailable(0, 2), false), "{kind}");
        assert_eq!((pending(&counts(Some(1))), is_available(&counts(Some(1)))), (unavailable(1, 2), false), "{kind}");
        let all = counts(Some(2));
        assert_eq!((Status::of(&all), is_available(&all)), (Status::Complete, true), "{kind}");
    }
}

#[test]
fn a_daemon_set_is_complete_when_every_node_has_the_new_pod_and_it_is_available() {
    let set = |updated: u8, available: u8| {
        let status = json!({"observedGeneration": 2, "desiredNumberScheduled": 5, "updatedNumberScheduled": updated,
                            "numberReady": 5, "numberAvailable": available});
        workload("DaemonSet", json!({"minReadySeconds": 10}), status)
    };
    assert_eq!((Status::of(&set(5, 5)), is_available(&set(5, 5))), (Status::Complete, true));
    assert_eq!(pending(&set(4, 5)), Pending::Updating { updated: 4, desired: 5 });
    assert_eq!((pending(&set(5, 4)), is_available(&set(5, 4))), (unavailable(4, 5), false));
}

#[test]
fn a_daemon_set_that_no_node_runs_is_complete() {
    let set = workload("DaemonSet", json!({}), json!({"observedGeneration": 2, "desiredNumberScheduled": 0}));
    assert_eq!((Status::of(&set), is_available(&set)), (Status::Complete, true));
}

#[test]
fn a_kind_that_counts_only_ready_pods_is_judged_by_them() {
    let theirs = |status: Value| {
        json!({"apiVersion": "example.com/v1", "kind": "Rollout",
        "spec": {"replicas": 2}, "status": status})
    };
    assert_eq!(Status::of(&theirs(json!({"readyReplicas": 2}))), Status::Complete);
    assert_eq!(pending(&theirs(json!({"readyReplicas": 2, "availableReplicas": 1}))), unavailable(1, 2));
    let same_name = json!({"apiVersion": "apps.kruise.io/v1", "kind": "ReplicaSet", "spec": {"replicas": 1},
                           "status": {"readyReplicas": 1}});
    assert_eq!(Status::of(&same_name), Status::Complete);
}

#[test]
fn an_object_without_a_status_is_complete_and_one_that_is_not_ready_is_not() {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    assert_eq!((Status::of(&map), Availability::of(&map)), (Status::Complete, None));
    let conditions = json!([{"type": "Ready", "status": "False", "message": "no certificate"}]);
    let gateway = json!({"kind": "Gateway", "metadata": {"generation": 1}, "status": {"conditions": conditions}});
    assert_eq!(Status::of(&gateway), Status::InProgress(Pending::NotReady("no certificate".into())));
}

#[test]
fn a_replication_controller_is_available_when_as_many_pods_are_as_the_spec_asks_for() {
    let set = |available: u8| {
        json!({"apiVersion": "v1", "kind": "ReplicationController", "spec": {"replicas": 2},
               "status": {"availableReplicas": available}})
    };
    assert!(is_available(&set(2)) && !is_available(&set(1)));
}

#[test]
fn a_status_is_described_in_words() {
    let words = |pending: Pending| Status::InProgress(pending).to_string();
    assert_eq!(words(Pending::OldPods(1)), "1 old pod is left");
    assert_eq!(words(unavailable(1, 2)), "1 of 2 pods are available");
    assert_eq!(Status::Failed("timed out".into()).to_string(), "the rollout failed: timed out");
}
