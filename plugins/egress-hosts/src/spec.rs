//! The custom resource `ExternalHosts`: what is written, and what is answered.

use mizzen_istio_egress::Protocol;
use mizzen_sdk::resource::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// External hosts that the mesh may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spec {
    /// One for each host and port.
    #[schemars(length(max = 500))]
    pub hosts: Vec<ExternalHost>,
}

/// An external host, or addresses, at a port. One of `host`, `ip` and `cidr` says where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "[has(self.host), has(self.ip), has(self.cidr)].filter(given, given).size() == 1",
     "message": "write one of `host`, `ip` and `cidr`"},
    {"rule": "!has(self.host) || has(self.protocol)", "message": "a host needs a `protocol`: HTTP, HTTPS, TLS or TCP"},
    {"rule": "has(self.host) || !has(self.protocol) || self.protocol == 'TCP'",
     "message": "whatever is spoken at an address, to the mesh it is TCP: leave `protocol` out"},
]))]
pub struct ExternalHost {
    /// A full name such as `api.example.com`, or all below a domain: `*.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub host: Option<String>,
    /// An IPv4 or IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 45))]
    pub ip: Option<String>,
    /// A network, e.g. `203.0.113.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 49))]
    pub cidr: Option<String>,
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// What is spoken there. At addresses everything is TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Ends the names of the entries that it is in: those of one name share them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub name: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Hosts and networks that are in the entries made for this list.
    pub targets: u32,
    /// The names of those entries.
    pub entries: Vec<String>,
    /// In detail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
