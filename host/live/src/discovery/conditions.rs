//! Whether a kind's `status.conditions` is a list keyed by `type`, which only its CRD says.

use mizzen_model::Kind;
use serde::Deserialize;

use crate::link::{Fault, Link};

/// A `CustomResourceDefinition` with nothing but the path to `status.conditions`: whole schemas can
/// take megabytes.
#[derive(Debug, Deserialize)]
struct Definition {
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Spec {
    versions: Vec<Version>,
}

#[derive(Debug, Deserialize)]
struct Version {
    name: String,
    schema: Option<Validation>,
}

#[derive(Debug, Deserialize)]
struct Validation {
    #[serde(rename = "openAPIV3Schema")]
    root: Option<Properties<Status>>,
}

#[derive(Debug, Deserialize)]
struct Properties<T> {
    properties: Option<T>,
}

#[derive(Debug, Deserialize)]
struct Status {
    status: Option<Properties<Conditions>>,
}

#[derive(Debug, Deserialize)]
struct Conditions {
    conditions: Option<Listing>,
}

#[derive(Debug, Deserialize)]
struct Listing {
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<String>,
    #[serde(default, rename = "x-kubernetes-list-map-keys")]
    keys: Vec<String>,
}

/// Reads the kind's CRD. A kind without one is built in, and built-in kinds list conditions by
/// type. If the host may not read the CRD, this is `false`, which is always safe: then one field
/// manager owns the whole list.
pub(crate) async fn by_type(link: &Link, kind: &Kind, plural: &str) -> Result<bool, Fault> {
    if has_no_crd(kind.group()) {
        return Ok(true);
    }
    match link.get::<Definition>(&definition_path(kind, plural)).await {
        Ok(definition) => Ok(definition.has_conditions_by_type(kind.version())),
        Err(Fault::Refused(status)) if matches!(status.code, 403 | 404) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// The path of the CRD of a kind.
pub(crate) fn definition_path(kind: &Kind, plural: &str) -> String {
    format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{}", kind.group())
}

/// Whether a group is the API server's own. Those have no dot, or end in `.k8s.io`; but so do some
/// CRDs (Gateway API).
pub(crate) fn has_no_crd(group: &str) -> bool {
    const BUILT_IN: [&str; 18] = [
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    ];
    !group.contains('.') || BUILT_IN.contains(&group)
}

impl Definition {
    fn has_conditions_by_type(&self, version: &str) -> bool {
        let version = self.spec.versions.iter().find(|candidate| candidate.name == version);
        let conditions = version
            .and_then(|version| version.schema.as_ref()?.root.as_ref()?.properties.as_ref()?.status.as_ref())
            .and_then(|status| status.properties.as_ref()?.conditions.as_ref());
        conditions.is_some_and(|list| list.list_type.as_deref() == Some("map") && list.keys == ["type"])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn definition(conditions: &Value) -> Definition {
        let schema = json!({"properties": {"status": {"properties": {"conditions": conditions}}}});
        let versions = json!([{"name": "v1", "schema": {"openAPIV3Schema": schema}}, {"name": "v1beta1"}]);
        serde_json::from_value(json!({"spec": {"group": "x.y", "versions": versions}})).unwrap()
    }

    #[test]
    fn conditions_are_by_type_when_the_schema_of_that_version_says_so() {
        let by_type = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]});
        assert!(definition(&by_type).has_conditions_by_type("v1"));
        assert!(!definition(&by_type).has_conditions_by_type("v1beta1"));
        assert!(!definition(&json!({"type": "array"})).has_conditions_by_type("v1"));
        let by_name = json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]});
        assert!(!definition(&by_name).has_conditions_by_type("v1"));
    }

    #[test]
    fn the_gateway_api_is_not_built_in() {
        assert!(has_no_crd("apps") && has_no_crd("") && has_no_crd("networking.k8s.io"));
        assert!(!has_no_crd("gateway.networking.k8s.io") && !has_no_crd("networking.istio.io"));
    }
}
