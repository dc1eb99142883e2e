//! The address of an API: the address of the gateway's Service, and the servers of its Gateway.

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
    /// `null` until the load balancer has one.
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
    /// Not allowed by Istio for `PASSTHROUGH`.
    mode: Option<String>,
}

#[derive(Deserialize)]
struct Port {
    number: u16,
    protocol: String,
}

/// Where an API is reachable from outside.
pub(crate) struct Address {
    /// The load balancer's address; `None` until it has one.
    pub(crate) balancer: Option<String>,
    /// The start of its URL, up to the path; `None` without a host or a server.
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
        .reads_fields(ADDRESS, service(), &["status.loadBalancer.ingress"], "the address of the ingress gateway")
        .reads_fields(SERVERS, gateway(), &["spec.servers"], "the gateway's servers, from which URLs are built")
}

impl Address {
    pub(crate) fn of(api: &Api) -> Result<Self, AccessError> {
        let balancer = balancer(&api.config.gateway_service)?;
        let servers = servers(api)?;
        let host = api.told_host().or(balancer.as_deref());
        let base = host.zip(listener(&servers, api)).map(|(host, port)| port.base(host));
        Ok(Self { balancer, base })
    }

    /// The URL of a path, with or without its leading slash, or of a text that is a URL already.
    pub(crate) fn url(&self, path: &str) -> Option<String> {
        if is_url(path) {
            return Some(path.to_owned());
        }
        self.base.as_ref().map(|base| format!("{base}/{}", path.strip_prefix('/').unwrap_or(path)))
    }
}

/// Whether a text starts with a scheme and `://`.
fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// The first address of the first Service with one.
fn balancer(selector: &str) -> Result<Option<String>, AccessError> {
    let services: Vec<Service> = cluster::list(&Query::of(service()).selector(selector).fields(ADDRESS))?;
    let mut all = services.into_iter().filter_map(|service| service.status.load_balancer.ingress).flatten();
    Ok(all.find_map(Ingress::address))
}

/// The servers of the API's Gateway; empty if it does not exist.
fn servers(api: &Api) -> Result<Vec<Server>, AccessError> {
    let (namespace, name) = api.config.gateway_of(api.namespace);
    let found: Option<Gateway> = cluster::get(&ObjectRef::new(gateway(), Some(namespace), name), Some(SERVERS))?;
    Ok(found.map_or_else(Vec::new, |gateway| gateway.spec.servers))
}

/// The best port for callers: of the servers that serve its route, an encrypted one if there is
/// one.
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
    /// Whether it routes by path: Istio forwards traffic that it does not decrypt, and `TLS` even
    /// if it decrypts it, as a stream.
    fn routes_http(&self) -> bool {
        let passes_on = |tls: &Tls| matches!(tls.mode.as_deref(), None | Some("" | "PASSTHROUGH" | "AUTO_PASSTHROUGH"));
        self.port.is_any(&["HTTP", "HTTP2", "GRPC", "GRPC-WEB"])
            || (self.port.is_encrypted() && !self.tls.as_ref().is_some_and(passes_on))
    }

    /// Whether an API's route may bind to it. Without hosts it serves all; a prefix is the
    /// namespace of the routes: `*` is any, `.` the Gateway's own.
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

/// Whether a server's host, which may start with a star, matches this lower-case host.
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

    /// Scheme, host, and the port unless it is the scheme's default.
    fn base(&self, host: &str) -> String {
        let (scheme, usual) = if self.is_encrypted() { ("https", 443) } else { ("http", 80) };
        // An IPv6 address needs brackets before a port.
        let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
        if self.number == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{}", self.number) }
    }
}
