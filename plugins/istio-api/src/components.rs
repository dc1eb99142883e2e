//! The settings of the mesh's components: `spec.components`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The settings of the mesh's components.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Components {
    /// istiod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pilot: Option<Component>,
    /// The ingress gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_gateway: Option<Component>,
    /// The CNI's `DaemonSet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cni: Option<CniComponent>,
    /// Sidecars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyComponent>,
    /// The egress gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress_gateway: Option<EgressGateway>,
}

/// A component that is a Deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    /// Its settings.
    pub k8s: K8s,
}

/// The egress gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EgressGateway {
    /// Its settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k8s: Option<K8s>,
    /// Whether it is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// The CNI's `DaemonSet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CniComponent {
    /// Its settings.
    pub k8s: CniK8s,
}

/// Sidecars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProxyComponent {
    /// Their settings.
    pub k8s: ProxyK8s,
}

/// The settings of a Deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct K8s {
    /// The number of replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hpa_spec: Option<HpaSpec>,
    /// How Pods are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The resources of each Pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// The settings of the CNI's `DaemonSet`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CniK8s {
    /// The Pods' `affinity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub affinity: Option<Map<String, Value>>,
    /// The resources of each Pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// The settings of sidecars.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProxyK8s {
    /// The resources of each sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// The number of replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HpaSpec {
    /// The maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub max_replicas: Option<i32>,
    /// The minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub min_replicas: Option<i32>,
}

/// How a Deployment's Pods are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Strategy {
    /// As a rolling update.
    pub rolling_update: RollingUpdate,
}

/// The limits of a rolling update.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RollingUpdate {
    /// How many more Pods than desired there may be: a number, or a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "surge")]
    pub max_surge: Option<IntOrString>,
    /// How many fewer Pods there may be: a number, or a percentage up to `100%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "unavailable")]
    pub max_unavailable: Option<IntOrString>,
}

/// A number, or text such as `25%`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number.
    Int(i32),
    /// A percentage, or a number in quotes.
    String(String),
}

/// The resources of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Resources {
    /// The most that it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceClaims>,
    /// What is reserved for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<ResourceClaims>,
}

/// CPU and memory, as Kubernetes quantities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ResourceClaims {
    /// Cores, e.g. `100m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+m?|[0-9]\.[0-9]{1,3})$"))]
    pub cpu: Option<String>,
    /// Bytes, e.g. `128Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(((\.[0-9]+)?(E|P|T|G|M|k|Ei|Pi|Ti|Gi|Mi|Ki|m)?)|(e[0-9]+))$"))]
    pub memory: Option<String>,
}

/// The API server's schema of a Pod's affinity is not repeated here: it is validated when Istio's
/// objects are applied.
fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

fn surge(_: &mut SchemaGenerator) -> Schema {
    int_or_string("^[0-9]+%?$")
}

fn unavailable(_: &mut SchemaGenerator) -> Schema {
    int_or_string("^((100|[0-9]{1,2})%|[0-9]+)$")
}

fn int_or_string(pattern: &str) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "pattern": pattern,
        "minimum": 0,
        "maximum": i32::MAX,
    })
}
