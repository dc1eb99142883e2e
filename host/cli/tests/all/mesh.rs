//! The shipped configuration of a whole mesh: it is valid, one edit swaps the installer of Istio,
//! and it works on an existing Istio.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{deploy, text};

/// Istio's own definitions, as far as the plugins need them.
const DEFINED: [(&str, &str, &str); 3] = [
    ("security.istio.io", "PeerAuthentication", "peerauthentications"),
    ("networking.istio.io", "Gateway", "gateways"),
    ("networking.istio.io", "VirtualService", "virtualservices"),
];

/// What a user's own Istio has, and two custom resources, of which the older one counts.
const THERE: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system, labels: {gardener.cloud/purpose: kube-system}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system, labels: {app: istiod}, generation: 1}
spec: {template: {spec: {containers: [{name: discovery, image: docker.io/istio/pilot:1.31.0}]}}}
status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-sidecar-injector, namespace: istio-system}
data: {values: '{"global": {"hub": "docker.io/istio", "tag": "1.31.0", "proxy": {"image": "proxyv2"}}}'}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: istio-sidecar-injector, labels: {app: sidecar-injector}}
webhooks: [{name: object.sidecar-injector.istio.io, failurePolicy: Fail, sideEffects: None,
            admissionReviewVersions: [v1],
            clientConfig: {caBundle: aXN0aW9k, service: {name: istiod, namespace: istio-system}}}]
---
apiVersion: mizzen.dev/v1alpha1
kind: Istio
metadata: {name: default, namespace: istio-system, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {}
---
apiVersion: mizzen.dev/v1alpha1
kind: Istio
metadata: {name: second, namespace: istio-system, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {}
"#;

fn mizzen(command: &str, path: &Path, more: &[&str]) -> Output {
    crate::support::mizzen().arg(command).arg("-f").arg(path).args(more).output().unwrap()
}

/// The names that `check` is content with.
fn checked(path: &Path) -> Vec<String> {
    let done = mizzen("check", path, &[]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let lines = String::from_utf8(done.stdout).unwrap();
    lines.lines().filter_map(|line| Some(line.strip_prefix("ok ")?.to_owned())).collect()
}

/// The shipped configuration, after the one edit that brings a user's own Istio.
fn swapped() -> String {
    let shipped = std::fs::read_to_string(deploy("mesh.yaml")).unwrap();
    let swapped = shipped.replace("{file: installation.wasm}", "{file: installation-external.wasm}");
    assert_ne!(shipped, swapped);
    swapped
}

/// The plan of the whole configuration on a user's own Istio, including statuses.
fn plan() -> Value {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let definition = |(group, kind, plural): (&str, &str, &str)| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                    {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}},
            ]},
        })
        .to_string()
    };
    std::fs::write(folder.path().join("mesh.yaml"), swapped()).unwrap();
    std::fs::write(folder.path().join("definitions.yaml"), DEFINED.map(definition).join("\n---\n")).unwrap();
    std::fs::write(folder.path().join("there.yaml"), THERE).unwrap();
    std::fs::copy(deploy("crds/istios.mizzen.dev.yaml"), folder.path().join("istios.yaml")).unwrap();
    let done = mizzen("plan", folder.path(), &["-o", "json", "--status"]);
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

/// What `reconciler` makes of an object of this kind and name.
fn after<'a>(plan: &'a Value, reconciler: &str, kind: &str, name: &str) -> &'a Value {
    let made = |change: &&Value| {
        change["reconciler"] == reconciler && change["object"]["kind"] == kind && change["object"]["name"] == name
    };
    let changes = plan["changes"].as_array().unwrap();
    &changes.iter().find(made).unwrap_or_else(|| panic!("no {kind} {name} of {reconciler} in {changes:#?}"))["after"]
}

#[test]
fn check_accepts_the_whole_mesh_with_either_installer_of_istio() {
    let names = |lines: &[String]| {
        let mut names: Vec<_> = lines.iter().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
        names.sort();
        names
    };
    let shipped = checked(&deploy("mesh.yaml"));
    let all = [
        ["api-operator", "application", "application-ingress", "component-status", "egress", "egress-hosts"].as_slice(),
        &["gateway", "gateway-restart", "injector", "installation", "istio-1.31.0", "istio-1.31.1"],
        &["monitoring", "mtls", "sidecar-restart", "status"],
    ]
    .concat();
    assert_eq!(names(&shipped), all);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mesh.yaml");
    std::fs::write(&file, swapped()).unwrap();
    let external = checked(&file);
    assert_eq!(names(&external), all);
    assert!(external.iter().any(|line| line.starts_with("installation (installation-external ")), "{external:?}");
    assert_eq!(names(&checked(&deploy("installation-external.yaml"))), ["installation"]);
}

#[test]
fn on_an_existing_istio_the_mesh_becomes_ready_and_a_second_custom_resource_gets_a_warning() {
    let plan = plan();
    let istio = after(&plan, "status", "Istio", "default");
    assert_eq!(istio["status"]["state"], "Ready", "{plan:#}");
    let conditions = istio["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready").unwrap();
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("True"), &json!("ReconcileSucceeded")));
    let second = &after(&plan, "status", "Istio", "second")["status"];
    assert_eq!(second["state"], "Warning");
    assert!(second["description"].as_str().unwrap().contains("istio-system/default"), "{second}");

    assert_eq!(after(&plan, "mtls", "PeerAuthentication", "default")["spec"]["mtls"]["mode"], "STRICT");
    assert_eq!(
        after(&plan, "gateway", "Gateway", "default")["spec"]["servers"][0]["hosts"],
        json!(["*.mesh.example.com"])
    );
    after(&plan, "monitoring", "VirtualService", "istio-healthz");
    let webhook = &after(&plan, "injector", "MutatingWebhookConfiguration", "istio-sidecar-injector")["webhooks"][0];
    assert_eq!(webhook["matchConditions"][0]["expression"], "!(request.namespace in ['kube-system'])");
    assert_eq!((&webhook["failurePolicy"], &webhook["clientConfig"]["caBundle"]), (&json!("Fail"), &json!("aXN0aW9k")));
}
