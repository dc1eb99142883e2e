//! What users of a mesh can rely on.

mod missing;
mod owners;
mod reporting;
mod rules;
mod scale;

mod sources;
mod waiting;

use mizzen_sdk::testing::{self, Cluster};
use serde_json::{Value, json};

use super::*;

/// The desired image of sidecars.
const NEW: &str = "hub.example.com/istio/proxyv2:1.31.0";
const OLD: &str = "hub.example.com/istio/proxyv2:1.30.0";

/// A cluster with the namespace `shop`, whose pods have sidecars.
fn shop() -> Cluster {
    with(
        Cluster::new(),
        &json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}}),
    )
}

fn with(cluster: Cluster, object: &Value) -> Cluster {
    cluster.with(&object.to_string())
}

/// A pod of the ReplicaSet `cart-1`, running and ready, whose sidecar is up to date except for its
/// image.
fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "cart-1-a", "namespace": "shop", "uid": "u1",
            "annotations": {"sidecar.istio.io/status": "{\"revision\":\"default\"}"},
            "ownerReferences": [owner("apps/v1", "ReplicaSet", "cart-1")],
        },
        "spec": {
            "initContainers": [{"name": "istio-validation", "image": image}],
            "containers": [
                {"name": "cart", "image": "cart:1", "env": [{"name": "TRUST_DOMAIN", "value": "its own affair"}]},
                {"name": "istio-proxy", "image": image,
                 "resources": {"limits": {"cpu": "2", "memory": "1Gi"},
                     "requests": {"cpu": "100m", "memory": "128Mi"}}},
            ],
        },
        "status": {"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]},
    })
}

fn owner(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": "o", "controller": true})
}

/// The Deployment `cart` with its ReplicaSet, both rolled out.
fn cart() -> [Value; 2] {
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "cart-1", "namespace": "shop",
            "ownerReferences": [owner("apps/v1", "Deployment", "cart")]}});
    [workload("apps/v1", "Deployment", "cart"), set]
}

/// A workload with one replica, rolled out.
fn workload(api_version: &str, kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop", "generation": 1},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": name}}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
            "availableReplicas": 1,
                   "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1},
    })
}

/// `shop` with the Deployment `cart` and this pod of it.
fn cart_with(pod: &Value) -> Cluster {
    with(cart().iter().fold(shop(), with), pod)
}

/// The outcome for a cluster, with this configuration.
fn reconciled(cluster: &Cluster, spec: &Value, config: &Value) -> Outcome {
    let istio = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio",
                       "metadata": {"name": "default", "namespace": "istio-system"}, "spec": spec});
    testing::reconcile::<SidecarRestart>(cluster, &istio.to_string(), config).unwrap()
}

/// The outcome if sidecars should have the new image.
fn outcome(cluster: &Cluster) -> Outcome {
    reconciled(cluster, &json!({}), &json!({"image": NEW}))
}

/// The workloads whose template is patched.
fn restarted(outcome: &Outcome) -> Vec<String> {
    outcome.patches.iter().map(|patch| format!("{} {}", patch.object.kind.name, patch.object.name)).collect()
}

/// The names in a field of the status.
fn named(outcome: &Outcome, field: &str) -> Vec<String> {
    let names = outcome.status.as_ref().unwrap()["sidecars"][field]["names"].clone();
    serde_json::from_value(names).unwrap()
}

/// The mark that a restart of the Deployment `cart` would put on its template now.
fn mark(cluster: &Cluster) -> String {
    let outcome = outcome(cluster);
    let [patch] = outcome.patches.as_slice() else { panic!("{outcome:?}") };
    patch.fragment["spec"]["template"]["metadata"]["annotations"][MARK].as_str().unwrap().to_owned()
}
