//! What whoever watches the mesh can rely on.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{Cluster, reconcile};

use super::*;

const ISTIO: &str =
    "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}, spec: {}}";

fn desired(config: &Value) -> (Value, Value) {
    let outcome = reconcile::<Monitoring>(&Cluster::new(), ISTIO, config).unwrap();
    assert_eq!(outcome.readiness, Readiness::Ready);
    let [metrics, health] = <[Value; 2]>::try_from(outcome.desired.unwrap()).unwrap();
    (metrics, health)
}

fn invalid(subject: &str, config: &Value) -> String {
    match reconcile::<Monitoring>(&Cluster::new(), subject, config) {
        Err(Failure::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_control_plane_is_scraped() {
    let (metrics, _) = desired(&json!({"domain": "example.com"}));
    assert_eq!(
        metrics,
        json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "metadata": {"name": "istio-component-monitor", "namespace": "istio-system"},
            "spec": {
                "selector": {"matchExpressions": [{"key": "istio", "operator": "In", "values": ["pilot"]}]},
                "namespaceSelector": {"matchNames": ["istio-system"]},
                "endpoints": [{"port": "http-monitoring"}],
            },
        })
    );
}

#[test]
fn the_interval_is_the_operator_s_choice() {
    let (metrics, _) = desired(&json!({"domain": "example.com", "interval": "1m"}));
    assert_eq!(metrics["spec"]["endpoints"], json!([{"port": "http-monitoring", "interval": "1m"}]));
}

#[test]
fn health_is_seen_from_outside_through_the_gateway() {
    let (_, health) = desired(&json!({"domain": "example.com", "gateway": "canvas/component-gateway"}));
    assert_eq!(
        health,
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "istio-healthz", "namespace": "istio-system"},
            "spec": {
                "hosts": ["healthz.example.com"],
                "gateways": ["canvas/component-gateway"],
                "http": [{
                    "match": [{"uri": {"exact": "/healthz/ready"}}],
                    "route": [{"destination": {
                        "host": "istio-ingressgateway.istio-system.svc.cluster.local", "port": {"number": 15021},
                    }}],
                }],
            },
        })
    );
}

#[test]
fn without_a_gateway_nothing_is_opened_to_the_outside() {
    let (_, health) = desired(&json!({"domain": "example.com"}));
    assert_eq!(health["spec"]["gateways"], json!(["mesh"]));
}

#[test]
fn the_mesh_can_be_elsewhere_than_the_object_that_describes_it() {
    let (metrics, health) = desired(&json!({"domain": "example.com", "namespace": "mesh"}));
    assert_eq!(metrics["spec"]["namespaceSelector"]["matchNames"], json!(["mesh"]));
    let host = &health["spec"]["http"][0]["route"][0]["destination"]["host"];
    assert_eq!(*host, "istio-ingressgateway.mesh.svc.cluster.local");
    assert_eq!(
        (&metrics["metadata"]["namespace"], &health["metadata"]["namespace"]),
        (&json!("istio-system"), &json!("istio-system"))
    );
}

#[test]
fn a_missing_domain_is_named() {
    assert!(invalid(ISTIO, &json!({})).contains("domain"));
    assert!(invalid(ISTIO, &json!({"domain": ""})).contains("domain"));
    assert!(invalid(ISTIO, &json!({"domain": "x", "domian": "y"})).contains("domian"));
}

#[test]
fn a_subject_without_a_namespace_needs_one_in_the_configuration() {
    let subject = ISTIO.replace(", namespace: istio-system", "");
    assert!(invalid(&subject, &json!({"domain": "x"})).contains("namespace"));
}
