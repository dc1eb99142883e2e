//! The configuration for all APIs.

use mizzen_oda_api::Host;
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The Gateway that APIs are published on: `namespace/name`, or the name of one in the API's own namespace.
    pub gateway: String,
    /// Labels of the gateway's Service: its load balancer's address is the address of APIs.
    pub gateway_service: String,
    /// The host of APIs without one; default, as with `*`: any, at the load balancer's address.
    #[serde(deserialize_with = "mizzen_oda_api::host")]
    #[schemars(with = "Option<String>")]
    pub public_hostname: Option<Host>,
    /// How Prometheus finds metrics.
    pub open_metrics: OpenMetrics,
}

/// How Prometheus finds metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OpenMetrics {
    /// By a ServiceMonitor for each API that serves metrics.
    #[default]
    ServiceMonitor,
    /// By annotations of the Pods: the reconciler `metrics-annotations` sets them, and this one
    /// does nothing.
    Annotations,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway: "canvas/component-gateway".into(),
            gateway_service: "istio=ingressgateway".into(),
            public_hostname: None,
            open_metrics: OpenMetrics::ServiceMonitor,
        }
    }
}

impl Config {
    /// Namespace and name of the Gateway, for an API in this namespace.
    pub(crate) fn gateway_of<'a>(&'a self, namespace: &'a str) -> (&'a str, &'a str) {
        self.gateway.split_once('/').unwrap_or((namespace, &self.gateway))
    }
}
