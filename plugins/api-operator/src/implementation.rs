//! The implementation of an API: its Service, and the endpoints of that.

use std::collections::BTreeSet;

use mizzen_oda_api::{Backend, TargetPort};
use mizzen_sdk::{AccessError, Description, Kind, Query, cluster};
use serde::Deserialize;

use crate::api::Api;
use crate::rate_limit::Workload;

const ENDPOINTS: &str = "endpoints";

/// The endpoints of a Service, in all of its slices.
#[derive(Debug)]
pub(crate) struct Endpoints(Vec<EndpointSlice>);

#[derive(Debug, Deserialize)]
struct EndpointSlice {
    /// `null` in a slice without endpoints.
    endpoints: Option<Vec<Endpoint>>,
    ports: Option<Vec<EndpointPort>>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    conditions: Option<Conditions>,
}

#[derive(Debug, Deserialize)]
struct Conditions {
    ready: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct EndpointPort {
    name: Option<String>,
    port: Option<u16>,
}

fn endpoint_slice() -> Kind {
    Kind::new("discovery.k8s.io/v1", "EndpointSlice")
}

pub(crate) fn declare(description: Description) -> Description {
    let endpoints = ["endpoints[*].conditions.ready", "ports"];
    let itself = description.reads_fields(ENDPOINTS, endpoint_slice(), &endpoints, "whether an API is served");
    Backend::declare(itself, "the Pods whose sidecars enforce an API's rate limit")
}

/// Whether the implementation of an API can serve requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Implementation {
    /// At least one endpoint is ready.
    Ready,
    /// No endpoint is ready.
    NotReady,
}

impl Endpoints {
    pub(crate) fn of(api: &Api) -> Result<Self, AccessError> {
        let query = Query::of(endpoint_slice()).namespace(api.namespace).fields(ENDPOINTS);
        cluster::list(&query.label("kubernetes.io/service-name", api.service())).map(Self)
    }

    /// Ready if one of them is. An endpoint without the condition is ready, as the API of
    /// EndpointSlices defines.
    pub(crate) fn implementation(&self) -> Implementation {
        let mut all = self.0.iter().filter_map(|slice| slice.endpoints.as_ref()).flatten();
        let is_ready = |endpoint: &Endpoint| endpoint.conditions.as_ref().and_then(|own| own.ready) != Some(false);
        if all.any(is_ready) { Implementation::Ready } else { Implementation::NotReady }
    }

    /// The numbers of a Service port with a named target port: Pods of two releases may use
    /// different numbers, in separate slices.
    fn ports(&self, name: Option<&str>) -> BTreeSet<u16> {
        let same = |port: &&EndpointPort| port.name.as_deref().unwrap_or_default() == name.unwrap_or_default();
        let all = self.0.iter().filter_map(|slice| slice.ports.as_ref()).flatten();
        all.filter(same).filter_map(|port| port.port).collect()
    }
}

/// The Pods of an API and the ports they listen at; `None` if the Service does not exist, selects
/// nothing or lacks the port.
pub(crate) fn workload(api: &Api, endpoints: &Endpoints) -> Result<Option<Workload>, AccessError> {
    let Some(backend) = Backend::of(api.namespace, api.spec)? else { return Ok(None) };
    let ports = match backend.target() {
        TargetPort::Name(_) => endpoints.ports(backend.name()),
        TargetPort::Number(number) => BTreeSet::from([*number]),
    };
    Ok((!ports.is_empty()).then(|| Workload { labels: backend.selector().clone(), ports }))
}
