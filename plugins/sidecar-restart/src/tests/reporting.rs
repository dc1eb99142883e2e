//! Reports: events, conditions, status.

use mizzen_sdk::{Condition, Readiness};

use super::*;

fn condition(outcome: &Outcome) -> (Option<bool>, &str, &str) {
    let [Condition { kind, status, reason, message }] = outcome.conditions.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(kind, "ProxySidecarRestartSucceeded");
    (*status, reason, message)
}

fn bare_pods(count: usize) -> Cluster {
    (0..count).fold(shop(), |cluster, at| {
        let mut pod = pod(OLD);
        pod["metadata"]["name"] = json!(format!("p{at}"));
        pod["metadata"]["ownerReferences"] = json!([]);
        with(cluster, &pod)
    })
}

#[test]
fn a_restart_has_a_reason() {
    let outcome = outcome(&cart_with(&pod(OLD)));
    let [patch] = outcome.patches.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(
        (&*patch.object.kind.name, patch.object.namespace.as_deref(), &*patch.object.name),
        ("Deployment", Some("shop"), "cart")
    );
    assert_eq!(patch.reason, format!("restarted: its image is {OLD}, not {NEW}"));
    assert_eq!(outcome.events, [], "the host publishes an event when it disrupts a workload");
}

#[test]
fn without_outdated_sidecars_it_is_ready() {
    let outcome = outcome(&cart_with(&pod(NEW)));
    assert_eq!(condition(&outcome), (Some(true), "ProxySidecarRestartSucceeded", "every sidecar is up to date"));
    assert_eq!(outcome.readiness, Readiness::Ready);
}

#[test]
fn a_restart_in_progress_is_progressing() {
    let outcome = outcome(&cart_with(&pod(OLD)));
    assert_eq!(outcome.readiness, Readiness::Progressing("workloads are being restarted: Deployment shop/cart".into()));
    assert_eq!(condition(&outcome).0, None);
}

#[test]
fn five_workloads_to_restart_by_hand_are_named_and_the_others_counted() {
    let outcome = outcome(&bare_pods(7));
    let message =
        "must be restarted by hand: Pod shop/p0, Pod shop/p1, Pod shop/p2, Pod shop/p3, Pod shop/p4 and 2 more";
    assert_eq!(condition(&outcome), (Some(false), "ProxySidecarManualRestartRequired", message));
    assert_eq!(outcome.readiness, Readiness::Warning(message.into()), "successors may run");
    let manual = &outcome.status.as_ref().unwrap()["sidecars"]["manual"];
    assert_eq!((&manual["count"], manual["names"].as_array().unwrap().len()), (&json!(7), 5));
}

#[test]
fn a_restart_without_effect_is_a_failure() {
    let before = cart_with(&pod(OLD));
    let mut again = pod(OLD);
    again["metadata"]["annotations"][MARK] = json!(mark(&before));
    let outcome = outcome(&with(before, &again));
    let (status, reason, message) = condition(&outcome);
    assert_eq!((status, reason), (Some(false), "ProxySidecarRestartFailed"));
    assert!(message.starts_with("a restart had no effect: Deployment shop/cart"), "{message}");
}

#[test]
fn every_field_of_the_status_is_always_there() {
    let status = outcome(&cart_with(&pod(NEW))).status.unwrap();
    let nothing = json!({"count": 0, "names": []});
    assert_eq!(
        status,
        json!({"sidecars": {"image": NEW, "restarting": nothing, "pending": nothing, "manual": nothing,
                            "excluded": nothing, "unhelped": nothing}})
    );
}

#[test]
fn the_status_of_another_crd_has_no_names() {
    let kyma = json!({"apiVersion": "operator.kyma-project.io/v1alpha2", "kind": "Istio",
                      "metadata": {"name": "default", "namespace": "kyma-system"}, "spec": {}});
    let outcome =
        testing::reconcile::<SidecarRestart>(&bare_pods(1), &kyma.to_string(), &json!({"image": NEW})).unwrap();
    assert_eq!(outcome.status, None);
    assert_eq!(condition(&outcome).1, "ProxySidecarManualRestartRequired");
}

#[test]
fn unavailable_pods_are_a_temporary_failure() {
    let istio = "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: a, namespace: b}}";
    for kind in [Kind::new("v1", "Pod"), Kind::new("v1", "Namespace"), Kind::new("apps/v1", "ReplicaSet")] {
        let cluster = cart_with(&pod(OLD)).with_unavailable(kind.clone());
        let result = testing::reconcile::<SidecarRestart>(&cluster, istio, &json!({"image": NEW}));
        assert!(matches!(result, Err(Failure::Retry(_))), "{kind:?}");
    }
}

#[test]
fn an_unknown_setting_is_invalid() {
    let istio = "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: a, namespace: b}}";
    let result = testing::reconcile::<SidecarRestart>(&shop(), istio, &json!({"imgae": NEW}));
    assert!(matches!(result, Err(Failure::Invalid(why)) if why.contains("imgae")));
}
