//! Workloads of every kind that owns pods.

use futures::StreamExt;
use serde_json::{Value, json};

use crate::objects::{Objects, apply};
use crate::sidecars::MESHED;

/// A kind that owns pods, with the plural of its resource.
pub type Owner = (&'static str, &'static str, &'static str);

/// Those that roll by themselves when their template changes.
pub const ROLLING: [Owner; 3] = [
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("apps/v1", "DaemonSet", "daemonsets"),
];
/// Those whose pods must be deleted one by one.
pub const REPLACING: [Owner; 2] =
    [("apps/v1", "ReplicaSet", "replicasets"), ("v1", "ReplicationController", "replicationcontrollers")];
/// Those that must be left alone.
pub const STANDING: [Owner; 2] = [("batch/v1", "Job", "jobs"), ("v1", "Pod", "pods")];

/// Applies `count` workloads of a kind, named `<kind>-0`, …, in a namespace; `more` is merged into each pod template's labels.
pub async fn deploy(objects: &Objects, namespace: &str, owner: Owner, count: usize, more: &Value) -> Vec<String> {
    let (api_version, kind, plural) = owner;
    let api = objects.within(namespace, api_version, kind, plural);
    let suffix =
        more.as_object().and_then(|more| more.keys().next()).map_or(String::new(), |label| format!("-{label}"));
    let names: Vec<_> = (0..count).map(|at| format!("{}{suffix}-{at}", kind.to_lowercase())).collect();
    let create = |name: &String| {
        let (api, document) = (api.clone(), workload(owner, name, more));
        async move { apply(&api, &document).await }
    };
    futures::stream::iter(&names).for_each_concurrent(16, create).await;
    names
}

/// A workload with meshed pods: two of them where that can be said.
pub fn workload((api_version, kind, _): Owner, name: &str, more: &Value) -> Value {
    let mut labels = json!({"app": name, MESHED: "true"});
    for (key, value) in more.as_object().into_iter().flatten() {
        labels[key] = value.clone();
    }
    let containers = json!({"containers": [{"name": "app", "image": "app"}]});
    let mut template = json!({"metadata": {"labels": labels}, "spec": containers});
    let selector = json!({"matchLabels": {"app": name}});
    let spec = match kind {
        "Pod" => template["spec"].take(),
        "Job" => {
            template["spec"]["restartPolicy"] = json!("Never");
            json!({"template": template})
        }
        "DaemonSet" => json!({"selector": selector, "template": template}),
        "StatefulSet" => json!({"selector": selector, "template": template, "replicas": 2, "serviceName": name,
                                "podManagementPolicy": "Parallel"}),
        "ReplicationController" => json!({"selector": {"app": name}, "template": template, "replicas": 2}),
        _ => json!({"selector": selector, "template": template, "replicas": 2}),
    };
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec})
}

/// Whether a workload has come through its last change.
pub fn is_through(object: &Value) -> bool {
    let number = |field: &str| object["status"][field].as_i64().unwrap_or_default();
    if number("observedGeneration") < object["metadata"]["generation"].as_i64().unwrap_or_default() {
        return false;
    }
    if object["kind"] == "DaemonSet" {
        let wanted = number("desiredNumberScheduled");
        return number("updatedNumberScheduled") == wanted && number("numberAvailable") == wanted;
    }
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    ["updatedReplicas", "availableReplicas", "replicas"].into_iter().all(|field| number(field) == wanted)
}
