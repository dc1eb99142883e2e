//! What operators who monitor the mesh can rely on.

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
fn health_is_visible_from_outside_through_the_gateway() {
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
fn without_a_gateway_nothing_is_published_to_the_outside() {
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

#[test]
fn another_partys_istio_is_found_by_its_own_names() {
    let (metrics, health) = desired(&json!({
        "domain": "example.com", "namespace": "mesh", "selector": {"app": "istiod", "istio.io/rev": "blue"},
        "port": "metrics",
        "ingress": {"service": "edge", "port": 8021},
    }));
    assert_eq!(
        metrics["spec"],
        json!({
            "selector": {"matchLabels": {"app": "istiod", "istio.io/rev": "blue"}},
            "namespaceSelector": {"matchNames": ["mesh"]}, "endpoints": [{"port": "metrics"}],
        })
    );
    let destination = &health["spec"]["http"][0]["route"][0]["destination"];
    assert_eq!(*destination, json!({"host": "edge.mesh.svc.cluster.local", "port": {"number": 8021}}));
}

#[test]
fn a_prometheus_that_selects_by_labels_finds_its_labels() {
    let (metrics, _) = desired(&json!({"domain": "example.com", "labels": {"release": "prometheus"}}));
    assert_eq!(metrics["metadata"]["labels"], json!({"release": "prometheus"}));
}

#[test]
fn health_can_be_served_at_any_host() {
    let (_, health) = desired(&json!({"host": "mesh.example.org"}));
    assert_eq!(health["spec"]["hosts"], json!(["mesh.example.org"]));
    assert!(invalid(ISTIO, &json!({"host": ""})).contains("`host`"));
}

#[test]
fn without_the_prometheus_operator_health_is_published_and_a_condition_reports_what_is_missing() {
    let cluster = Cluster::new().without_kind(service_monitor());
    let outcome = reconcile::<Monitoring>(&cluster, ISTIO, &json!({"domain": "example.com"})).unwrap();
    assert_eq!(outcome.readiness, Readiness::Ready);
    let kinds: Vec<_> = outcome.desired.iter().flatten().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, ["VirtualService"]);
    let [condition] = &outcome.conditions[..] else { panic!("{:?}", outcome.conditions) };
    assert_eq!((&*condition.kind, condition.status), ("MetricsScraped", Some(false)));
    assert_eq!(condition.reason, "PrometheusOperatorMissing");
}

#[test]
fn without_istios_definitions_it_waits_for_them_and_metrics_are_scraped() {
    let cluster = Cluster::new().without_kind(virtual_service());
    let outcome = reconcile::<Monitoring>(&cluster, ISTIO, &json!({"domain": "example.com"})).unwrap();
    assert_eq!(outcome.readiness, Readiness::Progressing("Istio's CRDs are not installed yet".into()));
    assert_eq!(outcome.desired.unwrap()[0]["kind"], "ServiceMonitor");
    assert_eq!((&*outcome.conditions[0].kind, outcome.conditions[0].status), ("MetricsScraped", Some(true)));
}

#[test]
fn a_dashboard_exists_only_if_configured() {
    let dashboard = |dashboards: Value| {
        let config = json!({"domain": "example.com", "dashboards": dashboards});
        let desired = reconcile::<Monitoring>(&Cluster::new(), ISTIO, &config).unwrap().desired.unwrap();
        desired.into_iter().find(|object| object["kind"] == "ConfigMap")
    };
    assert_eq!(dashboard(json!({})), None);
    let there = dashboard(json!({"enabled": true})).unwrap();
    assert_eq!(
        there["metadata"],
        json!({
            "name": "istio-control-plane-dashboard", "namespace": "istio-system", "labels": {"grafana_dashboard": "1"},
        })
    );
    let elsewhere =
        dashboard(json!({"enabled": true, "namespace": "grafana", "labels": {"dashboards": "yes"}})).unwrap();
    assert_eq!(elsewhere["metadata"]["namespace"], "grafana");
    assert_eq!(elsewhere["metadata"]["labels"], json!({"dashboards": "yes"}));
}

#[test]
fn the_dashboard_shows_metrics_of_the_selected_control_plane() {
    let config = json!({"domain": "example.com", "dashboards": {"enabled": true}});
    let desired = reconcile::<Monitoring>(&Cluster::new(), ISTIO, &config).unwrap().desired.unwrap();
    let dashboard: Value =
        serde_json::from_str(desired[2]["data"]["istio-control-plane.json"].as_str().unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries: Vec<_> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.iter().all(|query| query.contains("{job=~\"$job\"}")), "{queries:#?}");
    for metric in [
        "pilot_xds{",
        "pilot_xds_pushes{",
        "pilot_proxy_convergence_time_bucket{",
        "pilot_total_xds_rejects{",
        "citadel_server_root_cert_expiry_timestamp{",
        "citadel_server_success_cert_issuance_count{",
    ] {
        assert!(queries.iter().any(|query| query.contains(metric)), "{metric}");
    }
    let mut ids: Vec<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), panels.len(), "each panel has a number of its own");
}
