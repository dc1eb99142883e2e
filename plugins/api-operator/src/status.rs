//! The status of an API.

use mizzen_sdk::{AccessError, ObjectRef, cluster};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::api::Api;
use crate::implementation::Implementation as State;
use crate::route;

/// As the Canvas's own operator writes it, for compatibility with its readers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status<'a> {
    api_status: ApiStatus<'a>,
    implementation: Implementation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiStatus<'a> {
    name: &'a str,
    /// The VirtualService's; `None` until it exists.
    uid: Option<String>,
    path: &'a str,
    port: u16,
    implementation: &'a str,
    url: Option<String>,
    #[serde(rename = "developerUI")]
    developer_ui: Option<String>,
    ip: Option<&'a str>,
}

#[derive(Serialize)]
struct Implementation {
    ready: bool,
}

#[derive(Deserialize)]
struct Identified {
    metadata: Identity,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(default)]
    uid: Option<String>,
}

impl<'a> Status<'a> {
    pub(crate) fn of(api: &Api<'a>, address: &'a Address, implementation: State) -> Result<Self, AccessError> {
        let route = ObjectRef::new(route::kind(), Some(api.namespace), api.name());
        let route: Option<Identified> = cluster::get(&route, Some(route::IDENTITY))?;
        let api_status = ApiStatus {
            name: api.name(),
            uid: route.and_then(|route| route.metadata.uid),
            path: api.spec.path.as_str(),
            port: api.port().get(),
            implementation: api.service(),
            url: address.url(api.spec.path.as_str()),
            developer_ui: api.spec.developer_ui.as_deref().filter(|ui| !ui.is_empty()).and_then(|ui| address.url(ui)),
            ip: address.balancer.as_deref(),
        };
        Ok(Self { api_status, implementation: Implementation { ready: implementation == State::Ready } })
    }
}
