//! What is read of the cluster: of each kind the few fields that decide.

use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, Query, cluster};
use serde::Deserialize;

const READINESS: &str = "readiness";
const ADDRESS: &str = "address";
const SERVERS: &str = "servers";

#[derive(Deserialize)]
struct EndpointSlice {
    /// `null` in a slice without endpoints.
    endpoints: Option<Vec<Endpoint>>,
}

#[derive(Deserialize)]
struct Endpoint {
    conditions: Option<Conditions>,
}

#[derive(Deserialize)]
struct Conditions {
    ready: Option<bool>,
}

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
    ingress: Vec<Ingress>,
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
    port: Listener,
}

/// Where and how a gateway listens.
#[derive(Deserialize)]
pub(crate) struct Listener {
    number: u16,
    protocol: String,
}

fn endpoint_slice() -> Kind {
    Kind::new("discovery.k8s.io/v1", "EndpointSlice")
}

fn service() -> Kind {
    Kind::new("v1", "Service")
}

fn gateway() -> Kind {
    Kind::new("networking.istio.io/v1", "Gateway")
}

pub(crate) fn declare(description: Description) -> Description {
    description
        .reads_fields(READINESS, endpoint_slice(), &["endpoints[*].conditions.ready"], "whether an API is served")
        .reads_fields(ADDRESS, service(), &["status.loadBalancer.ingress"], "where the ingress gateway is reached")
        .reads_fields(SERVERS, gateway(), &["spec.servers"], "how the gateway listens: URLs begin with it")
}

/// Whether an endpoint of a Service is ready, in any of its slices. One that does not say is, as the API of slices has it.
pub(crate) fn any_endpoint_ready(namespace: &str, service: &str) -> Result<bool, AccessError> {
    let query =
        Query::of(endpoint_slice()).namespace(namespace).label("kubernetes.io/service-name", service).fields(READINESS);
    let slices: Vec<EndpointSlice> = cluster::list(&query)?;
    let mut endpoints = slices.iter().filter_map(|slice| slice.endpoints.as_ref()).flatten();
    Ok(endpoints.any(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false)))
}

/// The address of the ingress gateway's load balancer: an IP, or a host name; `None` while it has none.
pub(crate) fn address() -> Result<Option<String>, AccessError> {
    let query = Query::of(service()).label("istio", "ingressgateway").fields(ADDRESS);
    let services: Vec<Service> = cluster::list(&query)?;
    let mut first = services.into_iter().filter_map(|service| service.status.load_balancer.ingress.into_iter().next());
    Ok(first.find_map(|ingress| ingress.ip.or(ingress.hostname)))
}

/// How the gateway (`namespace/name`, or the name of one in `namespace`) listens first; `None` while there is no such gateway.
pub(crate) fn listener(name: &str, namespace: &str) -> Result<Option<Listener>, AccessError> {
    let (namespace, name) = name.split_once('/').unwrap_or((namespace, name));
    let gateway: Option<Gateway> = cluster::get(&ObjectRef::new(gateway(), Some(namespace), name), Some(SERVERS))?;
    Ok(gateway.and_then(|gateway| gateway.spec.servers.into_iter().next()).map(|server| server.port))
}

impl Listener {
    /// Scheme, host, and the port where the scheme does not say it.
    pub(crate) fn base(&self, host: &str) -> String {
        let (scheme, usual) = if self.protocol.eq_ignore_ascii_case("HTTPS") { ("https", 443) } else { ("http", 80) };
        if self.number == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{}", self.number) }
    }
}
