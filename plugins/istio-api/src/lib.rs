//! The Istio custom resource, `istios.mizzen.dev/v1alpha1`: what a user wants of the mesh, and how far it has come.
//!
//! Field for field Kyma's `operator.kyma-project.io/v1alpha2`, so that a spec moves from one to the other as it is. Types refuse nothing
//! that Kyma accepts; what a value may be is said by the schema, to the API server.

mod components;
mod config;
#[cfg(not(target_arch = "wasm32"))]
mod definition;
pub mod oldest;
pub mod plane;
pub mod reasons;
mod status;
mod supported;
mod version;

pub use components::{
    CniComponent, CniK8s, Component, Components, EgressGateway, HpaSpec, IntOrString, K8s, ProxyComponent, ProxyK8s,
    ResourceClaims, Resources, RollingUpdate, Strategy,
};
pub use config::{
    Authorizer, Config, ExternalTrafficPolicy, ForwardClientCertDetails, Headers, InCheck, Metrics, ProxyStatsMatcher,
    Telemetry, ToDownstream, ToUpstream,
};
#[cfg(not(target_arch = "wasm32"))]
pub use definition::crd;
pub use status::{Sidecars, State, Status, Workloads};
pub use supported::{Minor, Supported};
pub use version::{NotAVersion, Refusal, Version};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is wanted of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// How the mesh behaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Config>,
    /// How its components run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Components>,
    /// Features without a promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experimental: Option<Experimental>,
    /// Behave as the Istio version before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility_mode: Option<bool>,
    /// Restrict the components' own traffic by network policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policies_enabled: Option<bool>,
}

/// Features without a promise: those that come and go are kept, though not known by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Experimental {
    /// Features of istiod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pilot: Option<PilotFeatures>,
    /// IPv4 and IPv6 at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dual_stack: Option<bool>,
    /// A mesh without sidecars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ambient: Option<bool>,
    /// All others, as they are.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Features of istiod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PilotFeatures {
    /// The Gateway API's alpha kinds.
    #[serde(rename = "enableAlphaGatewayAPI", skip_serializing_if = "Option::is_none")]
    pub enable_alpha_gateway_api: Option<bool>,
    /// Gateways of other networks, found by the Gateway API.
    #[serde(rename = "enableMultiNetworkDiscoverGatewayAPI", skip_serializing_if = "Option::is_none")]
    pub enable_multi_network_discover_gateway_api: Option<bool>,
    /// All others, as they are.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
