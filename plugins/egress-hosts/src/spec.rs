//! The custom resource `ExternalHosts`.

use mizzen_istio_egress::Protocol;
use mizzen_sdk::resource::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// External hosts that the mesh may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spec {
    /// One entry for each host and port.
    #[schemars(length(max = 500))]
    pub hosts: Vec<ExternalHost>,
}

/// An external host, or addresses, at a port. Exactly one of `host`, `ip` and `cidr` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "[has(self.host), has(self.ip), has(self.cidr)].filter(given, given).size() == 1",
     "message": "write one of `host`, `ip` and `cidr`"},
    {"rule": "!has(self.host) || has(self.protocol)", "message": "a host needs a `protocol`: HTTP, HTTPS, TLS or TCP"},
    {"rule": "has(self.host) || !has(self.protocol) || self.protocol == 'TCP'",
     "message": "at an address every protocol is TCP to the mesh: omit `protocol`"},
]))]
pub struct ExternalHost {
    /// A full name such as `api.example.com`, or all hosts below a domain: `*.example.com`.
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
    /// The protocol. At addresses every protocol is TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// The end of the names of its entries: lines of one name share them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub name: Option<String>,
}

/// The state of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// How many hosts and networks are in the entries of this list.
    pub targets: u32,
    /// The names of those entries.
    pub entries: Vec<String>,
    /// Details.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
