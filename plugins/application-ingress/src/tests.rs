//! What a trait's author can rely on: Verrazzano's behaviours, and its faults mended, each by name.

mod authorization;
mod faults;
mod parsing;
mod routes;
mod waiting;

use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Kind, Outcome, Readiness};
use serde_json::{Value, json};

use crate::ApplicationIngress;

/// A namespace in the mesh, and an application's Gateway that lets in `shop.example.com`.
const MESH: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop-store-gw, namespace: shop}
spec: {servers: [{hosts: [shop.example.com, store.shop.mesh.example.com]}]}
";

fn mesh() -> Cluster {
    Cluster::new().with(MESH)
}

/// The trait `web` of application `store` in namespace `shop`.
fn ingress(spec: &Value) -> Value {
    json!({
        "apiVersion": "oam.verrazzano.io/v1alpha1", "kind": "IngressTrait",
        "metadata": {
            "name": "web", "namespace": "shop",
            "labels": {"app.oam.dev/name": "store", "app.oam.dev/component": "cart"},
        },
        "spec": spec,
    })
}

/// A spec of one rule: `shop.example.com` leads to `cart` at its port 8080, with these fields changed.
fn one_rule(changes: &Value) -> Value {
    let mut rule = json!({"hosts": ["shop.example.com"], "destination": {"host": "cart", "port": 8080}});
    for (field, value) in changes.as_object().unwrap() {
        rule[field] = value.clone();
    }
    json!({"rules": [rule]})
}

fn asked(cluster: &Cluster, subject: &Value) -> Outcome {
    testing::reconcile::<ApplicationIngress>(cluster, &subject.to_string(), &json!({"domain": "mesh.example.com"}))
        .unwrap()
}

fn outcome(spec: &Value) -> Outcome {
    asked(&mesh(), &ingress(spec))
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

/// Why a trait is refused; what was made of it stays.
fn refused(outcome: &Outcome) -> String {
    assert_eq!(outcome.desired, None);
    let condition = outcome.conditions.iter().find(|condition| condition.kind == "Synced").unwrap();
    assert_eq!((condition.status, &*condition.reason), (Some(false), "ReconcileError"));
    assert_eq!(outcome.readiness, Readiness::Failed(condition.message.clone()));
    condition.message.clone()
}

fn kind(api_version: &str, name: &str) -> Kind {
    Kind::new(api_version, name)
}
