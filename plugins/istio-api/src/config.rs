//! How the mesh behaves: `spec.config`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the mesh behaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    /// How many proxies before the ingress gateway are trusted to say where a request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4_294_967_295_u32), extend("format" = "int64"))]
    pub num_trusted_proxies: Option<u32>,
    /// What the ingress gateway does with the client certificate header of a request; `SANITIZE_SET` when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_client_cert_details: Option<ForwardClientCertDetails>,
    /// External services that decide whether a request may pass; an `AuthorizationPolicy` refers to one by its name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorizers: Vec<Authorizer>,
    /// Whether the ingress gateway's Service keeps the client's address (`Local`) or spreads traffic evenly (`Cluster`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_external_traffic_policy: Option<ExternalTrafficPolicy>,
    /// What is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// The trust domain of workload identities.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub trust_domain: Option<String>,
    /// Whether sidecars answer their workloads' DNS queries.
    #[serde(rename = "enableDNSProxying", skip_serializing_if = "Option::is_none")]
    pub enable_dns_proxying: Option<bool>,
    /// Which of Envoy's own statistics sidecars give, beyond the usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_stats_matcher: Option<ProxyStatsMatcher>,
}

/// What a gateway does with the client certificate header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ForwardClientCertDetails {
    /// Adds this hop's, on mutual TLS.
    AppendForward,
    /// Replaces it by this hop's, on mutual TLS.
    SanitizeSet,
    /// Drops it.
    Sanitize,
    /// Passes it on, always.
    AlwaysForwardOnly,
    /// Passes it on, on mutual TLS.
    ForwardOnly,
}

/// Whether a Service keeps the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ExternalTrafficPolicy {
    /// It does, and traffic is spread less evenly.
    Local,
    /// It does not.
    Cluster,
}

/// An external service that decides whether a request may pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    /// What an `AuthorizationPolicy` calls it; unique.
    pub name: String,
    /// The service that speaks Envoy's `ext_authz` over HTTP: `[namespace/]host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The service's port.
    #[schemars(extend("format" = "int32"))]
    pub port: u32,
    /// Which headers go where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    /// Goes before the path of what the service is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// How long it may take, e.g. `3s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// Which headers go where. `abc*` and `*abc` match by their beginning and end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Headers {
    /// To the service that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_check: Option<InCheck>,
    /// From it to the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_upstream: Option<ToUpstream>,
    /// From it to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_downstream: Option<ToDownstream>,
}

/// Headers to the service that is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InCheck {
    /// The client's, besides Host, Method, Path and Content-Length.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Fixed ones, in place of the client's of the same name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
}

/// Headers to the workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ToUpstream {
    /// When the request may pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_allow: Vec<String>,
}

/// Headers to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ToDownstream {
    /// When the request may pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_allow: Vec<String>,
    /// When it may not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_deny: Vec<String>,
}

/// What is measured.
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
    /// Whether sidecars give their own metrics and their workload's together, for Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_merge: Option<bool>,
}

/// Which of Envoy's own statistics sidecars give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyStatsMatcher {
    /// Those whose names match one of these regular expressions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inclusion_regexps: Vec<String>,
}
