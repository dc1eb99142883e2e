//! Istio's objects for a set of endpoints.
//!
//! | entry | of | addresses | resolution | VirtualService |
//! |---|---|---|---|---|
//! | `<prefix>-fqdn` | hosts | – | DNS | a route for each port of each host |
//! | `<prefix>-tcp` | one host that speaks TCP | – | DNS | as above, for its other ports |
//! | `<prefix>-wildcard` | wildcards | – | NONE | none: there is no one host to route to |
//! | `<prefix>-ip` | addresses | all | NONE | none |
//!
//! A part ends the name: `…-<word>`, or `….<label>`. What does not fit into one entry goes into a second, `…-2`, `…-<word>-2`, `…-2.<label>`,
//! and so on: a port number stands once in an entry, so hosts that speak different protocols at the same port need two, and Istio takes 256
//! hosts, addresses and ports in one.

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

/// Whose entries they are.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The namespace of the objects.
    pub namespace: String,
    /// Begins their names.
    pub prefix: Prefix,
    /// Ends their names.
    pub part: Option<Part>,
    /// Their labels.
    pub labels: BTreeMap<String, String>,
    /// Who is let through.
    pub visibility: Visibility,
    /// Which hosts share an entry.
    pub grouping: Grouping,
}

/// Whose traffic an entry lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Visibility {
    /// That of the whole mesh.
    Mesh,
    /// That of the workloads in the entry's own namespace.
    Namespace,
}

/// What is one entry's of the kinds above.
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

/// The objects that let the mesh reach these endpoints, the entries before the routes to them.
pub fn objects(scope: &Scope, endpoints: &Endpoints) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut routes = Vec::new();
    for form in [Form::Fqdn, Form::Tcp, Form::Wildcard, Form::Ip] {
        let of_form = endpoints.iter().filter(|(target, ports)| Form::of(target, ports.values()) == form);
        for (at, entry) in pack(of_form, form.hosts_in_one(), scope.grouping).iter().enumerate() {
            let name = names::of(scope, form.word(), at);
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

    /// TCP does not say which host is meant: two in one entry would be one to Istio.
    fn hosts_in_one(self) -> usize {
        if self == Self::Tcp { 1 } else { 256 }
    }

    fn entry(self, scope: &Scope, name: &str, at: usize, entry: &Entry<'_>) -> Value {
        let targets: Vec<_> = entry.targets.iter().map(|(target, _)| target.to_string()).collect();
        let port = |(port, protocol): (&crate::Port, &Protocol)| {
            let spoken = protocol.to_string();
            // As Dynatrace's operator has it, whose entries for addresses write it in capitals.
            let word = if self == Self::Ip { spoken.clone() } else { spoken.to_ascii_lowercase() };
            json!({"number": port.number(), "name": format!("{word}-{port}"), "protocol": spoken})
        };
        let ports: Vec<_> = entry.ports.iter().map(port).collect();
        let resolution = if matches!(self, Self::Fqdn | Self::Tcp) { "DNS" } else { "NONE" };
        let mut spec = json!({"ports": ports, "location": "MESH_EXTERNAL", "resolution": resolution});
        if self == Self::Ip {
            // An entry has a host, also where it is of addresses alone; one of its own, for Istio takes entries of one host for one.
            spec["hosts"] = json!([names::synthetic(scope, at)]);
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
