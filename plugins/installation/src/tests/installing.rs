//! The steps of an installation, and of an upgrade.

use super::*;

const BASE: [&str; 2] = ["istio-system", "virtualservices"];
const PLANE: [&str; 6] = [
    "istio-system",
    "virtualservices",
    "istiod",
    "istio-cni-node",
    "istio-validator-istio-system",
    "istio-sidecar-injector",
];

#[test]
fn definitions_are_applied_first_and_awaited() {
    let outcome = reconciled(&cluster(&["1.31.0"]), &json!({}));
    assert_eq!((names(&outcome), outcome.so_far), (BASE.to_vec(), true));
    let (reason, message) = reported(&outcome);
    assert_eq!(reason, "IstioInstallInProgress");
    assert_eq!(message, "Istio 1.31.0 waits for virtualservices.networking.istio.io to be served");
}

#[test]
fn the_control_plane_is_applied_next_and_gateways_wait_for_it() {
    let outcome = reconciled(&served(cluster(&["1.31.0"]), "1.31.0", "v1"), &json!({}));
    assert_eq!((names(&outcome), outcome.so_far), (PLANE.to_vec(), true));
    assert!(reported(&outcome).1.contains("waits for Deployment istiod to exist"));
}

#[test]
fn gateways_are_applied_last_and_complete_the_set() {
    let outcome = reconciled(&plane(cluster(&["1.31.0"]), "1.31.0"), &json!({}));
    assert_eq!((names(&outcome).len(), outcome.so_far), (7, false));
    assert_eq!(names(&outcome).last(), Some(&"istio-ingressgateway"));
    assert_eq!(reported(&outcome).0, "IstioInstallInProgress");
}

#[test]
fn it_is_ready_when_everything_is_rolled_out_with_the_desired_images() {
    let outcome = reconciled(&installed(cluster(&["1.31.0"]), "1.31.0"), &json!({}));
    assert_eq!(outcome.readiness, Readiness::Ready);
    assert_eq!(reported(&outcome), ("IstioInstallSucceeded", "Istio 1.31.0 is installed"));
    assert!(!outcome.so_far);
}

#[test]
fn an_upgrade_has_the_same_steps_and_old_gateways_stay_until_the_control_plane_is_new() {
    let outcome = reconciled(&installed(cluster(&["1.30.2", "1.31.0"]), "1.30.2"), &json!({}));
    assert_eq!((names(&outcome), outcome.so_far), (PLANE.to_vec(), true));
    assert!(reported(&outcome).1.contains("Deployment istio-system/istiod to have the image hub/pilot:1.31.0"));
}

#[test]
fn a_rollout_is_awaited_and_a_missed_deadline_is_reported() {
    let istiod = |available, reason: &str| {
        let there = installed(cluster(&["1.31.0"]), "1.31.0");
        let mut istiod = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "istiod", "namespace": "istio-system", "generation": 3,
                         "labels": {"mizzen.dev/owner": "o", "app": "istiod"}},
            "spec": {"replicas": 2,
                "template": {"spec": {"containers": [{"name": "discovery", "image": "hub/pilot:1.31.0"}]}}},
            "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": available}});
        istiod["status"]["conditions"] = json!([{"type": "Progressing", "reason": reason}]);
        reconciled(&there.with(&istiod.to_string()), &json!({}))
    };
    let going = istiod(1, "ReplicaSetUpdated");
    assert!(matches!(going.readiness, Readiness::Progressing(_)) && going.so_far);
    assert!(reported(&going).1.contains("Deployment istio-system/istiod: 1 of 2 pods are available"));
    let stuck = istiod(1, "ProgressDeadlineExceeded");
    assert_eq!((reported(&stuck).0, names(&stuck).len()), ("IstioInstallUninstallFailed", 6));
}

#[test]
fn the_highest_version_is_installed_unless_the_configuration_names_another() {
    let there = cluster(&["1.9.0", "1.31.0", "1.30.2"]);
    assert!(reported(&reconciled(&there, &json!({}))).1.starts_with("Istio 1.31.0"));
    assert!(reported(&reconciled(&there, &json!({"version": "1.30.2"}))).1.starts_with("Istio 1.30.2"));
}

#[test]
fn objects_have_istioctls_labels_and_no_fields_that_the_server_writes() {
    let outcome = reconciled(&installed(cluster(&["1.31.0"]), "1.31.0"), &json!({}));
    for object in outcome.desired.iter().flatten() {
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["operator.istio.io/managed"], "Reconcile", "{object}");
        assert_eq!(labels["operator.istio.io/version"], "1.31.0", "{object}");
        assert_eq!((object.get("status"), object["metadata"].get("creationTimestamp")), (None, None), "{object}");
    }
}

#[test]
fn only_definitions_are_never_pruned() {
    let outcome = reconciled(&installed(cluster(&["1.31.0"]), "1.31.0"), &json!({}));
    for object in outcome.desired.iter().flatten() {
        let survives = object["metadata"]["annotations"]["mizzen.dev/prune"] == "never";
        assert_eq!(survives, object["kind"] == "CustomResourceDefinition", "{object}");
    }
}

#[test]
fn a_newer_definition_stays_unchanged() {
    for (label, stored) in [("1.32.0", "v1"), ("1.31.0", "v2")] {
        let outcome = reconciled(&served(installed(cluster(&["1.31.0"]), "1.31.0"), label, stored), &json!({}));
        assert!(!names(&outcome).contains(&"virtualservices"), "{label} {stored}");
        assert_eq!(outcome.readiness, Readiness::Ready);
        assert!(reported(&outcome).1.ends_with("left as they are: virtualservices.networking.istio.io"));
    }
}

#[test]
fn fields_that_istiod_writes_into_webhooks_are_left_to_it() {
    let before = installed(cluster(&["1.31.0"]), "1.31.0");
    let fail = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, \
                metadata: {name: istio-validator-istio-system}, \
                webhooks: [{name: rev.validation.istio.io, failurePolicy: Fail, clientConfig: {caBundle: eA==}}]}";
    let ignore = fail.replace("Fail", "Ignore");
    for (there, policy) in [
        (before.clone(), json!("Ignore")),
        (before.clone().with(&ignore), json!("Ignore")),
        (before.with(fail), Value::Null),
    ] {
        let outcome = reconciled(&there, &json!({}));
        assert_eq!(wanted(&outcome, "ValidatingWebhookConfiguration")["webhooks"][0]["failurePolicy"], policy);
        for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
            assert_eq!(wanted(&outcome, kind)["webhooks"][0]["clientConfig"].get("caBundle"), None, "{kind}");
        }
        assert_eq!(wanted(&outcome, "MutatingWebhookConfiguration")["webhooks"][0]["failurePolicy"], "Fail");
    }
}

#[test]
fn namespaces_can_be_excluded_from_injection() {
    let expression = json!({"key": "a", "operator": "DoesNotExist"});
    let there = installed(cluster(&["1.31.0"]), "1.31.0");
    let outcome = reconciled(&there, &json!({"injectorExpressions": [expression]}));
    let selector = &wanted(&outcome, "MutatingWebhookConfiguration")["webhooks"][0]["namespaceSelector"];
    assert_eq!(
        (selector["matchExpressions"].as_array().unwrap().len(), &selector["matchExpressions"][1]),
        (2, &expression)
    );
    assert_eq!(wanted(&outcome, "ValidatingWebhookConfiguration")["webhooks"][0].get("namespaceSelector"), None);
}

#[test]
fn an_existing_namespace_is_left_to_its_owner() {
    let namespace = |labels: &str| {
        let there = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: istio-system, labels: {labels}}}}}");
        cluster(&["1.31.0"]).with(&there)
    };
    let makes = |cluster: &Cluster, config: &Value| names(&reconciled(cluster, config)).contains(&"istio-system");
    assert!(makes(&cluster(&["1.31.0"]), &json!({})));
    assert!(makes(&namespace("{mizzen.dev/owner: o}"), &json!({})));
    assert!(!makes(&namespace("{}"), &json!({})));
    assert!(makes(&namespace("{}"), &json!({"adopt": true})));
    assert!(!makes(&cluster(&["1.31.0"]), &json!({"namespace": "mesh"})), "the subject lives there");
}

#[test]
fn the_size_is_detected_from_nodes_unless_configured() {
    let replicas = |cluster: Cluster, config: &Value| {
        let echo = cluster.with_renderer("istio-1.31.0", &[("istio.io/version", "1.31.0")], |document| {
            let pilot = &document["spec"]["components"]["pilot"]["k8s"]["hpaSpec"]["minReplicas"];
            Err(RenderError::Rejected(format!("{pilot}")))
        });
        reported(&reconciled(&echo, config)).1.rsplit(' ').next().unwrap().to_owned()
    };
    let small = "{apiVersion: v1, kind: Node, metadata: {name: node}, status: {capacity: {cpu: '4', memory: 64Gi}}}";
    assert_eq!(replicas(cluster(&[]), &json!({})), "2");
    assert_eq!(replicas(cluster(&[]).with(small), &json!({})), "1");
    assert_eq!(replicas(cluster(&[]).with(small), &json!({"size": "full"})), "2");
}
