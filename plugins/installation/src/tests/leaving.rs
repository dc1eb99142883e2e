//! Removal of Istio.

use super::*;

fn leave(cluster: &Cluster) -> Outcome {
    testing::finalize::<Installation>(cluster, &istio(&json!({})), &json!({})).unwrap()
}

fn there() -> Cluster {
    installed(cluster(&["1.31.0"]), "1.31.0")
}

fn rule(name: &str, labels: &str) -> String {
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: DestinationRule, \
         metadata: {{name: {name}, namespace: shop, labels: {labels}}}}}"
    )
}

#[test]
fn a_users_resource_blocks_the_deletion() {
    let outcome = leave(&there().with(&rule("r", "{}")));
    assert_eq!((&outcome.desired, outcome.readiness.clone()), (&None, Readiness::Failed(reported(&outcome).1.into())));
    assert_eq!(
        reported(&outcome),
        (
            "IstioCustomResourcesDangling",
            "Istio is not removed while users' resources need it; delete DestinationRule shop/r"
        )
    );
}

#[test]
fn five_blocking_resources_are_named_and_the_others_counted() {
    let full = (0..8).fold(there(), |cluster, at| cluster.with(&rule(&format!("r{at}"), "{}")));
    let outcome = leave(&full);
    assert!(reported(&outcome).1.ends_with("shop/r4 and 3 more"), "{}", reported(&outcome).1);
}

#[test]
fn resources_of_reconcilers_and_kyma_do_not_block() {
    let made = ["{mizzen.dev/owner: o}", "{kyma-project.io/module: istio}"];
    let there =
        made.iter().enumerate().fold(there(), |cluster, (at, labels)| cluster.with(&rule(&format!("r{at}"), labels)));
    assert_eq!(reported(&leave(&there)).0, "IstioUninstallInProgress");
}

#[test]
fn a_kind_that_is_not_served_does_not_block() {
    let there = there().without_kind(Kind::new("extensions.istio.io/v1alpha1", "TrafficExtension"));
    assert_eq!(reported(&leave(&there)).0, "IstioUninstallInProgress");
}

#[test]
fn everything_is_deleted_before_workloads_are_restarted() {
    let outcome = leave(&there());
    assert_eq!((outcome.desired.as_deref(), outcome.so_far), (Some(&[][..]), false));
    assert!(outcome.patches.is_empty());
    let injector = "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, \
        metadata: {name: istio-sidecar-injector}}";
    let outcome = leave(&cluster(&["1.31.0"]).with(injector));
    assert!(matches!(outcome.readiness, Readiness::Progressing(_)), "a new pod would get a sidecar again");
}

#[test]
fn another_partys_istio_is_not_removed() {
    assert_eq!(leave(&cluster(&[]).with(&rule("r", "{}"))).readiness, Readiness::Ready);
    let users = foreign(cluster(&["1.31.0"]), "istio/pilot:1.31.0", 1).with(&rule("r", "{}"));
    assert_eq!((leave(&users).readiness, leave(&users).desired), (Readiness::Ready, None));
}

#[test]
fn a_subject_that_is_not_the_oldest_removes_nothing() {
    let older = istio(&json!({})).replace("\"default\"", "\"other\"").replace("2026-01-02", "2026-01-01");
    let outcome = leave(&there().with(&older));
    assert_eq!((outcome.readiness, outcome.desired), (Readiness::Ready, None));
}

/// A pod with a sidecar, of a StatefulSet whose pod is ready or not.
fn with_sidecar(kind: &str, template: &Value, ready: bool) -> Cluster {
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "shop", "generation": 1},
        "spec": {"replicas": 1, "template": {"metadata": {"annotations": template}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": u8::from(ready),
                   "availableReplicas": u8::from(ready)}});
    let pod = |name: &str, namespace: &str| {
        json!({"apiVersion": "v1", "kind": "Pod",
               "metadata": {"name": name, "namespace": namespace, "uid": "u",
                   "annotations": {"sidecar.istio.io/status": "{}"},
                            "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": "db",
                                "controller": true}]},
               "status": {"conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}})
        .to_string()
    };
    cluster(&["1.31.0"])
        .with(&set.to_string())
        .with(&pod("db-0", "shop"))
        .with(&pod("istio-ingressgateway-0", "istio-system"))
}

#[test]
fn workloads_lose_their_sidecars_after_istio_is_removed() {
    let outcome = leave(&with_sidecar("StatefulSet", &json!({}), true));
    assert_eq!(reported(&outcome).1, "workloads are restarted without their sidecars: StatefulSet shop/db");
    let [patch] = outcome.patches.as_slice() else { panic!("{:?}", outcome.patches) };
    assert_eq!((&*patch.object.name, &patch.pace), ("db", &None));
    // The template is patched, and the pod not replaced yet.
    let mark = &patch.fragment["spec"]["template"]["metadata"]["annotations"];
    let again = leave(&with_sidecar("StatefulSet", mark, true));
    assert!(again.patches.is_empty() && matches!(again.readiness, Readiness::Progressing(_)));
}

#[test]
fn workloads_are_restarted_at_the_configured_pace() {
    let config = json!({"restartPace": "slowly"});
    let there = with_sidecar("StatefulSet", &json!({}), true);
    let outcome = testing::finalize::<Installation>(&there, &istio(&json!({})), &config).unwrap();
    assert_eq!(outcome.patches[0].pace.as_deref(), Some("slowly"));
}

#[test]
fn workloads_that_can_not_be_restarted_do_not_block_and_are_reported() {
    for (there, name) in [
        (with_sidecar("Job", &json!({}), true), "Job shop/db"),
        (with_sidecar("StatefulSet", &json!({}), false), "StatefulSet shop/db (0 of 1 pods are available)"),
    ] {
        let outcome = leave(&there);
        assert_eq!(outcome.readiness, Readiness::Ready);
        assert!(outcome.events[0].message.ends_with(name), "{:?}", outcome.events);
    }
}
