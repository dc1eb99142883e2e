//! Pods that should have a sidecar and have none.

use super::*;

/// A pod without a sidecar.
fn bare() -> Value {
    let mut pod = pod(NEW);
    pod["metadata"]["annotations"] = json!({});
    pod["spec"] = json!({"containers": [{"name": "cart", "image": "cart:1"}]});
    pod
}

/// Whether a pod without a sidecar is restarted to get one, with these labels on its namespace.
fn is_restarted_in(namespace: &Value, pod: &Value, config: &Value) -> bool {
    let mut config = config.clone();
    config["image"] = json!(NEW);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": namespace}});
    let outcome = reconciled(&with(cart_with(pod), &namespace), &json!({}), &config);
    outcome.patches.iter().any(|patch| patch.reason == "restarted: it has no sidecar")
}

fn is_restarted(namespace: &Value, labels: &Value, annotations: &Value) -> bool {
    let mut pod = bare();
    pod["metadata"]["labels"] = labels.clone();
    pod["metadata"]["annotations"] = annotations.clone();
    is_restarted_in(namespace, &pod, &json!({}))
}

#[test]
fn a_pod_is_injected_by_the_rules_of_the_webhook() {
    let inject = |value: &str| json!({"sidecar.istio.io/inject": value});
    let rev = |value: &str| json!({"istio.io/rev": value});
    let none = json!({});
    let injection = |value: &str| json!({"istio-injection": value});
    for (namespace, labels, annotations, expected) in [
        (injection("enabled"), none.clone(), none.clone(), true),
        (injection("disabled"), none.clone(), none.clone(), false),
        (injection("disabled"), inject("true"), none.clone(), false),
        (none.clone(), none.clone(), none.clone(), false),
        (none.clone(), inject("true"), none.clone(), true),
        (none.clone(), none.clone(), inject("true"), false),
        (injection("enabled"), inject("false"), none.clone(), false),
        (injection("enabled"), none.clone(), inject("false"), false),
        (injection("enabled"), inject("true"), inject("false"), true),
        (rev("default"), none.clone(), none.clone(), true),
        (rev("canary"), none.clone(), none.clone(), false),
        (rev("canary"), rev("default"), none.clone(), false),
        (none.clone(), rev("default"), none.clone(), true),
        (none.clone(), rev("canary"), inject("true"), false),
        (none.clone(), json!({"istio.io/rev": "canary", "sidecar.istio.io/inject": "true"}), none.clone(), false),
    ] {
        assert_eq!(is_restarted(&namespace, &labels, &annotations), expected, "{namespace} {labels} {annotations}");
    }
}

#[test]
fn a_tag_is_another_name_of_the_revision() {
    let config = json!({"revision": "1-31-0", "tags": ["stable"]});
    assert!(is_restarted_in(&json!({"istio.io/rev": "stable"}), &bare(), &config));
    assert!(is_restarted_in(&json!({"istio.io/rev": "1-31-0"}), &bare(), &config));
    assert!(!is_restarted_in(&json!({"istio-injection": "enabled"}), &bare(), &config));
    assert!(is_restarted_in(
        &json!({"istio-injection": "enabled"}),
        &bare(),
        &json!({"revision": "1-31-0", "tags": ["default"]})
    ));
}

#[test]
fn a_pod_on_the_host_network_is_never_injected() {
    let mut pod = bare();
    pod["spec"]["hostNetwork"] = json!(true);
    assert!(!is_restarted_in(&json!({"istio-injection": "enabled"}), &pod, &json!({})));
}

#[test]
fn system_namespaces_and_the_control_planes_are_never_injected() {
    for name in ["kube-system", "kube-public", "istio-system", "mesh"] {
        let mut objects = cart().to_vec();
        objects.push(bare());
        for object in &mut objects {
            object["metadata"]["namespace"] = json!(name);
        }
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"istio-injection": "enabled"}}});
        let cluster = objects.iter().fold(with(Cluster::new(), &namespace), with);
        let restarts = |namespace: &str| {
            restarted(&reconciled(&cluster, &json!({}), &json!({"image": NEW, "namespace": namespace}))).len()
        };
        assert_eq!(restarts(if name == "mesh" { "mesh" } else { "istio-system" }), 0, "{name}");
        assert_eq!(restarts("elsewhere"), usize::from(["istio-system", "mesh"].contains(&name)), "{name}");
    }
}

#[test]
fn restarts_for_missing_sidecars_can_be_disabled() {
    assert!(!is_restarted_in(&json!({"istio-injection": "enabled"}), &bare(), &json!({"missingSidecars": false})));
}

#[test]
fn a_pod_in_a_missing_namespace_is_not_injected() {
    let cluster = cart().iter().chain([&bare()]).fold(Cluster::new(), with);
    assert!(outcome(&cluster).patches.is_empty());
}
