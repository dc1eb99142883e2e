//! Plays the mesh's injector: the API server itself gives pods their sidecar, by an admission policy, since nothing that serves webhooks
//! runs in a test cluster.

use kube::api::{Api, DynamicObject, PostParams};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};

use crate::eventually;
use crate::objects::Objects;

/// The label of pods that get a sidecar.
pub const MESHED: &str = "meshed";

/// The label of pods that never become ready once their sidecar is of the image that the second argument of [`inject`] names.
pub const BREAKS: &str = "breaks";

const NAMESPACE: &str = "injector";

/// Gives each new pod that is labelled [`MESHED`] a sidecar of this image; with `broken`, nobody gives those labelled [`BREAKS`] a node.
///
/// May be called again: pods that are there keep the sidecar they have, as in a mesh. Returns when it is so: the API server takes in policies
/// and their settings by and by.
pub async fn inject(cluster: &ControlPlane, image: &str, broken: bool) {
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sidecar", "namespace": NAMESPACE},
                          "data": {"image": image, "broken": broken.to_string()}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let sidecar = r#"Object{
        metadata: Object.metadata{annotations: {"sidecar.istio.io/status": "{}"}},
        spec: Object.spec{initContainers: [Object.spec.initContainers{
            name: "istio-proxy", image: params.data.image, restartPolicy: "Always",
            resources: Object.spec.initContainers.resources{
                requests: {"cpu": "10m", "memory": "192Mi"}, limits: {"cpu": "1", "memory": "1Gi"}}}]}}"#;
    let stranded = r#"Object{spec: Object.spec{schedulerName: "nobody"}}"#;
    let meshed = format!("has(object.metadata.labels) && '{MESHED}' in object.metadata.labels");
    let breaks =
        format!("params.data.broken == 'true' && has(object.metadata.labels) && '{BREAKS}' in object.metadata.labels");
    let all = [
        vec![namespace, settings],
        policy("sidecars", &meshed, sidecar).to_vec(),
        policy("breakage", &breaks, stranded).to_vec(),
    ];
    for document in all.concat() {
        cluster.apply_yaml(&document.to_string()).await.unwrap();
    }
    let pods = Objects(cluster.client().unwrap()).within(NAMESPACE, "v1", "Pod", "pods");
    eventually("pods get the sidecar", async || is_injected(&pods, image, broken).await).await;
}

/// Whether a pod would get a sidecar of this image now, and, if it breaks, no node.
async fn is_injected(pods: &Api<DynamicObject>, image: &str, broken: bool) -> bool {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asks", "labels": {MESHED: "true", BREAKS: "true"}},
                     "spec": {"containers": [{"name": "app", "image": "app"}]}});
    let asks = PostParams { dry_run: true, ..PostParams::default() };
    // Refused while the namespace has no service account yet, or the policy no settings.
    let Ok(pod) = pods.create(&asks, &serde_json::from_value(pod).unwrap()).await else { return false };
    let spec = &pod.data["spec"];
    spec["initContainers"][0]["image"] == image && (spec["schedulerName"] == "nobody") == broken
}

/// A policy and its binding to the settings.
fn policy(name: &str, condition: &str, mutation: &str) -> [Value; 2] {
    let api_version = "admissionregistration.k8s.io/v1";
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]);
    [
        json!({"apiVersion": api_version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": rules},
            "matchConditions": [{"name": "concerned", "expression": condition}],
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": mutation}}]}}),
        json!({"apiVersion": api_version, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": {
            "policyName": name,
            "paramRef": {"name": "sidecar", "namespace": NAMESPACE, "parameterNotFoundAction": "Deny"}}}),
    ]
}
