//! The mesh's injector: an admission policy, by which the API server itself adds sidecars to pods. A test
//! cluster runs nothing that could serve a webhook.

use kube::api::{Api, DynamicObject, PostParams};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};

use crate::eventually;
use crate::objects::Objects;

/// The label of pods that get a sidecar.
pub const MESHED: &str = "meshed";

/// The label of pods that never become ready while [`inject`] is given [`Breakage::LabelledPods`].
pub const BREAKS: &str = "breaks";

const NAMESPACE: &str = "injector";

/// Which of the new pods never become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// None of them.
    None,
    /// Those that are labelled [`BREAKS`]: no scheduler gives them a node.
    LabelledPods,
}

/// Adds a sidecar of this image to each new pod that is labelled [`MESHED`].
///
/// It may be called again: existing pods keep their sidecar, as in a mesh. Returns once the API server
/// applies the policies and their settings, which it does with a delay.
pub async fn inject(cluster: &ControlPlane, image: &str, breakage: Breakage) {
    let broken = breakage == Breakage::LabelledPods;
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sidecar",
        "namespace": NAMESPACE},
                          "data": {"image": image, "broken": broken.to_string()}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let sidecar = r#"Object{
        metadata: Object.metadata{annotations: {"sidecar.istio.io/status": "{}"}},
        spec: Object.spec{initContainers: [Object.spec.initContainers{
            name: "istio-proxy", image: params.data.image, restartPolicy: "Always",
            resources: Object.spec.initContainers.resources{
                requests: {"cpu": "10m", "memory": "192Mi"}, limits: {"cpu": "1", "memory": "1Gi"}}}]}}"#;
    let stranded = r#"Object{spec: Object.spec{schedulerName: "none"}}"#;
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
    eventually("pods get the sidecar", async || is_injected(&pods, image, breakage).await).await;
}

/// Whether a new pod gets a sidecar of this image, and whether a breaking one gets no node.
async fn is_injected(pods: &Api<DynamicObject>, image: &str, breakage: Breakage) -> bool {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "labels": {MESHED: "true",
        BREAKS: "true"}},
                     "spec": {"containers": [{"name": "app", "image": "app"}]}});
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    // Refused while the namespace has no service account, or the policy no settings.
    let Ok(pod) = pods.create(&dry_run, &serde_json::from_value(pod).unwrap()).await else { return false };
    let spec = &pod.data["spec"];
    spec["initContainers"][0]["image"] == image
        && (spec["schedulerName"] == "none") == (breakage == Breakage::LabelledPods)
}

/// Returns a policy and its binding to the settings.
fn policy(name: &str, condition: &str, mutation: &str) -> [Value; 2] {
    let api_version = "admissionregistration.k8s.io/v1";
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]);
    [
        json!({"apiVersion": api_version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": rules},
            "matchConditions": [{"name": "selected", "expression": condition}],
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": mutation}}]}}),
        json!({"apiVersion": api_version, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {
            "policyName": name,
            "paramRef": {"name": "sidecar", "namespace": NAMESPACE, "parameterNotFoundAction": "Deny"}}}),
    ]
}
