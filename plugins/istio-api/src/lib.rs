//! The Istio custom resource, `istios.mizzen.dev/v1alpha1`: the desired mesh, and its state.
//!
//! Field for field Kyma's `operator.kyma-project.io/v1alpha2`, so that a spec can be moved
//! unchanged. The types accept everything that Kyma accepts; the schema restricts values, in the
//! API server.

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

/// The desired state of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// The behaviour of the mesh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Config>,
    /// The settings of its components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Components>,
    /// Experimental features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experimental: Option<Experimental>,
    /// Behave as the previous version of Istio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility_mode: Option<bool>,
    /// Restrict the components' own traffic by network policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policies_enabled: Option<bool>,
}

/// Experimental features: those that are not known by name are kept, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Experimental {
    /// Features of istiod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pilot: Option<PilotFeatures>,
    /// Dual stack: IPv4 and IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dual_stack: Option<bool>,
    /// A mesh without sidecars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ambient: Option<bool>,
    /// All others, unchanged.
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
    /// Gateways of other networks, discovered by the Gateway API.
    #[serde(rename = "enableMultiNetworkDiscoverGatewayAPI", skip_serializing_if = "Option::is_none")]
    pub enable_multi_network_discover_gateway_api: Option<bool>,
    /// All others, unchanged.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
