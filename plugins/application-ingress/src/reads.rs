//! Reads of the cluster: only the fields that decide.

use mizzen_oam_api::{APP, COMPONENT, gateway, names};
use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, Query, cluster};
use serde::Deserialize;

use crate::ingress::{Destination, Owner};

const SERVERS: &str = "servers";
const PORTS: &str = "ports";

#[derive(Deserialize)]
struct Gateway {
    #[serde(default)]
    spec: GatewaySpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GatewaySpec {
    servers: Vec<Server>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Server {
    hosts: Vec<String>,
}

#[derive(Deserialize)]
struct Service {
    metadata: Named,
    #[serde(default)]
    spec: ServiceSpec,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServiceSpec {
    ports: Vec<Port>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    #[serde(default)]
    name: String,
    #[serde(rename = "port")]
    number: u16,
    /// `None`: TCP.
    protocol: Option<String>,
    app_protocol: Option<String>,
}

/// The protocol of a port, as far as routes for HTTP need it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Http,
    /// HTTP/2 without TLS.
    Http2,
    Tls,
    /// Unknown.
    Unspecified,
}

/// Why a rule has no destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Nowhere {
    /// The destination may appear.
    NotYet(String),
    /// The trait or the cluster must be changed.
    Refused(String),
}

fn service() -> Kind {
    Kind::new("v1", "Service")
}

pub(crate) fn declare(description: Description) -> Description {
    description
        .reads_fields(
            SERVERS,
            gateway(),
            &["spec.servers[*].hosts"],
            "whether the application's Gateway serves the hosts",
        )
        .reads_fields(
            PORTS,
            service(),
            &["spec.ports[*].name", "spec.ports[*].port", "spec.ports[*].protocol", "spec.ports[*].appProtocol"],
            "the destinations of rules that name none",
        )
}

/// The hosts that an application's Gateway serves; `None` if it does not exist.
pub(crate) fn hosts_let_in(owner: Owner<'_>) -> Result<Option<Vec<String>>, AccessError> {
    let name = names::gateway(owner.namespace, owner.app);
    let found: Option<Gateway> = cluster::get(&ObjectRef::new(gateway(), Some(owner.namespace), &name), Some(SERVERS))?;
    Ok(found.map(|gateway| gateway.spec.servers.into_iter().flat_map(|server| server.hosts).collect()))
}

/// The destination of a rule that names none: the component's only Service, at its HTTP port.
pub(crate) fn only_service(owner: Owner<'_>, component: &str) -> Result<Result<Destination, Nowhere>, AccessError> {
    let query = Query::of(service()).namespace(owner.namespace).label(APP, owner.app).label(COMPONENT, component);
    let all: Vec<Service> = cluster::list(&query.fields(PORTS))?;
    Ok(match all.as_slice() {
        [] => Err(Nowhere::NotYet(format!("no Service has the label of component `{component}` yet"))),
        [Service { metadata: Named { name }, spec }] => match http_port(&spec.ports) {
            Some(port) => Ok(Destination { host: name.clone(), port: Some(port.number) }),
            None => Err(Nowhere::Refused(format!(
                "Service {name} does not have exactly one port for HTTP: name a TCP port `http` or \
                 `http-…`, or write the destination's host and port"
            ))),
        },
        _ => Err(Nowhere::Refused(format!("{} Services have the label of component `{component}`", all.len()))),
    })
}

/// The only TCP port with HTTP/1; without one, the only one with HTTP/2; without one, the only
/// port, unless it expects TLS, which a route does not send.
fn http_port(ports: &[Port]) -> Option<&Port> {
    let all = || ports.iter().filter(|port| port.is_tcp());
    for wanted in [Speaks::Http, Speaks::Http2] {
        let mut speaking = all().filter(|port| port.speaks() == wanted);
        if let Some(first) = speaking.next() {
            return speaking.next().is_none().then_some(first);
        }
    }
    let mut any = all();
    any.next().filter(|only| any.next().is_none() && only.speaks() == Speaks::Unspecified)
}

// === impl Port ===

impl Port {
    fn is_tcp(&self) -> bool {
        self.protocol.as_deref().is_none_or(|protocol| protocol.eq_ignore_ascii_case("TCP"))
    }

    /// By Istio's rules: by `appProtocol`, or by the name up to its first `-`.
    fn speaks(&self) -> Speaks {
        let by_name = self.name.split('-').next().unwrap_or_default();
        let protocol = self.app_protocol.as_deref().filter(|protocol| !protocol.is_empty()).unwrap_or(by_name);
        match protocol.to_ascii_lowercase().as_str() {
            "http" | "kubernetes.io/ws" => Speaks::Http,
            "http2" | "grpc" | "grpc-web" | "kubernetes.io/h2c" => Speaks::Http2,
            "https" | "tls" | "kubernetes.io/wss" => Speaks::Tls,
            _ => Speaks::Unspecified,
        }
    }
}

// === impl Nowhere ===

impl Nowhere {
    /// Adds the missing field to the message.
    pub(crate) fn at(self, field: &str) -> Self {
        let full = |why: String| format!("`{field}`: it is missing, and {why}");
        match self {
            Self::NotYet(why) => Self::NotYet(full(why)),
            Self::Refused(why) => Self::Refused(full(why)),
        }
    }
}
