//! Where the gateway is reached: the address of its Service, and how its Gateway listens there.

use std::net::Ipv6Addr;

use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, Query, cluster};
use serde::Deserialize;

use crate::api::Api;

const ADDRESS: &str = "address";
const SERVERS: &str = "servers";

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    status: ServiceStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceStatus {
    load_balancer: LoadBalancer,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    /// `null` while there is none.
    ingress: Option<Vec<Ingress>>,
}

#[derive(Deserialize)]
struct Ingress {
    ip: Option<String>,
    hostname: Option<String>,
}

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

#[derive(Deserialize)]
struct Server {
    port: Port,
    #[serde(default)]
    hosts: Vec<String>,
    tls: Option<Tls>,
}

#[derive(Deserialize)]
struct Tls {
    /// Istio takes none for `PASSTHROUGH`.
    mode: Option<String>,
}

#[derive(Deserialize)]
struct Port {
    number: u16,
    protocol: String,
}

/// Where an API is reached from outside.
pub(crate) struct Address {
    /// The load balancer's; `None` while it has none.
    pub(crate) balancer: Option<String>,
    /// What its URL begins with, up to the path; `None` while there is neither host nor listener.
    pub(crate) base: Option<String>,
}

fn service() -> Kind {
    Kind::new("v1", "Service")
}

fn gateway() -> Kind {
    Kind::new("networking.istio.io/v1", "Gateway")
}

pub(crate) fn declare(description: Description) -> Description {
    description
        .reads_fields(ADDRESS, service(), &["status.loadBalancer.ingress"], "where the ingress gateway is reached")
        .reads_fields(SERVERS, gateway(), &["spec.servers"], "how the gateway listens: URLs begin with it")
}

impl Address {
    pub(crate) fn of(api: &Api) -> Result<Self, AccessError> {
        let balancer = balancer(&api.config.gateway_service)?;
        let servers = servers(api)?;
        let host = api.told_host().or(balancer.as_deref());
        let base = host.zip(listener(&servers, api)).map(|(host, port)| port.base(host));
        Ok(Self { balancer, base })
    }

    /// The URL of a path, with or without its slash, or of what is a URL already.
    pub(crate) fn url(&self, path: &str) -> Option<String> {
        if is_url(path) {
            return Some(path.to_owned());
        }
        self.base.as_ref().map(|base| format!("{base}/{}", path.strip_prefix('/').unwrap_or(path)))
    }
}

/// Whether a text begins with a scheme and `://`.
fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// The first address of the first Service that has one.
fn balancer(selector: &str) -> Result<Option<String>, AccessError> {
    let services: Vec<Service> = cluster::list(&Query::of(service()).selector(selector).fields(ADDRESS))?;
    let mut all = services.into_iter().filter_map(|service| service.status.load_balancer.ingress).flatten();
    Ok(all.find_map(Ingress::address))
}

/// The servers of the API's Gateway; none while there is no such Gateway.
fn servers(api: &Api) -> Result<Vec<Server>, AccessError> {
    let (namespace, name) = api.config.gateway_of(api.namespace);
    let found: Option<Gateway> = cluster::get(&ObjectRef::new(gateway(), Some(namespace), name), Some(SERVERS))?;
    Ok(found.map_or_else(Vec::new, |gateway| gateway.spec.servers))
}

/// The port that an API's callers are best told: of those whose server takes its route, an encrypted one before others.
fn listener<'a>(servers: &'a [Server], api: &Api) -> Option<&'a Port> {
    let fits = servers.iter().filter(|server| server.routes_http() && server.takes(api));
    fits.map(|server| &server.port).min_by_key(|port| !port.is_encrypted())
}

impl Ingress {
    fn address(self) -> Option<String> {
        [self.ip, self.hostname].into_iter().flatten().find(|text| !text.is_empty())
    }
}

impl Server {
    /// Whether it looks at paths: what it does not decrypt, and what is `TLS` even if it does, Istio passes on as a stream.
    fn routes_http(&self) -> bool {
        let passes_on = |tls: &Tls| matches!(tls.mode.as_deref(), None | Some("" | "PASSTHROUGH" | "AUTO_PASSTHROUGH"));
        self.port.is_any(&["HTTP", "HTTP2", "GRPC", "GRPC-WEB"])
            || (self.port.is_encrypted() && !self.tls.as_ref().is_some_and(passes_on))
    }

    /// Whether an API's route may bind to it. One that names no host takes all; before a host stands the namespace whose routes it
    /// is for: `*` is any, `.` the Gateway's own.
    fn takes(&self, api: &Api) -> bool {
        let (gateway_namespace, _) = api.config.gateway_of(api.namespace);
        let binds = |own: &str| {
            let (namespace, own) = own.split_once('/').unwrap_or(("*", own));
            let namespace = if namespace == "." { gateway_namespace } else { namespace };
            (namespace == "*" || namespace == api.namespace) && api.told_host().is_none_or(|host| fits(own, host))
        };
        self.hosts.is_empty() || self.hosts.iter().any(|own| binds(own))
    }
}

/// Whether a server's host, which may begin with a star, is this one, which is in lower case.
fn fits(own: &str, host: &str) -> bool {
    let own = own.to_ascii_lowercase();
    match own.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => own == host,
    }
}

impl Port {
    fn is_any(&self, protocols: &[&str]) -> bool {
        protocols.iter().any(|protocol| self.protocol.eq_ignore_ascii_case(protocol))
    }

    fn is_encrypted(&self) -> bool {
        self.is_any(&["HTTPS"])
    }

    /// Scheme, host, and the port where the scheme does not say it.
    fn base(&self, host: &str) -> String {
        let (scheme, usual) = if self.is_encrypted() { ("https", 443) } else { ("http", 80) };
        // Of an address of colons the last would begin the port.
        let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
        if self.number == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{}", self.number) }
    }
}
