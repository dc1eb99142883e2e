//! What an application's author can rely on: Verrazzano's behaviours, and its faults mended, each by name.

mod access;
mod gateway;
mod metrics;

use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Kind, Outcome, Readiness};
use serde_json::{Value, json};

use crate::Application;

const MESHED: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}";

fn mesh() -> Cluster {
    Cluster::new().with(MESHED)
}

/// The application `store` of these components in namespace `shop`.
fn application(components: &[&str]) -> String {
    let components: Vec<_> = components.iter().map(|name| json!({"componentName": name})).collect();
    json!({
        "apiVersion": "core.oam.dev/v1alpha2", "kind": "ApplicationConfiguration",
        "metadata": {"name": "store", "namespace": "shop"}, "spec": {"components": components},
    })
    .to_string()
}

fn outcome_in(cluster: &Cluster) -> Outcome {
    asked(cluster, &application(&["cart"]))
}

fn asked(cluster: &Cluster, subject: &str) -> Outcome {
    testing::reconcile::<Application>(cluster, subject, &json!({"domain": "mesh.example.com"})).unwrap()
}

/// What is wanted of a kind.
fn wanted(outcome: &Outcome, kind: &str) -> Vec<Value> {
    outcome.desired.iter().flatten().filter(|object| object["kind"] == kind).cloned().collect()
}

fn only(outcome: &Outcome, kind: &str) -> Value {
    let mut all = wanted(outcome, kind);
    assert_eq!(all.len(), 1, "{kind}: {all:?}");
    all.remove(0)
}

/// A pod of component `cart`, with these annotations, that runs as an account.
fn pod(name: &str, account: &str, annotations: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "annotations": annotations,
            "labels": {"app.oam.dev/name": "store", "app.oam.dev/component": "cart"},
        },
        "spec": {"serviceAccountName": account},
    })
    .to_string()
}

/// A trait of the application, made in this second of a minute.
fn ingress(name: &str, second: u8, spec: &Value) -> String {
    json!({
        "apiVersion": "oam.verrazzano.io/v1alpha1", "kind": "IngressTrait",
        "metadata": {
            "name": name, "namespace": "shop", "labels": {"app.oam.dev/name": "store"},
            "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z"),
        },
        "spec": spec,
    })
    .to_string()
}

fn hosts(hosts: &[&str]) -> Value {
    json!({"rules": [{"hosts": hosts}]})
}
