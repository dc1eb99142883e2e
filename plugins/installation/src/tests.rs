//! What operators of a mesh can rely on.

mod installing;
mod leaving;
mod refusing;

use mizzen_sdk::renderers::RenderError;
use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Outcome, Readiness};
use serde_json::{Value, json};

use super::*;

/// A mesh's subject, with these fields of its spec.
fn istio(spec: &Value) -> String {
    json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio",
           "metadata": {"name": "default", "namespace": "mesh", "creationTimestamp": "2026-01-02T00:00:00Z"},
           "spec": spec})
    .to_string()
}

/// A cluster of sufficient size, with renderers for these versions.
fn cluster(versions: &[&str]) -> Cluster {
    let cluster = Cluster::new()
        .with(&istio(&json!({})))
        .with("{apiVersion: v1, kind: Node, metadata: {name: node}, status: {capacity: {cpu: '16', memory: 64Gi}}}");
    versions.iter().fold(cluster, |cluster, version| {
        let own = (*version).to_owned();
        let labels = [("istio.io/version", *version)];
        cluster.with_renderer(&format!("istio-{version}"), &labels, move |document| render(&own, document))
    })
}

/// A part of what Istio renders, with objects of each step.
fn render(version: &str, document: &Value) -> Result<Vec<Value>, RenderError> {
    if document["spec"]["profile"] == "wrong" {
        return Err(RenderError::Rejected("profile \"wrong\" not found".into()));
    }
    if document["spec"]["profile"] == "crashing" {
        return Err(RenderError::Failed("renderer `istio-1.31.0` ended with exit code 2; it said: panic".into()));
    }
    let labels = |component: &str| json!({"operator.istio.io/component": component});
    let workload = |kind: &str, name: &str, component: &str, container: &str, image: &str| {
        json!({"apiVersion": "apps/v1", "kind": kind, "status": {},
               "metadata": {"name": name, "namespace": "istio-system", "labels": labels(component),
                   "creationTimestamp": null},
               "spec": {"template": {"spec": {"containers": [{"name": container,
                   "image": format!("hub/{image}:{version}")}]}}}})
    };
    let webhooks = |kind: &str, name: &str, webhook: &Value| {
        let version = "admissionregistration.k8s.io/v1";
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]})
    };
    let client = json!({"service": {"name": "istiod", "namespace": "istio-system"}, "caBundle": ""});
    Ok(vec![
        workload("Deployment", "istio-ingressgateway", "IngressGateways", "istio-proxy", "proxyv2"),
        workload("Deployment", "istiod", "Pilot", "discovery", "pilot"),
        workload("DaemonSet", "istio-cni-node", "Cni", "install-cni", "install-cni"),
        webhooks(
            "ValidatingWebhookConfiguration",
            "istio-validator-istio-system",
            &json!({"name": "rev.validation.istio.io", "clientConfig": client, "failurePolicy": "Ignore"}),
        ),
        webhooks(
            "MutatingWebhookConfiguration",
            "istio-sidecar-injector",
            &json!({"name": "namespace.sidecar-injector.istio.io", "clientConfig": client, "failurePolicy": "Fail",
                    "namespaceSelector": {"matchExpressions": [{"key": "istio-injection", "operator": "In",
                        "values": ["enabled"]}]}}),
        ),
        definition("v1"),
    ])
}

fn definition(version: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
           "metadata": {"name": "virtualservices.networking.istio.io"}, "spec": {"versions": [{"name": version}]}})
}

/// A live definition.
fn served(cluster: Cluster, label: &str, stored: &str) -> Cluster {
    let mut definition = definition("v1");
    definition["metadata"]["labels"] = json!({"operator.istio.io/version": label});
    definition["status"] =
        json!({"conditions": [{"type": "Established", "status": "True"}], "storedVersions": [stored]});
    cluster.with(&definition.to_string())
}

/// A workload of this reconciler that is rolled out.
fn up(cluster: Cluster, kind: &str, name: &str, container: &str, image: &str) -> Cluster {
    let labels = json!({"mizzen.dev/owner": "o", "app": name});
    workload(cluster, kind, name, &labels, container, image, 1)
}

fn workload(
    cluster: Cluster,
    kind: &str,
    name: &str,
    labels: &Value,
    container: &str,
    image: &str,
    available: i64,
) -> Cluster {
    cluster.with(
        &json!({"apiVersion": "apps/v1", "kind": kind,
                "metadata": {"name": name, "namespace": "istio-system", "labels": labels, "generation": 2},
                "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": container, "image": image}]}}},
                "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available,
                           "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": available}})
        .to_string(),
    )
}

/// This reconciler's control plane of a version, rolled out.
fn plane(cluster: Cluster, version: &str) -> Cluster {
    let cluster =
        up(served(cluster, version, "v1"), "Deployment", "istiod", "discovery", &format!("hub/pilot:{version}"));
    up(cluster, "DaemonSet", "istio-cni-node", "install-cni", &format!("hub/install-cni:{version}"))
}

/// Everything of a version, rolled out.
fn installed(cluster: Cluster, version: &str) -> Cluster {
    up(plane(cluster, version), "Deployment", "istio-ingressgateway", "istio-proxy", &format!("hub/proxyv2:{version}"))
}

/// Another party's control plane.
fn foreign(cluster: Cluster, image: &str, available: i64) -> Cluster {
    workload(cluster, "Deployment", "istiod", &json!({"app": "istiod"}), "discovery", image, available)
}

fn reconciled(cluster: &Cluster, config: &Value) -> Outcome {
    testing::reconcile::<Installation>(cluster, &istio(&json!({})), config).unwrap()
}

/// The condition's reason and message.
fn reported(outcome: &Outcome) -> (&str, &str) {
    let [condition] = outcome.conditions.as_slice() else { panic!("{:?}", outcome.conditions) };
    assert_eq!(condition.kind, "IstioInstalled");
    let expected = match &outcome.readiness {
        Readiness::Ready => Some(true),
        Readiness::Progressing(_) => None,
        Readiness::Warning(_) | Readiness::Failed(_) => Some(false),
    };
    assert_eq!(condition.status, expected);
    (&condition.reason, &condition.message)
}

/// The kinds and names of the desired objects.
fn names(outcome: &Outcome) -> Vec<&str> {
    let name = |own: &Value| own["metadata"]["name"].as_str().map(|name| name.split('.').next().unwrap_or(name).len());
    outcome
        .desired
        .iter()
        .flatten()
        .map(|own| &own["metadata"]["name"].as_str().unwrap()[..name(own).unwrap()])
        .collect()
}

fn wanted<'a>(outcome: &'a Outcome, kind: &str) -> &'a Value {
    outcome.desired.iter().flatten().find(|own| own["kind"] == *kind).unwrap()
}
