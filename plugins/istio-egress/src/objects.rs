//! Istio's objects for a set of endpoints.
//!
//! | entry | of | addresses | resolution | VirtualService |
//! |---|---|---|---|---|
//! | `<prefix>-fqdn` | hosts | – | DNS | a route for each port of each host |
//! | `<prefix>-tcp` | one host that speaks TCP | – | DNS | as above, for its other ports |
//! | `<prefix>-wildcard` | wildcards | – | NONE | none: there is no one host to route to |
//! | `<prefix>-ip` | addresses | all | NONE | none |
//!
//! A part ends the name: `…-<word>`, or `….<label>`. What does not fit into one entry goes into a
//! second, `…-2`, `…-<word>-2`, `…-2.<label>`, and so on: an entry has a port number once, so hosts
//! with different protocols at one port need two entries, and Istio accepts 256 hosts, addresses
//! and ports in one.

mod names;
mod pack;
mod route;

use std::collections::BTreeMap;

use mizzen_sdk::{Kind, object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::endpoints::Endpoints;
use crate::{Protocol, Target};
pub use names::{NameError, Part, Prefix};
pub use pack::Grouping;
use pack::{Entry, pack};

/// The owner of entries, and what their objects share.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The namespace of the objects.
    pub namespace: String,
    /// The prefix of their names.
    pub prefix: Prefix,
    /// The end of their names.
    pub part: Option<Part>,
    /// Their labels.
    pub labels: BTreeMap<String, String>,
    /// Which workloads' traffic is allowed.
    pub visibility: Visibility,
    /// Which hosts share an entry.
    pub grouping: Grouping,
}

/// Which workloads' traffic an entry allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Visibility {
    /// All workloads of the mesh.
    Mesh,
    /// The workloads in the entry's own namespace.
    Namespace,
}

/// The kinds of entries, as above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Fqdn,
    Tcp,
    Wildcard,
    Ip,
}

/// Istio's `ServiceEntry`.
pub fn service_entry() -> Kind {
    Kind::new("networking.istio.io/v1", "ServiceEntry")
}

/// Istio's `VirtualService`.
pub fn virtual_service() -> Kind {
    Kind::new("networking.istio.io/v1", "VirtualService")
}

/// Returns the objects that let the mesh reach these endpoints: entries first, then the routes to
/// them.
pub fn objects(scope: &Scope, endpoints: &Endpoints) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut routes = Vec::new();
    for form in [Form::Fqdn, Form::Tcp, Form::Wildcard, Form::Ip] {
        let of_form = endpoints.iter().filter(|(target, ports)| Form::of(target, ports.values()) == form);
        for (at, entry) in pack(of_form, form.hosts_in_one(), scope.grouping).iter().enumerate() {
            let name = names::of(&scope.prefix, scope.part.as_ref(), form.word(), at);
            entries.push(form.entry(scope, &name, at, entry));
            routes.extend(matches!(form, Form::Fqdn | Form::Tcp).then(|| route::of(scope, &name, entry)).flatten());
        }
    }
    entries.append(&mut routes);
    entries
}

// === impl Form ===

impl Form {
    fn of<'a>(target: &Target, mut spoken: impl Iterator<Item = &'a Protocol>) -> Self {
        match target {
            Target::Net(_) => Self::Ip,
            Target::Wildcard(_) => Self::Wildcard,
            Target::Host(_) if spoken.any(|protocol| *protocol == Protocol::Tcp) => Self::Tcp,
            Target::Host(_) => Self::Fqdn,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Fqdn => "fqdn",
            Self::Tcp => "tcp",
            Self::Wildcard => "wildcard",
            Self::Ip => "ip",
        }
    }

    /// TCP does not carry the host's name: Istio could not distinguish two hosts in one entry.
    fn hosts_in_one(self) -> usize {
        if self == Self::Tcp { 1 } else { 256 }
    }

    fn entry(self, scope: &Scope, name: &str, at: usize, entry: &Entry<'_>) -> Value {
        let targets: Vec<_> = entry.targets.iter().map(|(target, _)| target.to_string()).collect();
        let port = |(port, protocol): (&crate::Port, &Protocol)| {
            let spoken = protocol.to_string();
            // As Dynatrace's operator writes it: in capitals for addresses.
            let word = if self == Self::Ip { spoken.clone() } else { spoken.to_ascii_lowercase() };
            json!({"number": port.number(), "name": format!("{word}-{port}"), "protocol": spoken})
        };
        let ports: Vec<_> = entry.ports.iter().map(port).collect();
        let resolution = if matches!(self, Self::Fqdn | Self::Tcp) { "DNS" } else { "NONE" };
        let mut spec = json!({"ports": ports, "location": "MESH_EXTERNAL", "resolution": resolution});
        if self == Self::Ip {
            // Every entry needs a host, even one of addresses. It is unique, because Istio merges
            // entries of the same host.
            spec["hosts"] = json!([names::synthetic(&scope.namespace, &scope.prefix, scope.part.as_ref(), at)]);
            spec["addresses"] = json!(targets);
        } else {
            spec["hosts"] = json!(targets);
        }
        scope.object(&service_entry(), name, spec)
    }
}

// === impl Scope ===

impl Scope {
    fn object(&self, kind: &Kind, name: &str, mut spec: Value) -> Value {
        if self.visibility == Visibility::Namespace {
            spec["exportTo"] = json!(["."]);
        }
        object(kind, Some(&self.namespace), name, json!({"metadata": {"labels": self.labels}, "spec": spec}))
    }
}
