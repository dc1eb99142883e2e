//! Where it is said how sidecars shall be.

use super::*;

/// What Istio's chart writes for its injector.
fn injector(tag: &str, cpu: &str, cni: bool) -> Value {
    let values = json!({
        "global": {"hub": "hub.example.com/istio", "tag": tag, "variant": "",
                   "proxy": {"image": "proxyv2", "resources": {"limits": {"cpu": cpu, "memory": "1024Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}}},
        "pilot": {"cni": {"enabled": cni}}, "revision": "",
    });
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-sidecar-injector", "namespace": "istio-system"},
           "data": {"values": values.to_string(), "config": "{{ not looked at }}"}})
}

fn mesh(text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": text}})
}

fn reasons(outcome: &Outcome) -> Vec<&str> {
    outcome.patches.iter().map(|patch| patch.reason.as_str()).collect()
}

#[test]
fn the_injector_says_how_sidecars_are_made_without_any_configuration() {
    let cluster = with(cart_with(&pod(OLD)), &injector("1.31.0", "2000m", true));
    let outcome = answer(&cluster, &json!({}), &json!({}));
    assert_eq!(reasons(&outcome), [format!("restarted: its image is {OLD}, not {NEW}")]);
    let cluster = with(cart_with(&pod(NEW)), &injector("1.31.0", "2000m", true));
    assert_eq!(reasons(&answer(&cluster, &json!({}), &json!({}))), Vec::<&str>::new());
    let cluster = with(cart_with(&pod(NEW)), &injector("1.31.0", "3", false));
    let why = "restarted: limits.cpu is 2, not 3; its traffic is set up by the CNI plugin, not by itself";
    assert_eq!(reasons(&answer(&cluster, &json!({}), &json!({}))), [why]);
}

#[test]
fn what_the_injector_does_not_do_yet_is_no_reason_to_restart() {
    let cluster = with(cart_with(&pod(NEW)), &injector("1.31.0", "2000m", true));
    let spec = json!({"components": {"proxy": {"k8s": {"resources": {"limits": {"cpu": "3"}}}}}});
    assert_eq!(reasons(&answer(&cluster, &spec, &json!({}))), Vec::<&str>::new());
    let config = json!({"followInjector": false, "image": NEW});
    assert_eq!(reasons(&answer(&cluster, &spec, &config)), ["restarted: limits.cpu is 2, not 3"]);
}

#[test]
fn the_mesh_configuration_says_how_proxies_are_set_up() {
    let text = "accessLogFile: /dev/stdout\ndefaultConfig:\n  proxyMetadata:\n    ISTIO_META_DNS_CAPTURE: \"true\"\n\
                enablePrometheusMerge: false\ntrustDomain: a.example.com\n";
    let mut seen = pod(NEW);
    seen["spec"]["containers"][1]["env"] = json!([{"name": "TRUST_DOMAIN", "value": "cluster.local"}]);
    seen["metadata"]["annotations"]["prometheus.io/path"] = json!("/stats/prometheus");
    seen["metadata"]["annotations"]["prometheus.io/port"] = json!("15020");
    let cluster = [injector("1.31.0", "2", true), mesh(text)].iter().fold(cart_with(&seen), with);
    let why = "restarted: its metrics are merged with its workload's; it does not answer DNS queries; \
               its trust domain is cluster.local, not a.example.com";
    assert_eq!(reasons(&answer(&cluster, &json!({}), &json!({}))), [why]);
}

#[test]
fn a_revision_has_its_own_injector() {
    let mut other = injector("1.31.0", "2", true);
    other["metadata"]["name"] = json!("istio-sidecar-injector-canary");
    let mut moved = pod(OLD);
    moved["metadata"]["annotations"]["istio.io/rev"] = json!("canary");
    let cluster = with(cart_with(&moved), &other);
    let outcome = answer(&cluster, &json!({}), &json!({"revision": "canary"}));
    assert_eq!(reasons(&outcome), [format!("restarted: its image is {OLD}, not {NEW}")]);
}

#[test]
fn nothing_is_restarted_on_a_guess() {
    let outcome = answer(&cart_with(&pod(OLD)), &json!({}), &json!({}));
    assert_eq!((outcome.patches.len(), outcome.deletions.len()), (0, 0));
    let mizzen_sdk::Readiness::Progressing(why) = outcome.readiness else { panic!() };
    assert!(why.contains("istio-sidecar-injector") && why.contains("`image`"), "{why}");
}

#[test]
fn an_injector_that_can_not_be_understood_is_passing_trouble_and_named() {
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
