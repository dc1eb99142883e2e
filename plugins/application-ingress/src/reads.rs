//! What is read of the cluster: of each kind the few fields that decide.

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
struct Port {
    #[serde(default)]
    name: String,
    port: u16,
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
            "whether the application's Gateway lets the hosts in",
        )
        .reads_fields(
            PORTS,
            service(),
            &["spec.ports[*].name", "spec.ports[*].port"],
            "where rules without a destination lead to",
        )
}

/// The hosts that the Gateway of an application lets in; `None` while there is no such Gateway.
pub(crate) fn hosts_let_in(owner: Owner<'_>) -> Result<Option<Vec<String>>, AccessError> {
    let name = names::gateway(owner.namespace, owner.app);
    let found: Option<Gateway> = cluster::get(&ObjectRef::new(gateway(), Some(owner.namespace), &name), Some(SERVERS))?;
    Ok(found.map(|gateway| gateway.spec.servers.into_iter().flat_map(|server| server.hosts).collect()))
}

/// Where a rule without a destination leads to: the component's only Service, at its only port or the only one named `http…`. The
/// text says why there is none.
pub(crate) fn only_service(owner: Owner<'_>, component: &str) -> Result<Result<Destination, String>, AccessError> {
    let query = Query::of(service()).namespace(owner.namespace).label(APP, owner.app).label(COMPONENT, component);
    let all: Vec<Service> = cluster::list(&query.fields(PORTS))?;
    let [Service { metadata, spec }] = all.as_slice() else {
        return Ok(Err(format!("{} Services are labelled with component `{component}`", all.len())));
    };
    let http: Vec<_> = spec.ports.iter().filter(|port| port.name.starts_with("http")).collect();
    let port = match (spec.ports.as_slice(), http.as_slice()) {
        ([only], _) => only.port,
        (_, [only]) => only.port,
        _ => return Ok(Err(format!("Service {} has several ports, and not one of them named `http…`", metadata.name))),
    };
    Ok(Ok(Destination { host: metadata.name.clone(), port: Some(port) }))
}
