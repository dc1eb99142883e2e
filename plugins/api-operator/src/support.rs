//! Fields of an API that have no effect: named in a condition, so that no author relies on a policy
//! that is not enforced.

use mizzen_oda_api::ApiType;
use mizzen_sdk::Condition;

use crate::api::Api;
use crate::{OpenMetrics, rate_limit};

/// The condition that names what is not enforced.
pub(crate) const SUPPORTED: &str = "Supported";

/// The reason of this condition if it is true.
const IN_EFFECT: &str = "Supported";

/// A field that takes effect once another object exists.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// `CamelCase`, for machines.
    pub(crate) reason: &'static str,
    /// What waits, and for what.
    pub(crate) message: String,
}

/// Names all fields without effect, and those that wait; the most severe gives the reason.
pub(crate) fn condition(api: &Api, waits: Vec<Waiting>) -> Condition {
    let missing = unsupported(api);
    let missing = (!missing.is_empty()).then(|| ("Unsupported", format!("not enforced: {}", missing.join("; "))));
    let waits = waits.into_iter().map(|Waiting { reason, message }| (reason, message));
    let (reasons, messages): (Vec<_>, Vec<_>) = unknown_type(api).into_iter().chain(missing).chain(waits).unzip();
    match reasons.first() {
        Some(reason) => supported(reason, messages.join("; ")),
        None => supported(IN_EFFECT, "all fields of the API are in effect".to_owned()),
    }
}

/// Nothing new is published while a field is invalid.
pub(crate) fn refused(why: &str) -> Condition {
    supported("Invalid", format!("the API's last change is not published: {why}"))
}

fn supported(reason: &str, message: String) -> Condition {
    let status = Some(reason == IN_EFFECT);
    Condition { kind: SUPPORTED.to_owned(), status, reason: reason.to_owned(), message }
}

fn unknown_type(api: &Api) -> Option<(&'static str, String)> {
    let ApiType::Unknown(name) = &api.spec.api_type else { return None };
    let known = "openapi, prometheus, openmetrics or mcp";
    Some((
        "UnknownApiType",
        format!("`spec.apiType` is `{name}`, not {known}: the API is published without further effect"),
    ))
}

fn unsupported(api: &Api) -> Vec<&'static str> {
    let spec = api.spec;
    let (auth, is_metrics) = (spec.basic_auth.is_some(), spec.api_type.is_metrics());
    let by_annotations = api.config.open_metrics == OpenMetrics::Annotations;
    let verification = spec.api_key_verification.as_ref().is_some_and(|own| own.enabled);
    let by_caller = spec.rate_limit.as_ref().is_some_and(rate_limit::is_by_caller);
    let quota = spec.quota.as_ref().is_some_and(mizzen_oda_api::Quota::is_asked_for);
    let (requests, responses) =
        spec.oas_validation.as_ref().map_or((false, false), |own| (own.request_enabled, own.response_enabled));
    let template = spec.template.as_ref().is_some_and(|name| !name.is_empty());
    [
        (verification, "apiKeyVerification"),
        (
            by_caller,
            "rateLimit.identifier (a sidecar enforces one limit for all callers; the limit is enforced without it)",
        ),
        (quota, "quota"),
        (requests, "OASValidation.requestEnabled"),
        (responses, "OASValidation.responseEnabled"),
        (template, "template"),
        (auth && !is_metrics, "basicAuth (it applies to scraping of metrics only; other requests need no password)"),
        (
            auth && is_metrics && by_annotations,
            "basicAuth (annotations of Pods can't name a Secret: configure it in the scraper)",
        ),
    ]
    .into_iter()
    .filter_map(|(is_set, name)| is_set.then_some(name))
    .collect()
}
