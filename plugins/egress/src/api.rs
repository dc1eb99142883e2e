//! Requests to the Dynatrace API.

use std::time::Duration;

use mizzen_istio_egress::{Endpoint, Url, UrlError};
use mizzen_sdk::AccessError;
use mizzen_sdk::http::{self, Response};
use serde::Deserialize;

use crate::Config;
use crate::component::Component;
use crate::dynakube::{Info, Spec};
use crate::hosts::Hosts;

/// The credential of requests: the token in a DynaKube's Secret. The grant decides which Secret
/// that is.
pub(crate) const CREDENTIAL: &str = "apiToken";

/// The delay before another call after a failure.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// The longest delay that a server may ask for.
const LATER: Duration = Duration::from_mins(15);

/// The Dynatrace API of a DynaKube.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    base: String,
    endpoint: Endpoint,
}

/// Why there is no usable response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    /// The delay before another call.
    pub(crate) again: Duration,
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

impl Api {
    /// Parses `spec.apiUrl`. For hosts `*.apps.*`, which serve the web interface, the API is at
    /// `*.live.*`.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        // The whole text first: the part before a `?` or `#` may end within a password.
        Url::parse(text)?;
        let text = text.trim().split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let host = text.find("://").map_or(0, |at| at + 3);
        let path = text[host..].find('/').map_or(text.len(), |at| host + at);
        let mut base = text.to_owned();
        // Host names are case-insensitive.
        if let Some(at) = text[host..path].to_ascii_lowercase().find(".apps.").map(|at| host + at) {
            base.replace_range(at..at + ".apps.".len(), ".live.");
        }
        Ok(Self { endpoint: Url::parse(&base)?.endpoint(), base })
    }

    /// The API's endpoint.
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// Requests the endpoints of a component. `None`: it has none; such a response is not taken
    /// from the cache.
    pub(crate) fn ask(&self, component: Component, spec: &Spec, config: &Config) -> Result<Option<Info>, Trouble> {
        let threshold = spec.dynatrace_api_request_threshold.unwrap_or(15);
        let cached = self.send(component, spec, config, Duration::from_mins(threshold.into()))?;
        let answer = read(&cached);
        if matches!(answer, Ok(Some(_))) || cached.age.is_zero() {
            return answer;
        }
        read(&self.send(component, spec, config, Duration::ZERO)?)
    }

    fn send(&self, component: Component, spec: &Spec, config: &Config, max_age: Duration) -> Result<Response, Trouble> {
        let kind = if component == Component::ActiveGate { "gateway" } else { "agent" };
        let mut request = http::get(&format!("{}/v1/deployment/installer/{kind}/connectioninfo", self.base));
        if let (Component::OneAgent, Some(zone)) =
            (component, spec.network_zone.as_deref().filter(|zone| !zone.is_empty()))
        {
            request = request.query("networkZone", zone).query("defaultZoneFallback", "true");
        }
        let request = request.credential(CREDENTIAL).max_age(max_age);
        let answer = request.timeout(Duration::from_secs(config.timeout_seconds.into())).send()?;
        let asked_for = answer.retry_after().map_or(SOON, |after| after.clamp(SOON, LATER));
        let status = answer.status;
        answer.success().map_err(|error| Trouble {
            why: format!("the request to the Dynatrace API failed: {error}"),
            again: if matches!(status, 429 | 503) { asked_for } else { SOON },
            // After a refusal of requests the other endpoint is not tried; a failure of one
            // endpoint says nothing about the other.
            whole: status == 429,
        })
    }
}

fn read(answer: &Response) -> Result<Option<Info>, Trouble> {
    let unusable = |why: &str| Trouble {
        why: format!("the Dynatrace API's response is not valid: {why}"),
        again: SOON,
        whole: false,
    };
    let info: ConnectionInfo = answer.json().map_err(|error| unusable(&error.to_string()))?;
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
        return Err(unusable(hosts.passed_over.first().map_or("it contains no hosts", String::as_str)));
    }
    Ok(Some(Info { endpoints, tenant: info.tenant.unwrap_or_default() }))
}

impl Trouble {
    /// Whether the API refuses further requests for now.
    pub(crate) fn is_of_the_whole(&self) -> bool {
        self.whole
    }
}

impl From<AccessError> for Trouble {
    fn from(error: AccessError) -> Self {
        // It may be a redirect, a response that is too large or slow, or a temporary change of
        // address: a temporary failure, which does not concern the other endpoint.
        Self { why: format!("the Dynatrace API can't be reached: {error}"), again: SOON, whole: false }
    }
}
