//! Workloads of every kind that owns pods.

use futures::StreamExt;
use kube::api::{Api, DynamicObject};
use serde_json::{Value, json};

use crate::objects::{Objects, apply};
use crate::sidecars::MESHED;

/// A kind that owns pods.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// Its `apiVersion`.
    pub api_version: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// Its resource.
    pub plural: &'static str,
}

/// Those that roll out by themselves when their template changes.
pub const ROLLING: [Owner; 3] = [
    Owner { api_version: "apps/v1", kind: "Deployment", plural: "deployments" },
    Owner { api_version: "apps/v1", kind: "StatefulSet", plural: "statefulsets" },
    Owner { api_version: "apps/v1", kind: "DaemonSet", plural: "daemonsets" },
];
/// Those whose pods must be deleted one by one.
pub const REPLACING: [Owner; 2] = [
    Owner { api_version: "apps/v1", kind: "ReplicaSet", plural: "replicasets" },
    Owner { api_version: "v1", kind: "ReplicationController", plural: "replicationcontrollers" },
];
/// Those that must not be restarted.
pub const STANDING: [Owner; 2] = [
    Owner { api_version: "batch/v1", kind: "Job", plural: "jobs" },
    Owner { api_version: "v1", kind: "Pod", plural: "pods" },
];

impl Owner {
    /// The objects of this kind in a namespace.
    pub fn within(self, objects: &Objects, namespace: &str) -> Api<DynamicObject> {
        objects.within(namespace, self.api_version, self.kind, self.plural)
    }
}

/// Applies `count` workloads of a kind, named `<kind>-0`, …, in a namespace.
pub async fn deploy(objects: &Objects, namespace: &str, owner: Owner, count: usize) {
    let api = owner.within(objects, namespace);
    let create = |at: usize| {
        let name = format!("{}-{at}", owner.kind.to_lowercase());
        let (api, document) = (api.clone(), workload(owner, &name, &json!({})));
        async move { apply(&api, &document).await }
    };
    futures::stream::iter(0..count).for_each_concurrent(16, create).await;
}

/// Returns a workload with meshed pods: two of them where the kind has replicas. `more` is merged into the
/// labels of the pod template.
pub fn workload(Owner { api_version, kind, .. }: Owner, name: &str, more: &Value) -> Value {
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

/// Whether a workload is rolled out.
pub fn is_rolled_out(object: &Value) -> bool {
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
