//! The objects of the mesh that are read: gateways, addresses, endpoints.

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde::{Deserialize, Serialize};

/// A `Gateway`, with the fields that are read.
pub type Gateway = kube::core::Object<GatewaySpec, serde_json::Value>;

/// The listeners of a gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GatewaySpec {
    /// Its listeners.
    #[serde(default)]
    pub servers: Vec<Listener>,
}

/// One listener.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listener {
    /// Its port.
    pub port: Port,
}

/// A listener's port.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// E.g. `HTTPS`.
    pub protocol: String,
}

/// The settings of the operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The Gateway that APIs are published on: `namespace/name`, or the name of one in the API's own namespace.
    pub gateway: String,
    /// The host of APIs without one.
    pub public_hostname: Option<String>,
}

/// The address of the mesh.
#[derive(Clone, Debug, Default)]
pub struct Address {
    /// The load balancer's IP or host name.
    pub ip: Option<String>,
    /// The first listener of the gateway.
    pub listener: Option<Port>,
}

impl Settings {
    /// Returns the namespace and name of the gateway for the APIs of a namespace.
    pub fn gateway_for<'a>(&'a self, namespace: &'a str) -> (&'a str, &'a str) {
        self.gateway.split_once('/').unwrap_or((namespace, &self.gateway))
    }
}

impl Address {
    /// Returns the address, from the ingress gateway's Services and the Gateway.
    pub fn of<'a>(mut services: impl Iterator<Item = &'a Service>, gateway: Option<&Gateway>) -> Self {
        let ip = services.find_map(|service| {
            let ingress = service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?;
            ingress.ip.clone().or_else(|| ingress.hostname.clone())
        });
        let listener = gateway.and_then(|gateway| gateway.spec.servers.first()).map(|server| server.port.clone());
        Self { ip, listener }
    }

    /// Returns the beginning of the URLs of a host; `None` without a gateway.
    pub fn base(&self, host: &str) -> Option<String> {
        let Port { number, protocol } = self.listener.as_ref()?;
        let (scheme, usual) = if protocol.eq_ignore_ascii_case("HTTPS") { ("https", 443) } else { ("http", 80) };
        Some(if *number == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{number}") })
    }
}

/// Whether an endpoint of a slice is ready. Without a condition it is, as the API of slices defines.
pub fn any_ready(slice: &EndpointSlice) -> bool {
    slice.endpoints.iter().any(|endpoint| endpoint.conditions.as_ref().and_then(|c| c.ready) != Some(false))
}
