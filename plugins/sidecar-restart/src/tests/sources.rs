//! Sources of the desired proxy.

use super::*;

/// The ConfigMap that Istio's chart writes for its injector.
fn injector(tag: &str, cpu: &str, cni: bool) -> Value {
    let values = json!({
        "global": {"hub": "hub.example.com/istio", "tag": tag, "variant": "",
                   "proxy": {"image": "proxyv2",
                       "resources": {"limits": {"cpu": cpu, "memory": "1024Mi"},
                           "requests": {"cpu": "100m", "memory": "128Mi"}}}},
        "pilot": {"cni": {"enabled": cni}}, "revision": "",
    });
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "istio-sidecar-injector", "namespace": "istio-system"},
           "data": {"values": values.to_string(), "config": "{{ not looked at }}"}})
}

fn mesh(text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": text}})
}

fn reasons(outcome: &Outcome) -> Vec<&str> {
    outcome.patches.iter().map(|patch| patch.reason.as_str()).collect()
}

#[test]
fn without_configuration_the_injector_determines_sidecars() {
    let cluster = with(cart_with(&pod(OLD)), &injector("1.31.0", "2000m", true));
    let outcome = reconciled(&cluster, &json!({}), &json!({}));
    assert_eq!(reasons(&outcome), [format!("restarted: its image is {OLD}, not {NEW}")]);
    let cluster = with(cart_with(&pod(NEW)), &injector("1.31.0", "2000m", true));
    assert_eq!(reasons(&reconciled(&cluster, &json!({}), &json!({}))), Vec::<&str>::new());
    let cluster = with(cart_with(&pod(NEW)), &injector("1.31.0", "3", false));
    let why = "restarted: limits.cpu is 2, not 3; the CNI plugin redirects its traffic, not an init container";
    assert_eq!(reasons(&reconciled(&cluster, &json!({}), &json!({}))), [why]);
}

#[test]
fn settings_that_the_injector_does_not_have_yet_cause_no_restart() {
    let cluster = with(cart_with(&pod(NEW)), &injector("1.31.0", "2000m", true));
    let spec = json!({"components": {"proxy": {"k8s": {"resources": {"limits": {"cpu": "3"}}}}}});
    assert_eq!(reasons(&reconciled(&cluster, &spec, &json!({}))), Vec::<&str>::new());
    let config = json!({"followInjector": false, "image": NEW});
    assert_eq!(reasons(&reconciled(&cluster, &spec, &config)), ["restarted: limits.cpu is 2, not 3"]);
}

#[test]
fn the_mesh_configuration_determines_proxies() {
    let text = "accessLogFile: /dev/stdout\ndefaultConfig:\n  proxyMetadata:\n    ISTIO_META_DNS_CAPTURE: \"true\"\n\
                enablePrometheusMerge: false\ntrustDomain: a.example.com\n";
    let mut seen = pod(NEW);
    seen["spec"]["containers"][1]["env"] = json!([{"name": "TRUST_DOMAIN", "value": "cluster.local"}]);
    seen["metadata"]["annotations"]["prometheus.io/path"] = json!("/stats/prometheus");
    seen["metadata"]["annotations"]["prometheus.io/port"] = json!("15020");
    let cluster = [injector("1.31.0", "2", true), mesh(text)].iter().fold(cart_with(&seen), with);
    let why = "restarted: its metrics are merged with its workload's; it does not resolve DNS queries; \
               its trust domain is cluster.local, not a.example.com";
    assert_eq!(reasons(&reconciled(&cluster, &json!({}), &json!({}))), [why]);
}

#[test]
fn a_revision_has_its_own_injector() {
    let mut other = injector("1.31.0", "2", true);
    other["metadata"]["name"] = json!("istio-sidecar-injector-canary");
    let mut moved = pod(OLD);
    moved["metadata"]["annotations"]["istio.io/rev"] = json!("canary");
    let cluster = with(cart_with(&moved), &other);
    let outcome = reconciled(&cluster, &json!({}), &json!({"revision": "canary"}));
    assert_eq!(reasons(&outcome), [format!("restarted: its image is {OLD}, not {NEW}")]);
}

#[test]
fn nothing_is_restarted_while_the_image_is_unknown() {
    let outcome = reconciled(&cart_with(&pod(OLD)), &json!({}), &json!({}));
    assert_eq!((outcome.patches.len(), outcome.deletions.len()), (0, 0));
    let mizzen_sdk::Readiness::Progressing(why) = outcome.readiness else { panic!() };
    assert!(why.contains("istio-sidecar-injector") && why.contains("`image`"), "{why}");
}

#[test]
fn an_invalid_configmap_of_the_injector_is_a_temporary_failure_and_named() {
    let mut broken = injector("1.31.0", "2", true);
    broken["data"]["values"] = json!("{");
    let istio = "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: a, namespace: b}}";
    let cluster = with(cart_with(&pod(OLD)), &broken);
    let failure = testing::reconcile::<SidecarRestart>(&cluster, istio, &json!({})).unwrap_err();
    assert!(
        matches!(&failure, Failure::Retry(why) if why.contains("istio-system/istio-sidecar-injector")),
        "{failure:?}"
    );
}
