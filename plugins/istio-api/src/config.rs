//! The behaviour of the mesh: `spec.config`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The behaviour of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    /// How many proxies in front of the ingress gateway are trusted to report the client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4_294_967_295_u32), extend("format" = "int64"))]
    pub num_trusted_proxies: Option<u32>,
    /// What the ingress gateway does with the client certificate header of a request; `SANITIZE_SET` when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_client_cert_details: Option<ForwardClientCertDetails>,
    /// External services that authorize requests; an `AuthorizationPolicy` refers to one by its
    /// name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorizers: Vec<Authorizer>,
    /// Whether the ingress gateway's Service keeps the client's address (`Local`) or spreads
    /// traffic evenly (`Cluster`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_external_traffic_policy: Option<ExternalTrafficPolicy>,
    /// Telemetry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// The trust domain of workload identities.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub trust_domain: Option<String>,
    /// Whether sidecars resolve their workloads' DNS queries.
    #[serde(rename = "enableDNSProxying", skip_serializing_if = "Option::is_none")]
    pub enable_dns_proxying: Option<bool>,
    /// Which of Envoy's own statistics sidecars report, in addition to the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_stats_matcher: Option<ProxyStatsMatcher>,
}

/// What a gateway does with the client certificate header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ForwardClientCertDetails {
    /// Appends this hop's certificate, with mutual TLS.
    AppendForward,
    /// Replaces it by this hop's certificate, with mutual TLS.
    SanitizeSet,
    /// Removes it.
    Sanitize,
    /// Forwards it, always.
    AlwaysForwardOnly,
    /// Forwards it, with mutual TLS.
    ForwardOnly,
}

/// Whether a Service keeps the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ExternalTrafficPolicy {
    /// It does; traffic is distributed less evenly.
    Local,
    /// It does not.
    Cluster,
}

/// An external service that authorizes requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    /// Its name in an `AuthorizationPolicy`; unique.
    pub name: String,
    /// The service that speaks Envoy's `ext_authz` over HTTP: `[namespace/]host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The service's port.
    #[schemars(extend("format" = "int32"))]
    pub port: u32,
    /// Which headers are sent where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    /// The prefix of the path of requests to the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// The timeout of a request to the service, e.g. `3s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// Which headers are sent where. `abc*` and `*abc` match prefixes and suffixes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Headers {
    /// To the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_check: Option<InCheck>,
    /// From the service to the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_upstream: Option<ToUpstream>,
    /// From the service to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_downstream: Option<ToDownstream>,
}

/// Headers of the request to the authorization service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InCheck {
    /// Headers of the client, in addition to Host, Method, Path and Content-Length.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Fixed headers, which replace the client's of the same name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
}

/// Headers to the workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ToUpstream {
    /// If the request is allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_allow: Vec<String>,
}

/// Headers to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ToDownstream {
    /// If the request is allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_allow: Vec<String>,
    /// If the request is denied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_deny: Vec<String>,
}

/// Telemetry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Telemetry {
    /// Metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
}

/// Metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Metrics {
    /// Whether sidecars merge their own metrics with their workload's, for Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_merge: Option<bool>,
}

/// Which of Envoy's own statistics sidecars report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyStatsMatcher {
    /// Statistics whose names match one of these regular expressions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inclusion_regexps: Vec<String>,
}
