//! Requests to the Dynatrace API: the endpoints of a component.

use std::time::Duration;

use mizzen_sdk::AccessError;
use mizzen_sdk::http::{self, Response};
use serde::Deserialize;

use crate::api::Api;
use crate::component::Component;
use crate::config::Config;
use crate::dynakube::{Info, Spec};
use crate::hosts::Hosts;

/// The credential of requests: the token in a DynaKube's Secret. The grant decides which Secret
/// that is.
pub(crate) const CREDENTIAL: &str = "apiToken";

/// The delay before another call after a failure.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// The longest delay that a server may ask for.
const LATER: Duration = Duration::from_mins(15);

/// Why a response can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestError {
    pub(crate) why: String,
    /// The delay before another call.
    pub(crate) retry_after: Duration,
    /// Whether the API refuses further requests for now.
    whole: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConnectionInfo {
    #[serde(rename = "tenantUUID")]
    tenant: Option<String>,
    communication_endpoints: Option<Urls>,
}

/// An array for OneAgents, one text for ActiveGates.
#[derive(Deserialize)]
#[serde(untagged)]
enum Urls {
    List(Vec<String>),
    Text(String),
}

/// Requests the endpoints of a component. `None`: it has none; such a response is not taken
/// from the cache.
pub(crate) fn request(
    api: &Api,
    component: Component,
    spec: &Spec,
    config: &Config,
) -> Result<Option<Info>, RequestError> {
    let threshold = spec.dynatrace_api_request_threshold.unwrap_or(15);
    let cached = send(api, component, spec, config, Duration::from_mins(threshold.into()))?;
    let reported = read(&cached);
    if matches!(reported, Ok(Some(_))) || cached.age.is_zero() {
        return reported;
    }
    read(&send(api, component, spec, config, Duration::ZERO)?)
}

fn send(
    api: &Api,
    component: Component,
    spec: &Spec,
    config: &Config,
    max_age: Duration,
) -> Result<Response, RequestError> {
    let kind = if component == Component::ActiveGate { "gateway" } else { "agent" };
    let mut request = http::get(&format!("{}/v1/deployment/installer/{kind}/connectioninfo", api.base()));
    if let (Component::OneAgent, Some(zone)) = (component, spec.network_zone.as_deref().filter(|zone| !zone.is_empty()))
    {
        request = request.query("networkZone", zone).query("defaultZoneFallback", "true");
    }
    let request = request.credential(CREDENTIAL).max_age(max_age);
    let response = request.timeout(Duration::from_secs(config.timeout_seconds.into())).send()?;
    let retry_after = response.retry_after().map_or(SOON, |after| after.clamp(SOON, LATER));
    let status = response.status;
    response.success().map_err(|error| RequestError {
        why: format!("the request to the Dynatrace API failed: {error}"),
        retry_after: if matches!(status, 429 | 503) { retry_after } else { SOON },
        // After a refusal of requests the other endpoint is not tried; a failure of one
        // endpoint does not concern the other.
        whole: status == 429,
    })
}

fn read(response: &Response) -> Result<Option<Info>, RequestError> {
    let unusable = |why: &str| RequestError {
        why: format!("the Dynatrace API's response is not valid: {why}"),
        retry_after: SOON,
        whole: false,
    };
    let info: ConnectionInfo = response.json().map_err(|error| unusable(&error.to_string()))?;
    let endpoints = match info.communication_endpoints {
        None => String::new(),
        Some(Urls::Text(text)) => text,
        Some(Urls::List(list)) => list.join(";"),
    };
    if endpoints.chars().all(|at| matches!(at, ',' | ';' | '{' | '}') || at.is_whitespace()) {
        return Ok(None);
    }
    let hosts = Hosts::reported(&endpoints);
    // Hosts inside the cluster are a valid response: one that needs no entries.
    if hosts.endpoints.is_empty() && hosts.inside.is_empty() {
        return Err(unusable(hosts.skipped.first().map_or("it contains no hosts", String::as_str)));
    }
    Ok(Some(Info { endpoints, tenant: info.tenant.unwrap_or_default() }))
}

impl RequestError {
    /// Whether the API refuses further requests for now.
    pub(crate) fn is_of_the_whole(&self) -> bool {
        self.whole
    }
}

impl From<AccessError> for RequestError {
    fn from(error: AccessError) -> Self {
        // It may be a redirect, a response that is too large or slow, or a temporary change of
        // address: a temporary failure, which does not concern the other endpoint.
        Self { why: format!("the Dynatrace API can't be reached: {error}"), retry_after: SOON, whole: false }
    }
}
