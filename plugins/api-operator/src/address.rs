//! Where the gateway is reached: the address of its Service, and how its Gateway listens there.

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
        let host = api.host().or(balancer.as_deref());
        let base = host.zip(listener(&servers, api.host())).map(|(host, port)| port.base(host));
        Ok(Self { balancer, base })
    }

    /// The URL of a path, or of what is a URL already.
    pub(crate) fn url(&self, path: &str) -> Option<String> {
        if path.starts_with('/') { self.base.as_ref().map(|base| format!("{base}{path}")) } else { Some(path.into()) }
    }
}

/// The first address of the first Service that has one.
fn balancer(selector: &str) -> Result<Option<String>, AccessError> {
    let services: Vec<Service> = cluster::list(&Query::of(service()).selector(selector).fields(ADDRESS))?;
    let mut all = services.into_iter().filter_map(|service| service.status.load_balancer.ingress?.into_iter().next());
    Ok(all.find_map(|ingress| ingress.ip.or(ingress.hostname)))
}

/// The servers of the API's Gateway; none while there is no such Gateway.
fn servers(api: &Api) -> Result<Vec<Server>, AccessError> {
    let (namespace, name) = api.config.gateway_of(api.namespace);
    let found: Option<Gateway> = cluster::get(&ObjectRef::new(gateway(), Some(namespace), name), Some(SERVERS))?;
    Ok(found.map_or_else(Vec::new, |gateway| gateway.spec.servers))
}

/// The port that callers of a host are best told: of those whose server takes it, an encrypted one before others.
fn listener<'a>(servers: &'a [Server], host: Option<&str>) -> Option<&'a Port> {
    let fits = servers.iter().filter(|server| server.takes(host));
    fits.map(|server| &server.port).min_by_key(|port| !port.is_encrypted())
}

impl Server {
    /// Whether it listens for a host. One that names none takes all; a namespace before the host says who may bind to it.
    fn takes(&self, host: Option<&str>) -> bool {
        let bare = |own: &str| own.rsplit_once('/').map_or_else(|| own.to_owned(), |(_, bare)| bare.to_owned());
        let Some(host) = host else { return true };
        self.hosts.is_empty()
            || self.hosts.iter().map(|own| bare(own)).any(|own| match own.strip_prefix('*') {
                Some(end) => host.ends_with(end),
                None => own == host,
            })
    }
}

impl Port {
    fn is_encrypted(&self) -> bool {
        ["HTTPS", "TLS"].iter().any(|protocol| self.protocol.eq_ignore_ascii_case(protocol))
    }

    /// Scheme, host, and the port where the scheme does not say it.
    fn base(&self, host: &str) -> String {
        let (scheme, usual) = if self.is_encrypted() { ("https", 443) } else { ("http", 80) };
        if self.number == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{}", self.number) }
    }
}
