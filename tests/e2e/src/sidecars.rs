//! Plays the mesh's injector: the API server itself gives pods their sidecar, by an admission policy, since nothing that serves webhooks
//! runs in a test cluster.

use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};

/// The label of pods that get a sidecar.
pub const MESHED: &str = "meshed";

/// The label of pods that never become ready once their sidecar is of the image that the second argument of [`inject`] names.
pub const BREAKS: &str = "breaks";

const NAMESPACE: &str = "injector";

/// Gives each new pod that is labelled [`MESHED`] a sidecar of this image; with `broken`, those labelled [`BREAKS`] find no node.
///
/// May be called again: pods that are there keep the sidecar they have, as in a mesh.
pub async fn inject(cluster: &ControlPlane, image: &str, broken: bool) {
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sidecar", "namespace": NAMESPACE},
                          "data": {"image": image, "broken": broken.to_string()}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let sidecar = r#"Object{
        metadata: Object.metadata{annotations: {"sidecar.istio.io/status": "{}"}},
        spec: Object.spec{initContainers: [Object.spec.initContainers{
            name: "istio-proxy", image: params.data.image, restartPolicy: "Always",
            resources: Object.spec.initContainers.resources{
                requests: {"cpu": "100m", "memory": "128Mi"}, limits: {"cpu": "2", "memory": "1Gi"}}}]}}"#;
    let nowhere = r#"Object{spec: Object.spec{nodeSelector: {"nowhere": "true"}}}"#;
    let meshed = format!("has(object.metadata.labels) && '{MESHED}' in object.metadata.labels");
    let breaks =
        format!("params.data.broken == 'true' && has(object.metadata.labels) && '{BREAKS}' in object.metadata.labels");
    let all = [
        vec![namespace, settings],
        policy("sidecars", &meshed, sidecar).to_vec(),
        policy("breakage", &breaks, nowhere).to_vec(),
    ];
    for document in all.concat() {
        cluster.apply_yaml(&document.to_string()).await.unwrap();
    }
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
