//! Which Pods are annotated, and when the annotations are removed.
//!
//! The original annotates live Pods, and its annotations are lost when they restart.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::json;

use super::*;

/// A Service with a Deployment behind it, whose second container listens at its port.
const SHOP: &str = "
{apiVersion: v1, kind: Service, metadata: {name: catalog, namespace: shop}, \
    spec: {selector: {app: catalog}, ports: [{port: 80, targetPort: web}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: catalog, namespace: shop, annotations: {theirs: stays}}
spec:
  template:
    metadata: {labels: {app: catalog, more: x}, annotations: {theirs: stays}}
    spec: {containers: [{name: helper}, {name: main, ports: [{name: web, containerPort: 9090}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: main}]}}}
";

fn shop() -> Cluster {
    Cluster::new().with(SHOP)
}

/// The shop, whose Deployment has the annotations of that API.
fn serving(api: &str) -> Cluster {
    let marked = SHOP.replace("{theirs: stays}}\nspec", &format!("{{{}: {api}}}}}\nspec", reads::MARK));
    Cluster::new().with(&marked)
}

fn api(kind: &str) -> String {
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": "cat", "namespace": "shop"},
           "spec": {"apiType": kind, "implementation": "catalog", "path": "/metrics", "port": 80}})
    .to_string()
}

fn outcome(cluster: &Cluster, kind: &str, config: &Value) -> Outcome {
    testing::reconcile::<MetricsAnnotations>(cluster, &api(kind), config).unwrap()
}

/// The patch of an outcome: its object, its mark, and the annotations of its Pods.
fn patched(outcome: &Outcome) -> (String, Value, Value) {
    let [patch] = outcome.patches.as_slice() else { panic!("{outcome:?}") };
    let mark = patch.fragment["metadata"]["annotations"][reads::MARK].clone();
    let pods = patch.fragment["spec"]["template"]["metadata"]["annotations"].clone();
    (format!("{} {}", patch.object.kind.name, patch.object.name), mark, pods)
}

#[test]
fn the_template_behind_the_service_is_annotated_for_prometheus() {
    let wanted = json!({"prometheus.io/scrape": "true", "prometheus.io/scheme": "http",
                        "prometheus.io/path": "/metrics", "prometheus.io/port": "9090"});
    for kind in ["prometheus", "openmetrics"] {
        let outcome = outcome(&shop(), kind, &json!({}));
        assert_eq!(patched(&outcome), ("Deployment catalog".into(), json!("cat"), wanted.clone()));
        assert_eq!(outcome.readiness, Readiness::Ready);
    }
}

#[test]
fn the_container_that_listens_is_annotated_for_datadog() {
    let (_, _, pods) = patched(&outcome(&shop(), "openmetrics", &json!({"style": "DataDogAnnotations"})));
    let checks: Value = serde_json::from_str(pods["ad.datadoghq.com/main.checks"].as_str().unwrap()).unwrap();
    assert_eq!(
        checks,
        json!({"openmetrics": {"instances": [{"namespace": "components", "metrics": [".*"],
               "openmetrics_endpoint": "http://catalog.shop.svc.cluster.local:80/metrics"}]}})
    );
    assert_eq!(pods.as_object().unwrap().len(), 1);
}

#[test]
fn a_port_for_udp_of_the_same_number_is_not_where_metrics_are() {
    let both =
        "{name: dns, port: 80, protocol: UDP, targetPort: 53}, {name: web, port: 80, protocol: TCP, targetPort: web}";
    let cluster = Cluster::new().with(&SHOP.replace("{port: 80, targetPort: web}", both));
    assert_eq!(patched(&outcome(&cluster, "prometheus", &json!({}))).2["prometheus.io/port"], "9090");
}

#[test]
fn an_api_that_stops_serving_metrics_has_its_annotations_removed() {
    let (object, mark, pods) = patched(&outcome(&serving("cat"), "openapi", &json!({})));
    assert_eq!((object.as_str(), mark), ("Deployment catalog", Value::Null));
    for key in ["prometheus.io/scrape", "prometheus.io/port", "ad.datadoghq.com/main.checks"] {
        assert!(pods.as_object().unwrap().contains_key(key) && pods[key].is_null(), "{key}");
    }
}

#[test]
fn a_deleted_api_has_its_annotations_removed() {
    let leaving =
        |cluster: &Cluster| testing::finalize::<MetricsAnnotations>(cluster, &api("prometheus"), &json!({})).unwrap();
    assert_eq!(patched(&leaving(&serving("cat"))).1, Value::Null);
    assert_eq!(leaving(&serving("another")).patches, []);
    assert_eq!(leaving(&shop()).patches, []);
}

#[test]
fn a_workload_that_the_service_stops_selecting_has_its_annotations_removed() {
    let moved = serving("cat").with(
        "{apiVersion: v1, kind: Service, metadata: {name: catalog, namespace: shop}, \
         spec: {selector: {app: cart}, ports: [{port: 80}]}}",
    );
    let outcome = outcome(&moved, "prometheus", &json!({}));
    let marks: Vec<_> = outcome
        .patches
        .iter()
        .map(|patch| (patch.object.kind.name.as_str(), patch.fragment["metadata"]["annotations"][reads::MARK].clone()))
        .collect();
    assert_eq!(marks, [("Deployment", Value::Null), ("StatefulSet", json!("cat"))]);
}

#[test]
fn a_service_that_is_being_replaced_restarts_nothing() {
    let gone = Cluster::new().with(SHOP.split_once("---").unwrap().1);
    let outcome = outcome(&gone, "prometheus", &json!({}));
    assert!(matches!(&outcome.readiness, Readiness::Progressing(why) if why.contains("Service catalog with port")));
    assert_eq!(outcome.patches, []);
}

#[test]
fn of_two_apis_of_one_workload_the_first_keeps_it_and_the_other_reports_that() {
    let outcome = outcome(&serving("first"), "prometheus", &json!({}));
    assert_eq!(outcome.patches, []);
    assert!(matches!(&outcome.readiness,
            Readiness::Warning(why) if why.contains("Deployment catalog") && why.contains("`first`")));
}

#[test]
fn an_api_without_metrics_patches_nothing() {
    assert_eq!(outcome(&shop(), "openapi", &json!({})).patches, []);
}

#[test]
fn workloads_restart_at_the_configured_pace() {
    let outcome = outcome(&shop(), "prometheus", &json!({"pace": "workloads"}));
    assert_eq!(outcome.patches[0].pace.as_deref(), Some("workloads"));
}
