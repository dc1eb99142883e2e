//! Which kinds there are: the built-in ones, and those of the CRDs that were put.

use std::collections::HashMap;

use mizzen_model::Kind;
use serde_json::Value;

use crate::KindFacts;

/// Built-in kinds: `apiVersion`, kind, plural, whether namespaced, whether it has a status.
const BUILT_IN: &[(&str, &str, &str, bool, bool)] = &[
    ("v1", "Namespace", "namespaces", false, true),
    ("v1", "Node", "nodes", false, true),
    ("v1", "PersistentVolume", "persistentvolumes", false, true),
    ("v1", "ConfigMap", "configmaps", true, false),
    ("v1", "Secret", "secrets", true, false),
    ("v1", "Service", "services", true, true),
    ("v1", "ServiceAccount", "serviceaccounts", true, false),
    ("v1", "Endpoints", "endpoints", true, false),
    ("v1", "Pod", "pods", true, true),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true, true),
    ("v1", "ReplicationController", "replicationcontrollers", true, true),
    ("apps/v1", "Deployment", "deployments", true, true),
    ("apps/v1", "ReplicaSet", "replicasets", true, true),
    ("apps/v1", "StatefulSet", "statefulsets", true, true),
    ("apps/v1", "DaemonSet", "daemonsets", true, true),
    ("batch/v1", "Job", "jobs", true, true),
    ("batch/v1", "CronJob", "cronjobs", true, true),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", true, false),
    ("networking.k8s.io/v1", "Ingress", "ingresses", true, true),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true, false),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true, true),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true, true),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", true, false),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true, false),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false, false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false, false),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false, false),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        false,
        false,
    ),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false, true),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", false, false),
    ("coordination.k8s.io/v1", "Lease", "leases", true, false),
];

/// Lists of built-in kinds that are keyed, by the last step of their path: the keys of their elements.
const KEYED: &[(&str, &[&str])] = &[
    ("conditions", &["type"]),
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("webhooks", &["name"]),
    ("ownerReferences", &["uid"]),
];

/// How a list is owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ListType {
    /// As a whole.
    Atomic,
    /// Element by element, told apart by these keys.
    Map(Vec<String>),
    /// Element by element, told apart by their values.
    Set,
}

/// The kinds that are served.
pub(super) struct Kinds {
    facts: HashMap<Kind, KindFacts>,
    /// The schema of each version of each CRD.
    schemas: HashMap<Kind, Value>,
}

impl Default for Kinds {
    fn default() -> Self {
        let facts = BUILT_IN.iter().map(|(api_version, kind, plural, namespaced, status)| {
            let plural = (*plural).to_owned();
            let facts =
                KindFacts { plural, namespaced: *namespaced, status_subresource: *status, conditions_by_type: true };
            (Kind::new(api_version, kind), facts)
        });
        Self { facts: facts.collect(), schemas: HashMap::new() }
    }
}

impl Kinds {
    pub(super) fn facts(&self, kind: &Kind) -> Option<&KindFacts> {
        self.facts.get(kind)
    }

    /// Serves what a CRD defines; gives the kinds that are new.
    pub(super) fn define(&mut self, crd: &Value) -> Vec<Kind> {
        let spec = &crd["spec"];
        let (Some(group), Some(name)) = (spec["group"].as_str(), spec["names"]["kind"].as_str()) else {
            return Vec::new();
        };
        let mut fresh = Vec::new();
        for version in spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] != false) {
            let Some(version_name) = version["name"].as_str() else { continue };
            let kind = Kind::new(format!("{group}/{version_name}"), name);
            let schema = version["schema"]["openAPIV3Schema"].clone();
            let conditions = &schema["properties"]["status"]["properties"]["conditions"];
            let facts = KindFacts {
                plural: spec["names"]["plural"].as_str().unwrap_or_default().to_owned(),
                namespaced: spec["scope"] != "Cluster",
                status_subresource: version["subresources"]["status"].is_object(),
                conditions_by_type: conditions["x-kubernetes-list-type"] == "map",
            };
            self.schemas.insert(kind.clone(), schema);
            if self.facts.insert(kind.clone(), facts).is_none() {
                fresh.push(kind);
            }
        }
        fresh
    }

    /// How the list at a path (list elements left out of it) is owned.
    pub(super) fn list_type(&self, kind: &Kind, path: &[&str]) -> ListType {
        match path {
            ["metadata", "finalizers"] => return ListType::Set,
            ["metadata", "ownerReferences"] => return ListType::Map(vec!["uid".into()]),
            _ => {}
        }
        if let Some(schema) = self.schemas.get(kind) {
            return list_type_of(schema, path);
        }
        let keyed = path.last().and_then(|last| KEYED.iter().find(|(name, _)| name == last));
        keyed.map_or(ListType::Atomic, |(_, keys)| ListType::Map(keys.iter().map(|&key| key.to_owned()).collect()))
    }
}

fn list_type_of(schema: &Value, path: &[&str]) -> ListType {
    let mut at = schema;
    for step in path {
        if at["items"].is_object() {
            at = &at["items"];
        }
        at = if at["properties"][step].is_object() { &at["properties"][step] } else { &at["additionalProperties"] };
    }
    match at["x-kubernetes-list-type"].as_str() {
        Some("map") => {
            let keys = at["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            ListType::Map(keys.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        Some("set") => ListType::Set,
        _ => ListType::Atomic,
    }
}
