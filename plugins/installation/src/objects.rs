//! The objects of an installation: a renderer's objects, with what istioctl adds to them.

use mizzen_istio_api::Version;
use mizzen_istio_api::plane::VERSION_LABEL;
use mizzen_sdk::{AccessError, Description, Kind, Metadata, ObjectRef, cluster, never_pruned, object};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::webhooks;

const NAMESPACES: &str = "namespaces";

/// Kinds in Istio's charts. They are deleted in this order: webhooks first, which would otherwise
/// block writes of all users.
const KINDS: [(&str, &str); 19] = [
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ResourceQuota"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("v1", "ServiceAccount"),
    ("v1", "Namespace"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
];

#[derive(Debug, Deserialize)]
struct Namespace {
    metadata: Metadata,
}

pub(crate) fn declare(description: Description) -> Description {
    let labels = ["metadata.labels['mizzen.dev/owner']"];
    let description =
        description.reads_fields(NAMESPACES, namespace(), &labels, "an existing namespace is left to its owner");
    KINDS.iter().fold(description, |description, (api_version, kind)| {
        description.applies(Kind::new(api_version, kind), "a part of Istio")
    })
}

/// Prepares rendered objects: adds istioctl's labels and the namespace, and removes fields that
/// istiod or the API server writes.
pub(crate) fn complete(
    rendered: Vec<Value>,
    version: Version,
    config: &Config,
    subject: &Metadata,
) -> Result<Vec<Value>, AccessError> {
    let mut objects = Vec::with_capacity(rendered.len() + 1);
    if makes_namespace(config, subject)? {
        objects.push(labelled(object(&namespace(), None, &config.namespace, json!({})), version, config));
    }
    for mut document in
        rendered.into_iter().filter(|own| !(own["kind"] == "Namespace" && own["metadata"]["name"] == *config.namespace))
    {
        webhooks::yield_to_istiod(&mut document, config)?;
        let document = labelled(without_servers_fields(document), version, config);
        let defines = document["kind"] == "CustomResourceDefinition";
        objects.push(if defines { never_pruned(document) } else { document });
    }
    Ok(objects)
}

/// Whether the reconciler creates the namespace. It does not create the subject's own namespace:
/// each would wait for the other's deletion.
fn makes_namespace(config: &Config, subject: &Metadata) -> Result<bool, AccessError> {
    if subject.namespace.as_ref() == Some(&config.namespace) {
        return Ok(false);
    }
    let there: Option<Namespace> =
        cluster::get(&ObjectRef::new(namespace(), None, &config.namespace), Some(NAMESPACES))?;
    Ok(config.adopt || there.is_none_or(|there| there.metadata.labels.contains_key("mizzen.dev/owner")))
}

/// The labels that `istioctl install` sets on all objects.
fn labelled(mut document: Value, version: Version, config: &Config) -> Value {
    let labels = &mut document["metadata"]["labels"];
    if !labels.is_object() {
        *labels = json!({});
    }
    labels["operator.istio.io/managed"] = json!("Reconcile");
    labels[VERSION_LABEL] = json!(version.to_string());
    labels["install.operator.istio.io/owning-resource-namespace"] = json!(config.namespace);
    document
}

/// Rendering in Go leaves empty fields that the API server fills in.
fn without_servers_fields(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = document["metadata"].as_object_mut() {
        metadata.remove("creationTimestamp");
    }
    document
}

fn namespace() -> Kind {
    Kind::new("v1", "Namespace")
}
